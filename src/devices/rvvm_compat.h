/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The one header that hides the differences between the versions of RVVM's device API. A device that
 * includes this, and nothing else of the machine, compiles in three places:
 *   RVVM_COMPAT_RVKIT  here, over <rvvm/...>
 *   RVVM_COMPAT_2026   in RVVM's tree of 2026 (public headers in include/rvvm, IRQ lines by rvvm_irq_*)
 *   RVVM_COMPAT_ABI7   in RVVM's v0.7 (rvvmlib.h, IRQ lines by plic_*)
 *
 * What a device may count on everywhere: rvvm_mmio_dev_t, rvvm_attach_mmio(), rvvm_mmio_zone_auto(),
 * rvvm_get_dma_ptr(), rvvm_get_opt() with RVVM_OPT_MEM_BASE and RVVM_OPT_MEM_SIZE, fdt_node_*(),
 * chardev_t, spinlock_t with spin_*(), read_/write_uintN_le_m(), rvvm_info/warn/error(), the snapshot
 * calls (which fail where there are none), and what this file adds:
 *   compat_irq_t             the device's own interrupt line
 *   COMPAT_MMIO_SUSPEND(fn)  an initialiser of rvvm_mmio_type_t, where the type has that member
 *   compat_fence()           a full memory barrier
 * In RVVM's trees, a file that defines COMPAT_HOST first (upstream/rvkit_virtio.c) also gets RVVM's block
 * images as compat_blk_*(), its threads, TAP and memory calls.
 * Allocate with calloc() and check the result.
 */
#ifndef RVKIT_DEVICES_RVVM_COMPAT_H
#define RVKIT_DEVICES_RVVM_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_include)
#if __has_include(<rvvm/rvkit.h>)
#define RVVM_COMPAT_RVKIT 1
#elif __has_include(<rvvm/rvvm.h>)
#define RVVM_COMPAT_2026 1
#endif
#endif
#if !defined(RVVM_COMPAT_RVKIT) && !defined(RVVM_COMPAT_2026)
#define RVVM_COMPAT_ABI7 1
#endif

#if defined(RVVM_COMPAT_RVKIT)
#include <rvvm/compat.h>
#define COMPAT_MMIO_SUSPEND(fn) .suspend = (fn),
#elif defined(RVVM_COMPAT_2026)
#include <rvvm/rvvm.h>
#include <rvvm/rvvm_fdt.h>
#include <rvvm/rvvm_irq.h>
#include <rvvm/rvvm_snapshot.h>

#include "chardev.h"
#include "fdtlib.h"
#include "mem_ops.h"
#include "spinlock.h"
#include "utils.h"
#undef free
#undef NOINLINE
#define COMPAT_MMIO_SUSPEND(fn)
#ifndef RVVM_DEFAULT_MEMBASE
#define RVVM_DEFAULT_MEMBASE 0x80000000U
#endif
#else
#include "chardev.h"
#include "fdtlib.h"
#include "mem_ops.h"
#include "plic.h"
#include "rvvmlib.h"
#include "spinlock.h"
#include "utils.h"
#undef free
#undef NOINLINE
#define COMPAT_MMIO_SUSPEND(fn)

typedef struct fdt_node rvvm_fdt_node_t;
typedef plic_ctx_t rvvm_intc_t;

/* There are no snapshots: nothing calls suspend, and every call fails. */
typedef struct rvvm_snapshot rvvm_snapshot_t;
static inline bool rvvm_snapshot_section(rvvm_snapshot_t *snap, const char *name)
{
    return snap && name && false;
}
static inline bool rvvm_snapshot_writing(rvvm_snapshot_t *snap)
{
    return snap && false;
}
static inline bool rvvm_snapshot_data(rvvm_snapshot_t *snap, void *data, size_t size)
{
    return snap && data && size && false;
}
static inline bool rvvm_snapshot_host(rvvm_snapshot_t *snap, void *data, size_t size)
{
    return snap && data && size && false;
}
#ifndef rvvm_snapshot_field
#define rvvm_snapshot_field(snap, field) rvvm_snapshot_host(snap, &(field), sizeof(field))
#endif
#endif

/*
 * A device's own interrupt line. On a machine without an interrupt controller the device works too, and
 * nobody hears it. compat_irq_set(): any thread; callers see to it that levels of one line stay in order.
 */
typedef struct {
    rvvm_intc_t *intc;
    uint32_t irq;
    bool owned;
} compat_irq_t;

#ifdef RVVM_COMPAT_ABI7

/* irq 0: any free line. False when there is none. */
static inline bool compat_irq_init(compat_irq_t *line, rvvm_machine_t *machine, uint32_t irq)
{
    line->intc = rvvm_get_plic(machine);
    line->irq = irq || !line->intc ? irq : plic_alloc_irq(line->intc);
    line->owned = false;
    return line->irq || !line->intc;
}

static inline void compat_irq_set(const compat_irq_t *line, bool level)
{
    if (!line->intc) {
        return;
    }
    if (level) {
        plic_raise_irq(line->intc, line->irq);
    } else {
        plic_lower_irq(line->intc, line->irq);
    }
}

static inline void compat_irq_describe(const compat_irq_t *line, rvvm_fdt_node_t *node)
{
    if (line->intc) {
        fdt_node_add_prop_u32(node, "interrupt-parent", plic_get_phandle(line->intc));
        fdt_node_add_prop_u32(node, "interrupts", line->irq);
    }
}

