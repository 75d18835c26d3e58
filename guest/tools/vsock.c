/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sockets between the guest and its host, from a shell:
 *   vsock connect CID PORT    standard input goes there, what comes back to standard output
 *   vsock listen PORT         the same for one connection that comes in
 *   vsock echo PORT           sends back what comes in, connection after connection
 *   vsock cid                 prints the guest's own CID
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define IOCTL_LOCAL_CID 0x7b9

static int fail(const char *what)
{
    fprintf(stderr, "vsock: %s: %s\n", what, strerror(errno));
    return 1;
}

static int write_all(int fd, const char *data, ssize_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, data, (size_t)size);
        if (put < 0) {
            return -1;
        }
        data += put;
        size -= put;
    }
    return 0;
}

/* Moves once from one side to the other; 0 at the end, -1 on an error. */
static ssize_t move(int from, int to)
{
    static char data[65536];
    ssize_t got = read(from, data, sizeof(data));
    return got > 0 && write_all(to, data, got) < 0 ? -1 : got;
}

static int relay(int fd)
{
    struct pollfd fds[2] = {{.fd = 0, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    while (poll(fds, 2, -1) >= 0) {
        if (fds[0].revents) {
            ssize_t got = move(0, fd);
            if (got < 0) {
                return fail("sending");
            }
            if (got == 0) {
                shutdown(fd, SHUT_WR);
                fds[0].fd = -1;
            }
        }
        if (fds[1].revents) {
            ssize_t got = move(fd, 1);
            if (got <= 0) {
                return got < 0 ? fail("receiving") : 0;
            }
        }
    }
    return fail("waiting");
}

static int vsock_listen(unsigned port)
{
    const struct sockaddr_vm addr = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = port};
    int fd = socket(AF_VSOCK, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 8) < 0) {
        fail("listening");
        exit(1);
    }
    return fd;
}

static int echo(unsigned port)
{
    int listener = vsock_listen(port), fd;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        while (move(fd, fd) > 0) {
        }
        close(fd);
    }
    return fail("accepting");
}

static int print_cid(void)
{
    unsigned cid = 0;
    int fd = open("/dev/vsock", O_RDONLY);
    if (fd < 0 || ioctl(fd, IOCTL_LOCAL_CID, &cid) < 0) {
        return fail("/dev/vsock");
    }
    printf("%u\n", cid);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "cid")) {
        return print_cid();
    }
    if (argc == 3 && !strcmp(argv[1], "echo")) {
        return echo((unsigned)strtoul(argv[2], NULL, 10));
    }
    if (argc == 3 && !strcmp(argv[1], "listen")) {
        int fd = accept(vsock_listen((unsigned)strtoul(argv[2], NULL, 10)), NULL, NULL);
        return fd < 0 ? fail("accepting") : relay(fd);
    }
    if (argc == 4 && !strcmp(argv[1], "connect")) {
        const struct sockaddr_vm addr = {
            .svm_family = AF_VSOCK,
            .svm_cid = (unsigned)strtoul(argv[2], NULL, 10),
            .svm_port = (unsigned)strtoul(argv[3], NULL, 10),
        };
        int fd = socket(AF_VSOCK, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
            return fail("connecting");
        }
        return relay(fd);
    }
    fputs("usage: vsock connect CID PORT | listen PORT | echo PORT | cid\n", stderr);
    return 2;
}
