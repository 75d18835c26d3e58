/* SPDX-License-Identifier: MPL-2.0 */
/*
 * <rvvm/chardev.h>: a stream of bytes between an I/O device (UART, console) and a back end (terminal,
 * file, socket).
 *
 * The I/O device owns the back end: it sets io_dev and notify once, before the machine runs, and calls
 * chardev_free() when it is removed. The back end locks for itself, and calls chardev_notify() outside
 * its lock. A NULL chardev swallows output and never has input. Use designated initialisers: the order
 * of the members differs between versions of this API.
 * Threads: read, write and poll are called from hart threads or from within notify, concurrently with
 * the back end's own threads; update from the event loop.
 */
#ifndef RVVM_CHARDEV_H
#define RVVM_CHARDEV_H

#include <rvvm/rvvm_base.h>

RVVM_EXTERN_C_BEGIN

/* What poll returns and notify tells: there is input; there is room for output. */
#define CHARDEV_RX 0x1
#define CHARDEV_TX 0x2

typedef struct rvvm_chardev chardev_t;

struct rvvm_chardev {
    /* CHARDEV_* bits that hold now. */
    uint32_t (*poll)(chardev_t *dev);

    /* Moves at most nbytes and returns how many; never blocks. */
    size_t (*read)(chardev_t *dev, void *buf, size_t nbytes);
    size_t (*write)(chardev_t *dev, const void *buf, size_t nbytes);

    /* Set by the I/O device; called by the back end when bits of poll have become set. */
    void (*notify)(void *io_dev, uint32_t flags);

    /* Called by the I/O device about every 16 ms from the event loop. */
    void (*update)(chardev_t *dev);

    /* Frees the back end. */
    void (*remove)(chardev_t *dev);

    void *data;   /* the back end's own */
    void *io_dev; /* the I/O device's own: the argument of notify */
};

static inline uint32_t chardev_poll(chardev_t *dev)
{
    return dev && dev->poll ? dev->poll(dev) : CHARDEV_TX;
}

static inline size_t chardev_read(chardev_t *dev, void *buf, size_t nbytes)
{
    return dev && dev->read ? dev->read(dev, buf, nbytes) : 0;
}

static inline size_t chardev_write(chardev_t *dev, const void *buf, size_t nbytes)
{
    return dev && dev->write ? dev->write(dev, buf, nbytes) : nbytes;
}

static inline void chardev_free(chardev_t *dev)
{
    if (dev && dev->remove) {
        dev->remove(dev);
    }
}

static inline void chardev_update(chardev_t *dev)
{
    if (dev && dev->update) {
        dev->update(dev);
    }
}

static inline void chardev_notify(chardev_t *dev, uint32_t flags)
{
    if (dev && dev->notify) {
        dev->notify(dev->io_dev, flags);
    }
}

/*
 * The process's terminal, two descriptors, a pty or pipe by name: RVVM's sources name these; here the program
 * that links them provides them, since the library touches no terminal.
 */
chardev_t *chardev_term_create(void);
chardev_t *chardev_fd_create(int rfd, int wfd);
chardev_t *chardev_pty_create(const char *path);

RVVM_EXTERN_C_END

#endif
