/* SPDX-License-Identifier: MPL-2.0 */
/* The host's networks: sockets, recordings, forwarded ports, and the user network as a guest sees it. */
#include "host/clock.h"
#include "host/net.h"
#include "host/thread.h"

#include "tap.h"
#include "util.h"

#include <stdlib.h>

TEST(forwards)
{
    host_net_forward_t f;
    CHECK(host_net_parse_forward("8080=80", &f));
    CHECK(f.tcp && f.udp && !f.v6 && !f.guest_given && f.host_port == 8080 && f.guest_port == 80);
    CHECK(host_net_parse_forward("tcp/127.0.0.1:2022=22", &f));
    CHECK(f.tcp && !f.udp && f.host[0] == 127 && f.host[3] == 1 && f.guest_port == 22);
    CHECK(host_net_parse_forward("udp/localhost:53=10.0.2.15:5353", &f));
    CHECK(!f.tcp && f.udp && f.host[0] == 127 && f.guest_given && f.guest[3] == 15);
    CHECK(host_net_parse_forward("[::1]:2022=[fec0::15]:22", &f));
    CHECK(f.v6 && f.host[15] == 1 && f.guest[0] == 0xfe && f.guest_port == 22);
    CHECK(host_net_parse_forward("65535", &f) && f.guest_port == 65535);
    static const char *const wrong[] = {
        "", "=", "80=", "=80", "0", "65536", "-1", "+1", " 1", "1 ", "1=2=3", "tcp/", "icmp/1=2", "tcp/udp/1",
        "1.2.3:4=5", "1.2.3.4.5:6", ":80", "[::1]", "[::1:80", "[::g]:80", "127.0.0.1:1=[::1]:2", "a:1", "1=b:2",
        "99999999999999999999",
        "[00000000000000000000000000000000000000000000000000000000000000000000000000000000000001]:1",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        bool ok = host_net_parse_forward(wrong[i], &f);
        CHECK(!ok);
        if (ok) {
            printf("# accepted: %s\n", wrong[i]);
        }
    }
}

#ifndef __EMSCRIPTEN__

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A card of no machine: what it gets is counted, what it sends is a list made beforehand. */
typedef struct {
    uint32_t got, bytes, link, sum; /* atomic; link: 1 down, 2 up */
    uint32_t to_send, sent;         /* atomic */
    bool echo;
    uint32_t full; /* atomic: takes nothing */
    host_net_t *net;
    uint8_t reply[2048];
    uint32_t reply_size; /* atomic */
} card_t;

