/* SPDX-License-Identifier: MPL-2.0 */
/* The client's side: one loop over the terminal and the socket. */
#include "attach.h"

#include "../host/socket.h"
#include "../host/tty.h"
#include "../ring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CTRL_A 0x01
#define OUT_MAX ((size_t)64 << 20)    /* a paste waits here, so that Ctrl-A x is seen */
#define SCREEN_MAX ((size_t)64 << 10) /* behind a slow terminal the server is to notice */
#define EXIT_FAILED 1

typedef struct {
    int fd;
    char nonce[17], name[64];
    bool greeted;        /* the server has answered */
    bool leaving, ended; /* the person leaves; the machine has ended */
    bool prefix;         /* Ctrl-A was the last byte */
    bool input_over;
    int resized[2]; /* a pipe: the window has another size */
    uint16_t cols, rows;
    ring_t out;    /* for the socket */
    ring_t screen; /* for the terminal */
    uint8_t in[ATTACH_FRAME_HEAD + ATTACH_FRAME_MAX];
    size_t in_size;
} attach_t;

static const char attach_help[] =
    "\r\nCtrl-A x  leave (the machine runs on)   Ctrl-A a  send Ctrl-A (also Ctrl-A Ctrl-A)"
    "\r\nCtrl-A h  this help\r\n";

static void attach_print(attach_t *a, const void *data, size_t size)
{
    if (ring_reserve(&a->screen, size)) {
        ring_put(&a->screen, data, size);
    }
}

/* --- To the server --- */

static void attach_frame(attach_t *a, uint8_t type, const void *data, size_t size)
{
    uint8_t head[ATTACH_FRAME_HEAD] = {type};
    util_put_le16(head + 1, (uint16_t)size);
    if (ring_reserve(&a->out, sizeof(head) + size)) {
        ring_put(&a->out, head, sizeof(head));
        ring_put(&a->out, data, size);
    }
}

static void attach_send_size(attach_t *a)
{
    uint8_t size[4];
    char drop[16];
    while (read(a->resized[0], drop, sizeof(drop)) > 0) {
    }
    uint16_t cols = __atomic_load_n(&a->cols, __ATOMIC_ACQUIRE),
             rows = __atomic_load_n(&a->rows, __ATOMIC_ACQUIRE);
    util_put_le16(size, cols);
    util_put_le16(size + 2, rows);
    if (cols && rows) {
        attach_frame(a, ATTACH_SIZE, size, sizeof(size));
    }
}

/* The byte after Ctrl-A; true when a Ctrl-A is sent. */
static bool attach_command(attach_t *a, uint8_t byte)
{
    switch (byte) {
    case 'x':
    case 'X':
    case 'x' & 0x1f:
    case 'd':
        a->leaving = true;
        return false;
    case 'h':
    case '?':
        attach_print(a, attach_help, sizeof(attach_help) - 1);
        return false;
    default:
        return byte == 'a' || byte == CTRL_A;
    }
}

/* What was typed, without commands. */
static void attach_type(attach_t *a, const uint8_t *data, size_t size, bool commands)
{
    uint8_t kept[ATTACH_FRAME_MAX];
    size_t n = 0;
    for (size_t i = 0; i < size && !a->leaving; i++) {
        if (commands && !a->prefix && data[i] == CTRL_A) {
            a->prefix = true;
        } else if (!a->prefix || attach_command(a, data[i])) {
            kept[n++] = a->prefix ? CTRL_A : data[i];
            a->prefix = false;
        } else {
            a->prefix = false;
        }
    }
    if (n) {
        attach_frame(a, ATTACH_DATA, kept, n);
    }
}

static void attach_read_terminal(attach_t *a, bool commands)
{
    uint8_t data[ATTACH_FRAME_MAX];
    ssize_t got = read(STDIN_FILENO, data, sizeof(data));
    if (got > 0) {
        attach_type(a, data, (size_t)got, commands);
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        a->input_over = true;
    }
}

/* --- From the server --- */

/* Looks for the answer among the plain output before it; false: more has to come. */
static bool attach_find_reply(attach_t *a)
{
    for (size_t i = 0; i < a->in_size; i++) {
        size_t left = a->in_size - i;
        size_t n = left < ATTACH_REPLY_SIZE ? left : ATTACH_REPLY_SIZE;
        if (memcmp(a->in + i, ATTACH_REPLY, n) != 0) {
            continue;
        }
        const uint8_t *end = memchr(a->in + i, '\n', left);
        const char *rest = (const char *)a->in + i + ATTACH_REPLY_SIZE;
        if (!end || n < ATTACH_REPLY_SIZE) {
            memmove(a->in, a->in + i, left);
            a->in_size = left;
            return false;
        }
        size_t length = (size_t)(end - a->in) - i - ATTACH_REPLY_SIZE;
        if (length > 17 && length - 17 < sizeof(a->name) && !memcmp(rest, a->nonce, 16)) {
            memcpy(a->name, rest + 17, length - 17);
            a->greeted = true;
            a->in_size -= (size_t)(end + 1 - a->in);
            memmove(a->in, end + 1, a->in_size);
            return true;
        }
    }
    a->in_size = 0;
    return false;
}

static bool attach_next_frame(attach_t *a)
{
    if (a->in_size < ATTACH_FRAME_HEAD) {
        return false;
    }
    size_t size = util_get_le16(a->in + 1);
    if (size > ATTACH_FRAME_MAX) {
        a->ended = true; /* that is no server of ours */
        return false;
    }
    if (a->in_size < ATTACH_FRAME_HEAD + size) {
        return false;
    }
    if (a->in[0] == ATTACH_DATA) {
        attach_print(a, a->in + ATTACH_FRAME_HEAD, size);
    }
    a->ended |= a->in[0] == ATTACH_CLOSED;
    a->in_size -= ATTACH_FRAME_HEAD + size;
    memmove(a->in, a->in + ATTACH_FRAME_HEAD + size, a->in_size);
    return true;
}

