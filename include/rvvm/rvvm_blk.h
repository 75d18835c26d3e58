/* SPDX-License-Identifier: MPL-2.0 */
/*
 * <rvvm/rvvm_blk.h>: random access storage behind one handle: an image in memory, or whatever a program
 * implements.
 *
 * Threads: any thread, concurrently, as far as the implementation's callbacks allow it; closing comes
 * last and once. NULL handles have size 0 and fail every call.
 */
#ifndef RVVM_BLK_H
#define RVVM_BLK_H

#include <rvvm/rvvm_base.h>

RVVM_EXTERN_C_BEGIN

#define RVVM_BLK_READ 0x01
#define RVVM_BLK_WRITE 0x02
#define RVVM_BLK_RW 0x03
#define RVVM_BLK_GROW 0x80 /* writes behind the end make it longer */

/* What an implementation provides; every callback may be NULL. Static storage. */
typedef struct {
    const char *name;
    void (*close)(rvvm_blk_dev_t *blk);
    uint64_t (*get_size)(rvvm_blk_dev_t *blk);
    bool (*set_size)(rvvm_blk_dev_t *blk, uint64_t size);

    /* `size` bytes at byte `off`; return how many were moved. The range was checked to be inside. */
    size_t (*read)(rvvm_blk_dev_t *blk, void *dst, size_t size, uint64_t off);
    size_t (*write)(rvvm_blk_dev_t *blk, const void *src, size_t size, uint64_t off);
    bool (*sync)(rvvm_blk_dev_t *blk);
    bool (*trim)(rvvm_blk_dev_t *blk, uint64_t off, uint64_t size);
} rvvm_blk_cb_t;

/* A new handle without an implementation; NULL when there is no memory. */
RVVM_PUBLIC rvvm_blk_dev_t *rvvm_blk_init(void);

/* Gives a handle its implementation; opts are RVVM_BLK_* rights. */
RVVM_PUBLIC void rvvm_blk_register_cb(rvvm_blk_dev_t *blk, const rvvm_blk_cb_t *cb, uint32_t opts);
RVVM_PUBLIC void rvvm_blk_set_data(rvvm_blk_dev_t *blk, void *data);
RVVM_PUBLIC void *rvvm_blk_get_data(rvvm_blk_dev_t *blk);

/* An empty image in memory that may be read, written and grown. */
RVVM_PUBLIC rvvm_blk_dev_t *rvkit_blk_open_memory(void);

/* Calls the implementation's close and frees the handle. */
RVVM_PUBLIC void rvvm_blk_close(rvvm_blk_dev_t *blk);

/* Bytes. */
RVVM_PUBLIC uint64_t rvvm_blk_get_size(rvvm_blk_dev_t *blk);
RVVM_PUBLIC bool rvvm_blk_set_size(rvvm_blk_dev_t *blk, uint64_t size);

/* Return how many bytes were moved: fewer at the end of the image, 0 on an error. */
RVVM_PUBLIC size_t rvvm_blk_read(rvvm_blk_dev_t *blk, void *dst, size_t size, uint64_t off);
RVVM_PUBLIC size_t rvvm_blk_write(rvvm_blk_dev_t *blk, const void *src, size_t size, uint64_t off);
RVVM_PUBLIC bool rvvm_blk_sync(rvvm_blk_dev_t *blk);

/* Tells that a range is not needed any more; its bytes may read as anything afterwards. */
RVVM_PUBLIC bool rvvm_blk_trim(rvvm_blk_dev_t *blk, uint64_t off, uint64_t size);

RVVM_EXTERN_C_END

#endif
