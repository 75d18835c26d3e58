/* SPDX-License-Identifier: MPL-2.0 */
/*
 * <rvvm/rvvm_fdt.h>: building and reading Flattened Device Trees (Devicetree Specification, v0.4).
 *
 * Ownership: attaching a node gives it to its parent; freeing a node frees its children; names and
 * values are copied. Calls accept NULL nodes and do nothing then. When memory runs out, a call that
 * returns nothing leaves the tree as it was.
 * Threads: one thread at a time per tree; the tree of a machine is built before the machine runs.
 */
#ifndef RVVM_FDT_H
#define RVVM_FDT_H

#include <rvvm/rvvm_base.h>

RVVM_EXTERN_C_BEGIN

/* A new node; the root has no name (NULL). NULL when there is no memory. */
RVVM_PUBLIC rvvm_fdt_node_t *rvvm_fdt_init(const char *name);

/* A new node called name@addr, with addr in hexadecimal. */
RVVM_PUBLIC rvvm_fdt_node_t *rvvm_fdt_init_reg(const char *name, uint64_t addr);

/* Moves a node (with its children) under a parent, at the end; a NULL parent frees it. */
RVVM_PUBLIC void rvvm_fdt_attach(rvvm_fdt_node_t *parent, rvvm_fdt_node_t *child);

static inline void rvvm_fdt_free(rvvm_fdt_node_t *node)
{
    rvvm_fdt_attach(NULL, node);
}

/*
 * Writes the tree as a blob of version 17 and returns its size in bytes. With a NULL buffer, only the
 * size; 0 when the buffer is too small or memory runs out.
 */
RVVM_PUBLIC size_t rvvm_fdt_serialize(rvvm_fdt_node_t *node, void *buff, size_t size);

static inline size_t rvvm_fdt_size(rvvm_fdt_node_t *node)
{
    return rvvm_fdt_serialize(node, NULL, 0);
}

/* Reads a blob of `size` bytes; NULL when it is not a sound one. The caller frees the tree. */
RVVM_PUBLIC rvvm_fdt_node_t *rvvm_fdt_parse(const void *blob, size_t size);

/* A child by its full name; NULL when there is none. */
RVVM_PUBLIC rvvm_fdt_node_t *rvvm_fdt_find(rvvm_fdt_node_t *node, const char *name);

/* A child called name@addr; UINT64_MAX takes the first name@anything. */
RVVM_PUBLIC rvvm_fdt_node_t *rvvm_fdt_find_reg(rvvm_fdt_node_t *node, const char *name, uint64_t addr);

static inline rvvm_fdt_node_t *rvvm_fdt_find_reg_any(rvvm_fdt_node_t *node, const char *name)
{
    return rvvm_fdt_find_reg(node, name, UINT64_MAX);
}

/* The node's phandle, given to it now when it has none; 0 on failure. Attach the node first. */
RVVM_PUBLIC uint32_t rvvm_fdt_phandle(rvvm_fdt_node_t *node);

/* Sets a property, replacing an earlier value. `data` may be NULL when size is 0. */
RVVM_PUBLIC void rvvm_fdt_prop_set(rvvm_fdt_node_t *node, const char *name, const void *data,
                                   size_t size);

/* Sets a property to 32-bit cells, given in host order. */
RVVM_PUBLIC void rvvm_fdt_prop_set_cells(rvvm_fdt_node_t *node, const char *name,
                                         const uint32_t *cells, size_t count);

/* Sets a property to one string. */
RVVM_PUBLIC void rvvm_fdt_prop_set_str(rvvm_fdt_node_t *node, const char *name, const char *str);

RVVM_PUBLIC void rvvm_fdt_prop_del(rvvm_fdt_node_t *node, const char *name);

/* A property's bytes, valid until it changes, or NULL when it is absent. An empty one is not NULL. */
RVVM_PUBLIC const void *rvvm_fdt_prop_get(rvvm_fdt_node_t *node, const char *name, size_t *size);

static inline void rvvm_fdt_prop_set_flag(rvvm_fdt_node_t *node, const char *name)
{
    rvvm_fdt_prop_set(node, name, NULL, 0);
}

static inline void rvvm_fdt_prop_set_u32(rvvm_fdt_node_t *node, const char *name, uint32_t val)
{
    rvvm_fdt_prop_set_cells(node, name, &val, 1);
}