static bool card_feed(void *opaque, const uint8_t *hdr, const void *frame, size_t size)
{
    card_t *card = opaque;
    (void)hdr;
    uint32_t sum = card->sum;
    for (size_t i = 0; i < size; i++) {
        sum = sum * 31 + ((const uint8_t *)frame)[i];
    }
    if (size <= sizeof(card->reply)) {
        memcpy(card->reply, frame, size);
        __atomic_store_n(&card->reply_size, (uint32_t)size, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&card->sum, sum, __ATOMIC_RELEASE);
    __atomic_fetch_add(&card->bytes, (uint32_t)size, __ATOMIC_ACQ_REL);
    __atomic_fetch_add(&card->got, 1, __ATOMIC_ACQ_REL);
    return true;
}

static void card_flush(void *opaque)
{
    (void)opaque;
}

static size_t make_frame(uint8_t *frame, uint32_t n)
{
    size_t size = 60 + n * 977 % 9000;
    for (size_t i = 0; i < size; i++) {
        frame[i] = (uint8_t)(n + i * 7);
    }
    return size;
}

static bool card_serve(void *opaque)
{
    card_t *card = opaque;
    uint8_t frame[9100];
    for (unsigned burst = 0; burst < 16; burst++) {
        uint32_t n = __atomic_load_n(&card->sent, __ATOMIC_ACQUIRE);
        if (n >= __atomic_load_n(&card->to_send, __ATOMIC_ACQUIRE)) {
            return false;
        }
        size_t size = make_frame(frame, n);
        if (host_net_send(card->net, NULL, frame, size) == HOST_NET_BUSY) {
            return false;
        }
        __atomic_store_n(&card->sent, n + 1, __ATOMIC_RELEASE);
    }
    return true;
}

static bool card_can_receive(void *opaque)
{
    return !__atomic_load_n(&((card_t *)opaque)->full, __ATOMIC_ACQUIRE);
}

static void card_set_link(void *opaque, bool up)
{
    __atomic_store_n(&((card_t *)opaque)->link, up ? 2 : 1, __ATOMIC_RELEASE);
}

static bool card_plug(card_t *card, host_net_t *net)
{
    const host_net_guest_t guest = {card, card_feed, card_flush, card_serve, card_can_receive, card_set_link};
    card->net = net;
    return host_net_attach(net, &guest);
}

/* Waits up to a minute for *val to reach want. */
static bool reaches(const uint32_t *val, uint32_t want)
{
    for (unsigned i = 0; i < 60000; i++) {
        if (__atomic_load_n(val, __ATOMIC_ACQUIRE) >= want) {
            return true;
        }
        host_sleep_ns(1000000);
    }
    return false;
}

static char dir[64], path[80], error[300];

static host_net_t *open_unix(bool listening)
{
    host_net_t *net = host_net_open_unix(path, listening, error, sizeof(error));
    CHECK(net);
    if (!net) {
        printf("# %s\n", error);
    }
    return net;
}

TEST(sockets_both_ways)
{
    static card_t a, b;
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    host_net_t *server = open_unix(true), *client = open_unix(false);
    CHECK(card_plug(&a, server) && card_plug(&b, client));
    CHECK(reaches(&a.link, 2));
    uint64_t start = host_clock_ns();
    __atomic_store_n(&a.to_send, 2000, __ATOMIC_RELEASE);
    host_net_wake(server);
    __atomic_store_n(&b.to_send, 2000, __ATOMIC_RELEASE);
    host_net_wake(client);
    CHECK(reaches(&b.got, 2000) && reaches(&a.got, 2000));
    printf("# %u MB/s through a socket\n", (unsigned)((a.bytes + b.bytes) * UINT64_C(1000) / (host_clock_ns() - start)));
    uint8_t frame[9100];
    uint32_t sum = 0, bytes = 0;
    for (uint32_t n = 0; n < 2000; n++) {
        size_t size = make_frame(frame, n);
        bytes += (uint32_t)size;
        for (size_t i = 0; i < size; i++) {
            sum = sum * 31 + frame[i];
        }
    }
    CHECK_EQ(sum, a.sum);
    CHECK_EQ(sum, b.sum);
    CHECK_EQ(bytes, b.bytes);
    host_net_close(client);
    host_net_close(server);
    CHECK(access(path, F_OK) != 0);
}

/* The peer ends with frames under way: the cable is out, sending goes nowhere, and a new peer is served. */
TEST(a_peer_dies)
{
    static card_t a, b, c;
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    memset(&c, 0, sizeof(c));
    host_net_t *server = open_unix(true), *client = open_unix(false);
    CHECK(card_plug(&a, server) && card_plug(&b, client) && reaches(&a.link, 2));
    __atomic_store_n(&b.full, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&a.to_send, 4000, __ATOMIC_RELEASE);
    host_net_wake(server);
    CHECK(reaches(&a.sent, 20));
    host_net_close(client);
    for (unsigned i = 0; i < 60000 && __atomic_load_n(&a.link, __ATOMIC_ACQUIRE) != 1; i++) {
        host_sleep_ns(1000000);
    }
    CHECK_EQ(1, __atomic_load_n(&a.link, __ATOMIC_ACQUIRE));
    host_net_wake(server);
    CHECK(reaches(&a.sent, 4000)); /* dropped */
    client = open_unix(false);
    CHECK(card_plug(&c, client) && reaches(&a.link, 2));
    __atomic_store_n(&c.to_send, 10, __ATOMIC_RELEASE);
    host_net_wake(client);
    CHECK(reaches(&a.got, 10));
    host_net_close(server);
    for (unsigned i = 0; i < 60000 && __atomic_load_n(&c.link, __ATOMIC_ACQUIRE) != 1; i++) {
        host_sleep_ns(1000000);
    }
    CHECK_EQ(1, __atomic_load_n(&c.link, __ATOMIC_ACQUIRE));
    host_net_close(client);
}

/* A card without room gets the rest as soon as it has, though no more comes in. */
TEST(back_pressure)
{
    static card_t a, b;
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    host_net_t *server = open_unix(true), *client = open_unix(false);
    CHECK(card_plug(&a, server) && card_plug(&b, client) && reaches(&a.link, 2));
    __atomic_store_n(&a.full, 1, __ATOMIC_RELEASE);
    host_net_wake(server);
    __atomic_store_n(&b.to_send, 300, __ATOMIC_RELEASE);
    host_net_wake(client);
    host_sleep_ns(50000000);
    uint32_t early = __atomic_load_n(&a.got, __ATOMIC_ACQUIRE);
    CHECK(early < 300);
    __atomic_store_n(&a.full, 0, __ATOMIC_RELEASE);
    host_net_wake(server);
    CHECK(reaches(&a.got, 300));
    host_net_close(client);
    host_net_close(server);
}

TEST(a_peer_that_talks_nonsense)
{
    static card_t a;
    memset(&a, 0, sizeof(a));
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    host_net_t *server = open_unix(true);
    CHECK(card_plug(&a, server));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && reaches(&a.link, 2));
    CHECK(write(fd, "\0\0\0\3abc\377\377\377\377zzz", 14) == 14);
    for (unsigned i = 0; i < 60000 && __atomic_load_n(&a.link, __ATOMIC_ACQUIRE) != 1; i++) {
        host_sleep_ns(1000000);
    }
    CHECK_EQ(1, __atomic_load_n(&a.link, __ATOMIC_ACQUIRE));
    CHECK_EQ(1, a.got);
    close(fd);
    host_net_close(server);
}