/* Lowers the line and gives it back. */
static inline void compat_irq_free(compat_irq_t *line)
{
    compat_irq_set(line, false);
}

#else

static inline bool compat_irq_init(compat_irq_t *line, rvvm_machine_t *machine, uint32_t irq)
{
    line->intc = rvvm_get_intc(machine);
    line->irq = irq;
    if (irq) {
        line->owned = rvvm_irq_alloc_exact(line->intc, irq);
        return true;
    }
    line->irq = rvvm_irq_alloc(line->intc, 0);
    line->owned = line->irq != RVVM_IRQ_INVALID;
    return line->owned || !line->intc;
}

static inline void compat_irq_set(const compat_irq_t *line, bool level)
{
    rvvm_irq_set(line->intc, line->irq, level);
}

static inline void compat_irq_describe(const compat_irq_t *line, rvvm_fdt_node_t *node)
{
    if (line->intc) {
        rvvm_irq_fdt_describe(node, line->intc, line->irq);
    }
}

static inline void compat_irq_free(compat_irq_t *line)
{
    compat_irq_set(line, false);
    if (line->owned) {
        rvvm_irq_dealloc(line->intc, line->irq);
    }
}

#endif

#if defined(COMPAT_HOST) && !defined(RVVM_COMPAT_RVKIT)
#include "blk_io.h"
#include "tap_api.h"
#include "threading.h"
#include "vma_ops.h"
#undef free
#undef NOINLINE

#ifdef RVVM_COMPAT_ABI7
#define COMPAT_OPT_HARTS RVVM_OPT_HART_COUNT
typedef blkdev_t compat_blk_t;

static inline compat_blk_t *compat_blk_open(const char *path, bool write)
{
    return blk_open(path, write ? BLKDEV_RW : 0);
}

static inline void compat_blk_close(compat_blk_t *blk)
{
    blk_close(blk);
}

static inline uint64_t compat_blk_size(compat_blk_t *blk)
{
    return blk_getsize(blk);
}

static inline size_t compat_blk_read(compat_blk_t *blk, void *dst, size_t size, uint64_t offset)
{
    return blk_read(blk, dst, size, offset);
}

static inline size_t compat_blk_write(compat_blk_t *blk, const void *src, size_t size, uint64_t offset)
{
    return blk_write(blk, src, size, offset);
}

/* Raw images, the only kind there is, have no sync call: behind them is a file. */
static inline bool compat_blk_sync(compat_blk_t *blk)
{
    return blk->type->sync ? blk_sync(blk) : rvfsync(blk->data);
}

static inline void compat_blk_trim(compat_blk_t *blk, uint64_t offset, uint64_t size)
{
    blk_trim(blk, offset, size);
}
#else
#include <rvvm/rvvm_blk.h>
#define COMPAT_OPT_HARTS RVVM_OPT_CPU_COUNT
typedef rvvm_blk_dev_t compat_blk_t;

static inline compat_blk_t *compat_blk_open(const char *path, bool write)
{
    return rvvm_blk_open(path, NULL, write ? RVVM_BLK_RW : RVVM_BLK_READ);
}

static inline void compat_blk_close(compat_blk_t *blk)
{
    rvvm_blk_close(blk);
}

static inline uint64_t compat_blk_size(compat_blk_t *blk)
{
    return rvvm_blk_get_size(blk);
}

static inline size_t compat_blk_read(compat_blk_t *blk, void *dst, size_t size, uint64_t offset)
{
    return rvvm_blk_read(blk, dst, size, offset);
}

static inline size_t compat_blk_write(compat_blk_t *blk, const void *src, size_t size, uint64_t offset)
{
    return rvvm_blk_write(blk, src, size, offset);
}

static inline bool compat_blk_sync(compat_blk_t *blk)
{
    return rvvm_blk_sync(blk);
}

static inline void compat_blk_trim(compat_blk_t *blk, uint64_t offset, uint64_t size)
{
    rvvm_blk_trim(blk, offset, size);
}
#endif
#endif

/*
 * ThreadSanitizer knows no fences; there a sequentially consistent operation stands in, in rvkit on the word
 * that the harts' fences use too (src/fence.c), so that guest and device are seen to order each other.
 */
#if defined(__SANITIZE_THREAD__)
#define COMPAT_NO_FENCES 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COMPAT_NO_FENCES 1
#endif
#endif

#if defined(COMPAT_NO_FENCES) && defined(RVKIT_VERSION)
void rvkit_fence_in_order(void);
#endif

static inline void compat_fence(void)
{
#if defined(COMPAT_NO_FENCES) && defined(RVKIT_VERSION)
    rvkit_fence_in_order();
#elif defined(COMPAT_NO_FENCES)
    uint32_t dummy = 0;
    __atomic_fetch_add(&dummy, 1, __ATOMIC_SEQ_CST);
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/*
 * After an acquiring load of what a guest published with a fence, and before a releasing store of what it
 * will read with one: nothing to do, but ThreadSanitizer has to see the guest's fence matched.
 */
static inline void compat_match_fence(void)
{
#ifdef COMPAT_NO_FENCES
    compat_fence();
#endif
}

#endif