static inline void rvvm_fdt_prop_set_u64(rvvm_fdt_node_t *node, const char *name, uint64_t val)
{
    const uint32_t cells[2] = {(uint32_t)(val >> 32), (uint32_t)val};
    rvvm_fdt_prop_set_cells(node, name, cells, 2);
}

/* A range as two address cells and two size cells. */
static inline void rvvm_fdt_prop_set_reg(rvvm_fdt_node_t *node, const char *name, uint64_t addr,
                                         uint64_t size)
{
    const uint32_t cells[4] = {(uint32_t)(addr >> 32), (uint32_t)addr, (uint32_t)(size >> 32),
                               (uint32_t)size};
    rvvm_fdt_prop_set_cells(node, name, cells, 4);
}

/* A list of strings, given as one literal: "one\0two". */
#define rvvm_fdt_prop_set_str_list(node, name, list) rvvm_fdt_prop_set(node, name, list, sizeof(list))

/* The earlier names of the same calls. */
static inline rvvm_fdt_node_t *fdt_node_create(const char *name)
{
    return rvvm_fdt_init(name);
}

static inline rvvm_fdt_node_t *fdt_node_create_reg(const char *name, uint64_t addr)
{
    return rvvm_fdt_init_reg(name, addr);
}

static inline void fdt_node_add_child(rvvm_fdt_node_t *node, rvvm_fdt_node_t *child)
{
    rvvm_fdt_attach(node, child);
}

static inline rvvm_fdt_node_t *fdt_node_find(rvvm_fdt_node_t *node, const char *name)
{
    return rvvm_fdt_find(node, name);
}

static inline rvvm_fdt_node_t *fdt_node_find_reg(rvvm_fdt_node_t *node, const char *name, uint64_t addr)
{
    return rvvm_fdt_find_reg(node, name, addr);
}

static inline rvvm_fdt_node_t *fdt_node_find_reg_any(rvvm_fdt_node_t *node, const char *name)
{
    return rvvm_fdt_find_reg_any(node, name);
}

static inline uint32_t fdt_node_get_phandle(rvvm_fdt_node_t *node)
{
    return rvvm_fdt_phandle(node);
}

static inline void fdt_node_add_prop(rvvm_fdt_node_t *node, const char *name, const void *data,
                                     uint32_t len)
{
    rvvm_fdt_prop_set(node, name, data, len);
}

static inline void fdt_node_add_prop_u32(rvvm_fdt_node_t *node, const char *name, uint32_t val)
{
    rvvm_fdt_prop_set_u32(node, name, val);
}

static inline void fdt_node_add_prop_u64(rvvm_fdt_node_t *node, const char *name, uint64_t val)
{
    rvvm_fdt_prop_set_u64(node, name, val);
}

static inline void fdt_node_add_prop_cells(rvvm_fdt_node_t *node, const char *name,
                                           const uint32_t *cells, uint32_t count)
{
    rvvm_fdt_prop_set_cells(node, name, cells, count);
}

static inline void fdt_node_add_prop_str(rvvm_fdt_node_t *node, const char *name, const char *val)
{
    rvvm_fdt_prop_set_str(node, name, val);
}

static inline void fdt_node_add_prop_reg(rvvm_fdt_node_t *node, const char *name, uint64_t begin,
                                         uint64_t size)
{
    rvvm_fdt_prop_set_reg(node, name, begin, size);
}

/* True when the property was there. */
static inline bool fdt_node_del_prop(rvvm_fdt_node_t *node, const char *name)
{
    bool present = rvvm_fdt_prop_get(node, name, NULL) != NULL;
    rvvm_fdt_prop_del(node, name);
    return present;
}

static inline void fdt_node_free(rvvm_fdt_node_t *node)
{
    rvvm_fdt_free(node);
}

static inline size_t fdt_size(rvvm_fdt_node_t *node)
{
    return rvvm_fdt_size(node);
}

/* The blob's boot CPU is always 0. */
static inline size_t fdt_serialize(rvvm_fdt_node_t *node, void *buffer, size_t size, uint32_t boot_cpuid)
{
    (void)boot_cpuid;
    return rvvm_fdt_serialize(node, buffer, size);
}

RVVM_EXTERN_C_END

#endif