static void attach_read_server(attach_t *a)
{
    ssize_t got = read(a->fd, a->in + a->in_size, sizeof(a->in) - a->in_size);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
        a->ended = true;
        return;
    }
    a->in_size += got > 0 ? (size_t)got : 0;
    if (a->greeted || attach_find_reply(a)) {
        while (attach_next_frame(a)) {
        }
    }
}

/* --- The loop --- */

/* Writes what the descriptor takes; false: it takes nothing any more. */
static bool attach_write(int fd, ring_t *ring)
{
    const uint8_t *piece;
    size_t size = ring_peek(ring, &piece);
    ssize_t put = size ? write(fd, piece, size) : 0;
    if (put < 0) {
        return errno == EINTR || errno == EAGAIN;
    }
    ring_get(ring, NULL, (size_t)put);
    return true;
}

static void attach_on_size(void *opaque, uint16_t cols, uint16_t rows)
{
    attach_t *a = opaque;
    __atomic_store_n(&a->cols, cols, __ATOMIC_RELEASE);
    __atomic_store_n(&a->rows, rows, __ATOMIC_RELEASE);
    ssize_t ignored = write(a->resized[1], "", 1);
    (void)ignored;
}

static bool attach_turn(attach_t *a, bool commands)
{
    struct pollfd fds[4] = {
        {.fd = a->input_over || a->out.size > OUT_MAX ? -1 : STDIN_FILENO, .events = POLLIN},
        {.fd = a->fd,
         .events =
             (short)((a->screen.size < SCREEN_MAX ? POLLIN : 0) | (a->out.size ? POLLOUT : 0))},
        {.fd = a->screen.size ? STDOUT_FILENO : -1, .events = POLLOUT},
        {.fd = a->resized[0], .events = POLLIN},
    };
    if (poll(fds, 4, -1) < 0) {
        return errno == EINTR;
    }
    if (fds[0].revents) {
        attach_read_terminal(a, commands);
    }
    if (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) {
        attach_read_server(a);
    }
    if (fds[3].revents && a->greeted) {
        attach_send_size(a);
    }
    if ((fds[1].revents & POLLOUT) && !attach_write(a->fd, &a->out)) {
        a->ended = true;
    }
    return !fds[2].revents || attach_write(STDOUT_FILENO, &a->screen);
}

static bool attach_begin(attach_t *a)
{
    char line[ATTACH_LINE_MAX];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(a->nonce, sizeof(a->nonce), "%08lx%08lx", (unsigned long)(now.tv_nsec & 0xffffffffl),
             (unsigned long)getpid() & 0xfffffffful);
    host_tty_size(STDOUT_FILENO, &a->cols, &a->rows);
    memcpy(line, ATTACH_HELLO, ATTACH_HELLO_SIZE);
    int n = snprintf(line + ATTACH_HELLO_SIZE, sizeof(line) - ATTACH_HELLO_SIZE, "%s %u %u\n",
                     a->nonce, a->cols, a->rows);
    if (!ring_reserve(&a->out, ATTACH_HELLO_SIZE + (size_t)n) || pipe(a->resized) < 0) {
        return false;
    }
    ring_put(&a->out, line, ATTACH_HELLO_SIZE + (size_t)n);
    for (int i = 0; i < 2; i++) {
        fcntl(a->resized[i], F_SETFL, O_NONBLOCK);
        fcntl(a->resized[i], F_SETFD, FD_CLOEXEC);
    }
    return true;
}

static int attach_connect(const char *where, char *error, size_t error_size)
{
    if (!strncmp(where, "tcp:", 4)) {
        return host_socket_connect_tcp(where + 4, error, error_size);
    }
    const char *path = where + (strncmp(where, "unix:", 5) ? 0 : 5);
    int fd = host_socket_connect_unix(path);
    if (fd < 0) {
        snprintf(error, error_size, "nobody listens there: %s", strerror(errno));
    }
    return fd;
}

int attach_run(const char *where)
{
    attach_t a = {.fd = -1, .resized = {-1, -1}};
    char error[200];
    a.fd = attach_connect(where, error, sizeof(error));
    if (a.fd < 0 || !attach_begin(&a)) {
        fprintf(stderr, "rvkit: -attach %s: %s\n", where, a.fd < 0 ? error : "out of memory");
        if (a.fd >= 0) {
            close(a.fd);
        }
        return EXIT_FAILED;
    }
    signal(SIGPIPE, SIG_IGN);
    bool commands = host_tty_raw(STDIN_FILENO);
    host_tty_left_on(STDOUT_FILENO,
                     host_tty_is(STDOUT_FILENO) ? HOST_TTY_ALTERNATE | HOST_TTY_MODES : 0);
    host_tty_watch(STDOUT_FILENO, attach_on_size, &a);
    while (!a.leaving && !(a.ended && !a.screen.size) &&
           !(a.input_over && !a.out.size && !a.greeted)) {
        if (!attach_turn(&a, commands)) {
            break;
        }
    }
    host_tty_unwatch();
    host_tty_restore();
    fprintf(stderr, "\nrvkit: %s %s\n",
            a.leaving   ? "left"
            : a.greeted ? "the machine has ended:"
                        : "no console at",
            a.greeted ? a.name : where);
    ring_free(&a.out);
    ring_free(&a.screen);
    close(a.fd);
    close(a.resized[0]);
    close(a.resized[1]);
    return a.leaving || a.greeted ? 0 : EXIT_FAILED;
}
