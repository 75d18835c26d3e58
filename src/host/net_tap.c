/* SPDX-License-Identifier: MPL-2.0 */
/* TAP interfaces of Linux, with the kernel's checksum and segmentation offloads where it has them. */
#include "net_impl.h"

#ifndef __EMSCRIPTEN__

#ifndef __linux__

host_net_t *host_net_open_tap(const char *name, char *error, size_t error_size)
{
    return net_fail(error, error_size, "%s: only Linux has these TAP interfaces", name);
}

#else

#include <rvvm/compat.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Frames that are read before the guest's own have their turn. */
#define TAP_BURST 64

/* VIRTIO_NET_F_GUEST_ features, and what TUNSETOFFLOAD calls them. */
enum { GUEST_CSUM = 1 << 1, GUEST_TSO4 = 1 << 7, GUEST_TSO6 = 1 << 8, GUEST_ECN = 1 << 9 };

typedef struct {
    net_port_t port;
    int open_fd;  /* the same as port.fd until that is given up */
    bool headers; /* frames have a struct virtio_net_hdr */
    char name[IFNAMSIZ];
    uint8_t frame[HOST_NET_HDR_SIZE + HOST_NET_FRAME_MAX];
} net_tap_t;

static void tap_lost(net_tap_t *tap, const char *what)
{
    rvvm_warn("the TAP interface %s is gone (%s: %s); the guest's cable is unplugged", tap->name,
              what, strerror(errno));
    tap->port.fd = -1;
    tap->port.net.guest.set_link(tap->port.net.guest.opaque, false);
}

/* An interface that is merely down takes nothing. */
static host_net_sent_t tap_send(host_net_t *net, const uint8_t *hdr, const uint8_t *frame, size_t size)
{
    static const uint8_t no_header[HOST_NET_HDR_SIZE];
    net_tap_t *tap = (net_tap_t *)net;
    struct iovec iov[2] = {
        {.iov_base = (void *)(uintptr_t)(hdr ? hdr : no_header), .iov_len = HOST_NET_HDR_SIZE},
        {.iov_base = (void *)(uintptr_t)frame, .iov_len = size},
    };
    if (tap->port.fd < 0) {
        return HOST_NET_DROPPED;
    }
    ssize_t n = writev(tap->port.fd, iov + !tap->headers, 1 + tap->headers);
    if (n >= 0) {
        return HOST_NET_SENT;
    }
    if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR) {
        tap->port.want_write = true;
        return HOST_NET_BUSY;
    }
    if (errno == EBADFD || errno == ENODEV || errno == ENXIO) {
        tap_lost(tap, "write");
    }
    return HOST_NET_DROPPED;
}

static void tap_ready(net_port_t *port, short events)
{
    net_tap_t *tap = (net_tap_t *)port;
    const host_net_guest_t *guest = &port->net.guest;
    size_t header = tap->headers ? HOST_NET_HDR_SIZE : 0;
    (void)events;
    for (unsigned i = 0; i < TAP_BURST && guest->can_receive(guest->opaque); i++) {
        ssize_t n = read(port->fd, tap->frame, sizeof(tap->frame));
        if (n < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != EIO) {
                tap_lost(tap, "read");
            } else if (errno == EIO) {
                host_thread_yield(); /* the interface is down */
            }
            return;
        }
        if ((size_t)n > header) {
            guest->feed(guest->opaque, header ? tap->frame : NULL, tap->frame + header,
                        (size_t)n - header);
        }
    }
}

static void tap_set_offloads(host_net_t *net, uint64_t features)
{
    net_tap_t *tap = (net_tap_t *)net;
    unsigned flags = 0;
    if (features & GUEST_CSUM) {
        flags = TUN_F_CSUM | (features & GUEST_TSO4 ? TUN_F_TSO4 : 0) |
                (features & GUEST_TSO6 ? TUN_F_TSO6 : 0);
        flags |= (flags & (TUN_F_TSO4 | TUN_F_TSO6)) && (features & GUEST_ECN) ? TUN_F_TSO_ECN : 0;
    }
    if (tap->headers) {
        ioctl(tap->open_fd, TUNSETOFFLOAD, (unsigned long)flags);
    }
}

static void tap_close(host_net_t *net)
{
    net_tap_t *tap = (net_tap_t *)net;
    net_loop_close(&tap->port.loop);
    if (tap->open_fd >= 0) {
        close(tap->open_fd);
    }
    free(tap);
}

static void tap_name(const host_net_t *net, char *text, size_t text_size)
{
    snprintf(text, text_size, "tap %s", ((const net_tap_t *)net)->name);
}

static const host_net_type_t tap_type = {
    .start = net_port_start,
    .send = tap_send,
    .wake = net_port_wake,
    .set_offloads = tap_set_offloads,
    .close = tap_close,
    .name = tap_name,
};

/* The interface's MTU; 0: unknown. */
static uint16_t tap_mtu(const char *name)
{
    struct ifreq request = {.ifr_name = ""};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    bool ok = fd >= 0 && ioctl(fd, SIOCGIFMTU, &request) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return ok && request.ifr_mtu >= 68 && request.ifr_mtu <= 65535 ? (uint16_t)request.ifr_mtu : 0;
}

/* Attaches to the interface, or makes it; with headers when the kernel knows them. */
static bool tap_attach(net_tap_t *tap)
{
    struct ifreq request = {.ifr_name = ""};
    int size = HOST_NET_HDR_SIZE;
    unsigned features = 0;
    memcpy(request.ifr_name, tap->name, sizeof(tap->name));
    tap->headers = ioctl(tap->port.fd, TUNGETFEATURES, &features) == 0 && (features & IFF_VNET_HDR);
    request.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | (tap->headers ? IFF_VNET_HDR : 0));
    if (ioctl(tap->port.fd, TUNSETIFF, &request) < 0) {
        return false;
    }
    memcpy(tap->name, request.ifr_name, sizeof(tap->name));
    return !tap->headers || ioctl(tap->port.fd, TUNSETVNETHDRSZ, &size) == 0;
}

host_net_t *host_net_open_tap(const char *name, char *error, size_t error_size)
{
    if (!*name || strlen(name) >= IFNAMSIZ) {
        return net_fail(error, error_size, "%.40s: not the name of an interface", name);
    }
    net_tap_t *tap = calloc(1, sizeof(*tap));
    if (!tap) {
        return net_fail(error, error_size, "out of memory");
    }
    tap->port.net.type = &tap_type;
    tap->port.ready = tap_ready;
    snprintf(tap->name, sizeof(tap->name), "%s", name);
    bool loop = net_loop_open(&tap->port.loop);
    tap->port.fd = tap->open_fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (!loop || tap->port.fd < 0 || !tap_attach(tap)) {
        net_fail(error, error_size, "%s: %s%s", tap->port.fd < 0 ? "/dev/net/tun" : name,
                 strerror(errno),
                 errno == EPERM ? "; make it for yourself first: ip tuntap add NAME mode tap user USER"
                                : "");
        tap_close(&tap->port.net);
        return NULL;
    }
    tap->port.net.mtu = tap_mtu(tap->name);
    tap->port.net.caps = tap->headers ? HOST_NET_TX_OFFLOAD | HOST_NET_RX_OFFLOAD : 0;
    return &tap->port.net;
}

#endif
#endif
