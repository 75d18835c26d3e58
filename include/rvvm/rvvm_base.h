/* SPDX-License-Identifier: MPL-2.0 */
/*
 * <rvvm/rvvm_base.h>: types and macros that every public header shares.
 */
#ifndef RVVM_BASE_H
#define RVVM_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define RVVM_EXTERN_C_BEGIN extern "C" {
#define RVVM_EXTERN_C_END }
#else
#define RVVM_EXTERN_C_BEGIN
#define RVVM_EXTERN_C_END
#endif

/* A symbol that librvkit.so exports. */
#if defined(__GNUC__)
#define RVVM_PUBLIC __attribute__((__visibility__("default")))
#else
#define RVVM_PUBLIC
#endif
#ifndef PUBLIC
#define PUBLIC RVVM_PUBLIC
#endif

/* The API is upstream's of 2026, which calls itself unstable with this number. */
#define RVVM_ABI_VERSION (-1)

/* Where RAM starts in guest physical memory. */
#define RVVM_DEFAULT_MEMBASE 0x80000000U

/* A guest physical address, in bytes. */
typedef uint64_t rvvm_addr_t;

/* The number of a wired interrupt at its controller; 0 is none. */
typedef uint32_t rvvm_irq_t;

/* Opaque handles. */
typedef struct rvvm_machine_t rvvm_machine_t;
typedef struct rvvm_reg_dev rvvm_reg_dev_t;
typedef struct rvvm_irq_dev rvvm_irq_dev_t;
typedef struct rvvm_irq_dev rvvm_intc_t;
typedef struct rvvm_snapshot rvvm_snapshot_t;
typedef struct rvvm_blk_dev rvvm_blk_dev_t;
typedef struct rvvm_pci_bus rvvm_pci_bus_t;
typedef struct rvvm_pci_bus pci_bus_t;
typedef struct rvvm_i2c_bus rvvm_i2c_bus_t;
typedef struct rvvm_i2c_bus i2c_bus_t;
typedef struct fdt_node rvvm_fdt_node_t;

/* An attached MMIO region; its fields are in <rvvm/rvvm.h>. */
typedef struct rvvm_mmio_dev_t rvvm_mmio_dev_t;

#endif