TEST(sockets_that_cannot_be)
{
    CHECK(!host_net_open_unix(path, false, error, sizeof(error)) && strstr(error, "nobody listens"));
    CHECK(!host_net_open_unix("", true, error, sizeof(error)));
    FILE *file = fopen(path, "w");
    fputs("mine", file);
    fclose(file);
    CHECK(!host_net_open_unix(path, true, error, sizeof(error))); /* a file is not taken away */
    CHECK(access(path, F_OK) == 0);
    unlink(path);
    CHECK(!host_net_open_tap("a-name-that-is-too-long", error, sizeof(error)));
}

TEST(records)
{
    static card_t a, b;
    char pcap[100];
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    snprintf(pcap, sizeof(pcap), "%s/x.pcap", dir);
    host_net_t *server = open_unix(true);
    server = host_net_record(server, pcap, error, sizeof(error));
    host_net_t *client = open_unix(false);
    CHECK(server && card_plug(&a, server) && card_plug(&b, client) && reaches(&a.link, 2));
    __atomic_store_n(&a.to_send, 3, __ATOMIC_RELEASE);
    host_net_wake(server);
    CHECK(reaches(&b.got, 3));
    __atomic_store_n(&b.to_send, 2, __ATOMIC_RELEASE);
    host_net_wake(client);
    CHECK(reaches(&a.got, 2));
    host_net_close(client);
    host_net_close(server);
    static uint8_t data[100000], frame[9100];
    FILE *file = fopen(pcap, "rb");
    size_t size = fread(data, 1, sizeof(data), file), at = 24;
    fclose(file);
    CHECK(size > 24 && util_get_le32(data) == 0xa1b23c4d && util_get_le32(data + 20) == 1);
    static const uint32_t order[] = {0, 1, 2, 0, 1};
    for (unsigned i = 0; i < 5; i++) {
        size_t want = make_frame(frame, order[i]);
        CHECK(at + 16 + want <= size && util_get_le32(data + at + 8) == want);
        CHECK(!memcmp(data + at + 16, frame, want));
        at += 16 + want;
    }
    CHECK_EQ(size, at);
    CHECK(!host_net_record(open_unix(true), "/nonexistent/x", error, sizeof(error)));
    unlink(pcap);
}

/* Sends one frame through a user network, and waits for an answer (or none, for 200 ms). */
typedef struct {
    card_t card;
    uint8_t frame[400];
    size_t size; /* of what is to be sent; 0: nothing. Written before a wake. */
    uint32_t pending, served; /* atomic */
} asker_t;

static bool asker_serve(void *opaque)
{
    asker_t *asker = opaque;
    if (__atomic_exchange_n(&asker->pending, 0, __ATOMIC_ACQ_REL)) {
        host_net_send(asker->card.net, NULL, asker->frame, asker->size);
        __atomic_fetch_add(&asker->served, 1, __ATOMIC_RELEASE);
    }
    return false;
}

static bool ask(asker_t *asker, size_t size)
{
    uint32_t before = __atomic_load_n(&asker->card.got, __ATOMIC_ACQUIRE);
    uint32_t served = __atomic_load_n(&asker->served, __ATOMIC_ACQUIRE);
    asker->size = size;
    __atomic_store_n(&asker->pending, 1, __ATOMIC_RELEASE);
    host_net_wake(asker->card.net);
    CHECK(reaches(&asker->served, served + 1));
    for (unsigned i = 0; i < 300; i++) {
        if (__atomic_load_n(&asker->card.got, __ATOMIC_ACQUIRE) != before) {
            return true;
        }
        host_sleep_ns(1000000);
    }
    return false;
}

