/* SPDX-License-Identifier: MPL-2.0 */
/*
 * <rvvm/rvvm_region.h>: devices as regions, the newer form of the MMIO calls of <rvvm/rvvm.h>.
 *
 * A region's handlers cannot refuse an access. Everything said there about sizes, threads and ownership
 * holds here too.
 */
#ifndef RVVM_REGION_H
#define RVVM_REGION_H

#include <rvvm/rvvm_base.h>

RVVM_EXTERN_C_BEGIN

#define RVVM_REG_ATTR_RSV 0x01 /* reserved: the region is described but never accessed */
#define RVVM_REG_ATTR_ROM 0x02 /* writes are ignored */
#define RVVM_REG_ATTR_FIX 0x04 /* the address may not be moved to a free one */
#define RVVM_REG_ATTR_PIO 0x08 /* port I/O: such regions are refused, there are no ports on RISC-V */

/* What a kind of device implements; every callback may be NULL. Static storage. */
typedef struct {
    const char *name;

    /* Hart threads, concurrently. `off` is aligned to `size`. */
    void (*read)(rvvm_reg_dev_t *dev, void *data, size_t size, size_t off);
    void (*write)(rvvm_reg_dev_t *dev, const void *data, size_t size, size_t off);

    /* Event loop, about every 16 ms. */
    void (*poll)(rvvm_reg_dev_t *dev);

    /* With the harts stopped. */
    void (*reset)(rvvm_reg_dev_t *dev);
    void (*suspend)(rvvm_reg_dev_t *dev, rvvm_snapshot_t *snap, bool resume);

    /* Frees the device's data; also called when attaching fails. */
    void (*cleanup)(rvvm_reg_dev_t *dev);

    /* Access sizes the handlers take, in bytes; 0 is no limit (1 and 8). Rounded up to powers of two. */
    uint32_t min_size;
    uint32_t max_size;
} rvvm_reg_type_t;

typedef struct {
    rvvm_addr_t addr;
    size_t size; /* bytes; 0 is a placeholder that only gets poll, reset and cleanup */
    void *data;  /* the device's own */
    void *mmap;  /* host memory behind the region; then the handlers are not called */
    const rvvm_reg_type_t *type;
    uint32_t attr;
} rvvm_reg_desc_t;

/*
 * Attaches a region; a taken address moves to the next free one unless RVVM_REG_ATTR_FIX is set.
 * On failure, or with a NULL machine, the device is cleaned up and NULL comes back.
 */
RVVM_PUBLIC rvvm_reg_dev_t *rvvm_region_init(rvvm_machine_t *machine, const rvvm_reg_desc_t *desc);

/* Takes a region out of a machine and cleans it up. Never from the device's own callbacks. */
RVVM_PUBLIC void rvvm_region_remove(rvvm_reg_dev_t *dev);

RVVM_PUBLIC void *rvvm_region_data(rvvm_reg_dev_t *dev);
RVVM_PUBLIC rvvm_machine_t *rvvm_region_machine(rvvm_reg_dev_t *dev);

/* False when the handle is NULL. */
RVVM_PUBLIC bool rvvm_region_get_desc(rvvm_reg_dev_t *dev, rvvm_reg_desc_t *desc);

/* Moves, resizes or remaps a region while the harts are held; false when the new place is taken. */
RVVM_PUBLIC bool rvvm_region_set_desc(rvvm_reg_dev_t *dev, const rvvm_reg_desc_t *desc);

/* Cleans up a device that was never attached. */
static inline void rvvm_region_free_desc(const rvvm_reg_desc_t *desc)
{
    rvvm_region_init(NULL, desc);
}

static inline bool rvvm_region_relocate(rvvm_reg_dev_t *dev, rvvm_addr_t addr)
{
    rvvm_reg_desc_t desc;
    if (!rvvm_region_get_desc(dev, &desc)) {
        return false;
    }
    desc.addr = addr;
    return rvvm_region_set_desc(dev, &desc);
}

/* rvvm_region_init(), and tells in *desc where the region came to lie. */
static inline rvvm_reg_dev_t *rvvm_region_init_auto(rvvm_machine_t *machine, rvvm_reg_desc_t *desc)
{
    rvvm_reg_dev_t *dev = rvvm_region_init(machine, desc);
    rvvm_region_get_desc(dev, desc);
    return dev;
}

RVVM_EXTERN_C_END

#endif