static void ask_setup(asker_t *asker, bool loopback)
{
    const host_net_user_t desc = {.loopback = loopback};
    memset(asker, 0, sizeof(*asker));
    asker->card.net = host_net_open_user(&desc, error, sizeof(error));
    const host_net_guest_t guest = {&asker->card, card_feed, card_flush, asker_serve, card_can_receive,
                                    card_set_link};
    CHECK(asker->card.net && host_net_attach(asker->card.net, &guest));
}

/* ARP: who has 10.0.2.x? Also tells libslirp where the guest is. */
static size_t arp(uint8_t *frame, uint8_t last)
{
    static const uint8_t head[] = {255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6,
                                   0,   1,   8,   0,   6,   4,   0, 1, 2, 0, 0, 0, 0, 1,
                                   10,  0,   2,   15,  0,   0,   0, 0, 0, 0, 10, 0, 2};
    memset(frame, 0, 60);
    memcpy(frame, head, sizeof(head));
    frame[41] = last;
    return 60;
}

static uint16_t sum_of(const uint8_t *p, size_t size)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
    }
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t) ~((sum >> 16) + (sum & 0xffff));
}

/* A UDP datagram to an address and port, with a text. */
static size_t udp(uint8_t *frame, const uint8_t to[4], uint16_t port, const char *text)
{
    size_t length = strlen(text);
    static const uint8_t eth[] = {0x52, 0x55, 10, 0, 2, 2, 2, 0, 0, 0, 0, 1, 8, 0};
    memset(frame, 0, 100);
    memcpy(frame, eth, 14);
    uint8_t *ip = frame + 14;
    ip[0] = 0x45;
    ip[3] = (uint8_t)(28 + length);
    ip[8] = 64;
    ip[9] = 17;
    memcpy(ip + 12, "\x0a\x00\x02\x0f", 4);
    memcpy(ip + 16, to, 4);
    uint16_t sum = sum_of(ip, 20);
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
    ip[20] = 0x12;
    ip[22] = (uint8_t)(port >> 8);
    ip[23] = (uint8_t)port;
    ip[25] = (uint8_t)(8 + length);
    memcpy(ip + 28, text, length);
    return 42 + length;
}

#include <arpa/inet.h>
#include <netinet/in.h>

/* Which ways lead to a UDP port of the host's loopback. */
static unsigned loopback_ways(bool allowed)
{
    static asker_t asker;
    static const uint8_t ways[][4] = {{10, 0, 2, 2}, {127, 0, 0, 1}, {127, 9, 9, 9}, {0, 0, 0, 0}};
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(addr);
    unsigned found = 0;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
    getsockname(fd, (struct sockaddr *)&addr, &size);
    ask_setup(&asker, allowed);
    CHECK(ask(&asker, arp(asker.frame, 2)));
    CHECK_EQ(2, asker.card.reply[21]); /* an ARP reply */
    for (unsigned i = 0; i < ARRAY_LEN(ways); i++) {
        char text[8] = "";
        ask(&asker, udp(asker.frame, ways[i], ntohs(addr.sin_port), "hello"));
        if (recv(fd, text, 5, MSG_DONTWAIT) == 5 && !strcmp(text, "hello")) {
            found |= 1u << i;
        }
    }
    host_net_close(asker.card.net);
    close(fd);
    return found;
}

TEST(user_network)
{
    if (!host_net_user_available()) {
        CHECK(!host_net_open_user(&(host_net_user_t){.loopback = false}, error, sizeof(error)));
        CHECK(strstr(error, "libslirp"));
        return;
    }
    CHECK_EQ(1, loopback_ways(true));
    CHECK_EQ(0, loopback_ways(false));
}

TEST(forwarded_ports_that_are_taken)
{
    host_net_forward_t f;
    if (!host_net_user_available()) {
        return;
    }
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(fd, 1) == 0);
    getsockname(fd, (struct sockaddr *)&addr, &size);
    char text[60];
    snprintf(text, sizeof(text), "tcp/127.0.0.1:%u=22", ntohs(addr.sin_port));
    CHECK(host_net_parse_forward(text, &f));
    const host_net_user_t desc = {.forward = &f, .forwards = 1};
    CHECK(!host_net_open_user(&desc, error, sizeof(error)) && strstr(error, "in use"));
    close(fd);
    host_net_t *net = host_net_open_user(&desc, error, sizeof(error));
    CHECK(net);
    CHECK(host_net_remove_forward(net, &f, error, sizeof(error)) && host_net_add_forward(net, &f, error, sizeof(error)));
    host_net_close(net); /* never attached */
}

/* True when somebody answers at a TCP port of the loopback. */
static bool connects(uint16_t port)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool ok = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
    close(fd);
    return ok;
}

/* A TCP port of the loopback that is free now. */
static uint16_t free_port(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
    getsockname(fd, (struct sockaddr *)&addr, &size);
    close(fd);
    return ntohs(addr.sin_port);
}

static host_net_forward_t forward_of(const char *fmt, unsigned port)
{
    char text[80];
    host_net_forward_t f = {.tcp = false};
    snprintf(text, sizeof(text), fmt, port);
    CHECK(host_net_parse_forward(text, &f));
    return f;
}

/* Each change works at once, or changes nothing. */
TEST(forwarded_ports_at_run_time)
{
    static asker_t asker;
    if (!host_net_user_available()) {
        return;
    }
    uint16_t port = free_port();
    host_net_forward_t got, f = forward_of("tcp/127.0.0.1:%u=22", port);
    ask_setup(&asker, false);
    host_net_t *net = asker.card.net;
    CHECK(ask(&asker, arp(asker.frame, 2)));
    CHECK(host_net_get_forward(net, 0, NULL) && !host_net_get_forward(net, 0, &got));
    CHECK(!connects(port));
    for (unsigned i = 0; i < 20; i++) {
        CHECK(host_net_add_forward(net, &f, error, sizeof(error)));
        CHECK(host_net_get_forward(net, 0, &got) && got.host_port == port && !host_net_get_forward(net, 1, &got));
        uint32_t before = __atomic_load_n(&asker.card.got, __ATOMIC_ACQUIRE);
        CHECK(connects(port));
        CHECK(reaches(&asker.card.got, before + 1)); /* the guest is called */
        CHECK(!host_net_add_forward(net, &f, error, sizeof(error)) && strstr(error, "in use"));
        CHECK(host_net_remove_forward(net, &f, error, sizeof(error)));
        CHECK(!host_net_get_forward(net, 0, &got) && !connects(port));
        CHECK(!host_net_remove_forward(net, &f, error, sizeof(error)) && strstr(error, "not forwarded"));
    }
    /* Of both protocols, one is taken away. */
    host_net_forward_t both = forward_of("127.0.0.1:%u=22", port), udp_only = forward_of("udp/127.0.0.1:%u", port);
    CHECK(host_net_add_forward(net, &both, error, sizeof(error)));
    CHECK(host_net_remove_forward(net, &udp_only, error, sizeof(error)));
    CHECK(host_net_get_forward(net, 0, &got) && got.tcp && !got.udp && connects(port));
    /* When one of two cannot be had, neither is. */
    host_net_forward_t all = forward_of("%u=22", port);
    CHECK(!host_net_remove_forward(net, &all, error, sizeof(error))); /* another address */
    CHECK(host_net_remove_forward(net, &both, error, sizeof(error)) && !connects(port));
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
    CHECK(!host_net_add_forward(net, &both, error, sizeof(error)) && !connects(port));
    CHECK(!host_net_get_forward(net, 0, &got));
    close(fd);
    host_net_close(net);
}

TEST(forwards_as_text)
{
    static const char *const texts[] = {"8080=80", "tcp/127.0.0.1:2022=22", "udp/127.0.0.1:53=10.0.2.15:5353",
                                        "[::1]:2022=[fec0::15]:22", "tcp/[::]:80=[fec0::15]:80"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char text[120];
        host_net_forward_t f;
        CHECK(host_net_parse_forward(texts[i], &f));
        host_net_format_forward(&f, text, sizeof(text));
        CHECK(!strcmp(text, texts[i]));
    }
}

int main(void)
{
    snprintf(dir, sizeof(dir), "/tmp/rvkit-net-XXXXXX");
    if (!mkdtemp(dir)) {
        return 1;
    }
    snprintf(path, sizeof(path), "%s/socket", dir);
    RUN(forwards);
    RUN(sockets_both_ways);
    RUN(a_peer_dies);
    RUN(back_pressure);
    RUN(a_peer_that_talks_nonsense);
    RUN(sockets_that_cannot_be);
    RUN(records);
    RUN(user_network);
    RUN(forwarded_ports_that_are_taken);
    RUN(forwarded_ports_at_run_time);
    RUN(forwards_as_text);
    rmdir(dir);
    return tap_finish();
}

#else

TEST(there_are_none)
{
    char error[200];
    CHECK(!host_net_user_available());
    CHECK(!host_net_open_unix("/tmp/x", true, error, sizeof(error)));
    CHECK(!host_net_open_tap("tap0", error, sizeof(error)));
}

int main(void)
{
    RUN(forwards);
    RUN(there_are_none);
    return tap_finish();
}

#endif
