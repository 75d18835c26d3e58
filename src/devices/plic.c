/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The platform-level interrupt controller. Chapters in quotes are those of the RISC-V PLIC
 * specification 1.0.0.
 *
 * "Interrupt Gateways": each source has one, and at most one request of it is under way: from the moment the
 * request becomes pending until the handler completes it. A request is never taken back: a line that
 * falls before the claim leaves its pending bit behind. On completion a line that is still high asks
 * again. Edges (rvvm_irq_send) between claim and completion are kept as one request. A device may also
 * make its edges by raising and lowering the line; the gateway tells those from levels at the claim: a
 * line that is low by then was pulsed, and further pulses are kept too; a line that is high is a level,
 * and only its state at the completion counts.
 *
 * Priorities and thresholds are 3 bits wide; priority 0 never interrupts, ties go to the lower number.
 */
#include "plic.h"

#include <rvvm/compat.h>

#include "../util.h"

enum {
    PLIC_SOURCES = 64, /* with source 0, which does not exist */
    PLIC_PRIO_MASK = 7,
    PLIC_SIZE = 0x4000000,

    PLIC_PRIORITY = 0x0,     /* one word per source */
    PLIC_PENDING = 0x1000,   /* one bit per source */
    PLIC_ENABLE = 0x2000,    /* one bit per source, 0x80 bytes per context */
    PLIC_CONTEXT = 0x200000, /* 0x1000 bytes per context: */
    PLIC_THRESHOLD = 0x0,
    PLIC_CLAIM = 0x4,
};

typedef struct {
    uint64_t enable;
    uint8_t threshold;
    bool eip; /* the level of the hart's external interrupt line */
} plic_context_t;

typedef struct {
    spinlock_t lock; /* guards everything below it */
    const irq_host_t *host;
    rvvm_irq_dev_t *irq_dev;
    rvvm_mmio_dev_t *region;

    /* One bit per source. */
    uint64_t level;   /* the line is high */
    uint64_t pending; /* the request waits to be claimed */
    uint64_t claimed; /* the request was claimed and not completed */
    uint64_t pulsed;  /* claimed, and the line was low at the claim */
    uint64_t again;   /* one more pulse came since the claim */
    uint8_t priority[PLIC_SOURCES];

    uint32_t contexts;
    plic_context_t context[];
} plic_t;

/* The source that a context would claim: the highest priority, then the lowest number; 0 for none. */
static uint32_t plic_best(const plic_t *plic, const plic_context_t *ctx)
{
    uint64_t candidates = plic->pending & ctx->enable;
    uint32_t best = 0;
    while (candidates) {
        uint32_t irq = (uint32_t)__builtin_ctzll(candidates);
        if (plic->priority[irq] > plic->priority[best]) {
            best = irq;
        }
        candidates &= candidates - 1;
    }
    return best; /* priority[0] is always 0 */
}

static void plic_drive_line(plic_t *plic, uint32_t index)
{
    unsigned line = (index & 1) ? IRQ_HOST_SEIP : IRQ_HOST_MEIP;
    plic->host->set_irq(plic->host->opaque, index >> 1, line, plic->context[index].eip);
}

/* Brings the lines of all contexts up to date; call after any change, with the lock held. */
static void plic_update(plic_t *plic)
{
    for (uint32_t i = 0; i < plic->contexts; i++) {
        plic_context_t *ctx = &plic->context[i];
        bool eip = plic->priority[plic_best(plic, ctx)] > ctx->threshold;
        if (eip != ctx->eip) {
            ctx->eip = eip;
            plic_drive_line(plic, i);
        }
    }
}

/* A request of a source: pends now, or when the one before is completed. */
static void plic_request(plic_t *plic, uint64_t bit, bool keep)
{
    if (!(plic->claimed & bit)) {
        plic->pending |= bit;
        plic_update(plic);
    } else if (keep) {
        plic->again |= bit;
    }
}

static void plic_set_irq(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq, bool lvl)
{
    plic_t *plic = rvvm_irq_dev_data(irq_dev);
    if (irq == 0 || irq >= PLIC_SOURCES) {
        return;
    }
    uint64_t bit = UINT64_C(1) << irq;
    spin_lock(&plic->lock);
    if (!lvl) {
        plic->level &= ~bit;
    } else if (!(plic->level & bit)) {
        plic->level |= bit;
        plic_request(plic, bit, plic->pulsed & bit);
    }
    spin_unlock(&plic->lock);
}

static void plic_send_irq_edge(rvvm_irq_dev_t *irq_dev, rvvm_irq_t irq)
{
    plic_t *plic = rvvm_irq_dev_data(irq_dev);
    if (irq > 0 && irq < PLIC_SOURCES) {
        spin_lock(&plic->lock);
        plic_request(plic, UINT64_C(1) << irq, true);
        spin_unlock(&plic->lock);
    }
}

/* Reading the claim register: the threshold does not matter here ("Interrupt Claim Process"). */
static uint32_t plic_claim(plic_t *plic, uint32_t index)
{
    uint32_t irq = plic_best(plic, &plic->context[index]);
    if (irq) {
        uint64_t bit = UINT64_C(1) << irq;
        plic->pending &= ~bit;
        plic->claimed |= bit;
        plic->pulsed = (plic->pulsed & ~bit) | (~plic->level & bit);
        plic_update(plic);
    }
    return irq;
}

/* Writing the claim register: ignored unless the context enables the source ("Interrupt Completion"). */
static void plic_complete(plic_t *plic, uint32_t index, uint32_t irq)
{
    uint64_t bit = irq < PLIC_SOURCES ? UINT64_C(1) << irq : 0;
    if (!(bit & plic->context[index].enable & plic->claimed)) {
        return;
    }
    plic->claimed &= ~bit;
    plic->pending |= (plic->level | plic->again) & bit;
    plic->again &= ~bit;
    plic_update(plic);
}

/* Words 0 and 1 of a bit mask over the sources; further words are zero and stay so. */
static uint32_t plic_mask_word(uint64_t mask, size_t word)
{
    return word < 2 ? (uint32_t)(mask >> (word * 32)) : 0;
}

static uint32_t plic_read_context(plic_t *plic, size_t offset)
{
    size_t index = (offset - PLIC_CONTEXT) >> 12;
    if (index >= plic->contexts) {
        return 0;
    }
    switch (offset & 0xFFF) {
    case PLIC_THRESHOLD:
        return plic->context[index].threshold;
    case PLIC_CLAIM:
        return plic_claim(plic, (uint32_t)index);
    default:
        return 0;
    }
}

static uint32_t plic_read_word(plic_t *plic, size_t offset)
{
    if (offset >= PLIC_CONTEXT) {
        return plic_read_context(plic, offset);
    }
    if (offset >= PLIC_ENABLE) {
        size_t index = (offset - PLIC_ENABLE) >> 7;
        return index < plic->contexts
                   ? plic_mask_word(plic->context[index].enable, (offset & 0x7F) >> 2)
                   : 0;
    }
    if (offset >= PLIC_PENDING) {
        return plic_mask_word(plic->pending, (offset - PLIC_PENDING) >> 2);
    }
    size_t irq = (offset - PLIC_PRIORITY) >> 2;
    return irq < PLIC_SOURCES ? plic->priority[irq] : 0;
}

static void plic_write_context(plic_t *plic, size_t offset, uint32_t val)
{
    size_t index = (offset - PLIC_CONTEXT) >> 12;
    if (index >= plic->contexts) {
        return;
    }
    switch (offset & 0xFFF) {
    case PLIC_THRESHOLD:
        plic->context[index].threshold = val & PLIC_PRIO_MASK;
        plic_update(plic);
        break;
    case PLIC_CLAIM:
        plic_complete(plic, (uint32_t)index, val);
        break;
    default:
        break;
    }
}

static void plic_write_enable(plic_t *plic, size_t offset, uint32_t val)
{
    size_t index = (offset - PLIC_ENABLE) >> 7, word = (offset & 0x7F) >> 2;
    if (index >= plic->contexts || word >= 2) {
        return;
    }
    uint64_t mask = UINT64_C(0xFFFFFFFF) << (word * 32);
    uint64_t *enable = &plic->context[index].enable;
    *enable = ((*enable & ~mask) | (uint64_t)val << (word * 32)) & ~UINT64_C(1);
    plic_update(plic);
}

static void plic_write_word(plic_t *plic, size_t offset, uint32_t val)
{
    if (offset >= PLIC_CONTEXT) {
        plic_write_context(plic, offset, val);
    } else if (offset >= PLIC_ENABLE) {
        plic_write_enable(plic, offset, val);
    } else if (offset < PLIC_PENDING) {
        size_t irq = (offset - PLIC_PRIORITY) >> 2;
        if (irq > 0 && irq < PLIC_SOURCES) {
            plic->priority[irq] = val & PLIC_PRIO_MASK;
            plic_update(plic);
        }
    }
}

static bool plic_mmio_read(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    plic_t *plic = dev->data;
    (void)size;
    spin_lock(&plic->lock);
    uint32_t val = plic_read_word(plic, offset);
    spin_unlock(&plic->lock);
    util_put_le32(data, val);
    return true;
}

static bool plic_mmio_write(rvvm_mmio_dev_t *dev, void *data, size_t offset, uint8_t size)
{
    plic_t *plic = dev->data;
    (void)size;
    spin_lock(&plic->lock);
    plic_write_word(plic, offset, util_get_le32(data));
    spin_unlock(&plic->lock);
    return true;
}

/* Lines belong to the devices and keep their level; one that stays high asks again. */
static void plic_reset(rvvm_mmio_dev_t *dev)
{
    plic_t *plic = dev->data;
    spin_lock(&plic->lock);
    plic->pending = plic->level;
    plic->claimed = plic->pulsed = plic->again = 0;
    memset(plic->priority, 0, sizeof(plic->priority));
    for (uint32_t i = 0; i < plic->contexts; i++) {
        plic->context[i] = (plic_context_t){0};
        plic_drive_line(plic, i);
    }
    spin_unlock(&plic->lock);
}

static void plic_suspend(rvvm_mmio_dev_t *dev, rvvm_snapshot_t *snap, bool resume)
{
    plic_t *plic = dev->data;
    if (!snap) {
        return;
    }
    spin_lock(&plic->lock);
    rvvm_snapshot_section(snap, "riscv-plic");
    rvvm_snapshot_field(snap, plic->level);
    rvvm_snapshot_field(snap, plic->pending);
    rvvm_snapshot_field(snap, plic->claimed);
    rvvm_snapshot_field(snap, plic->pulsed);
    rvvm_snapshot_field(snap, plic->again);
    rvvm_snapshot_data(snap, plic->priority, sizeof(plic->priority));
    for (uint32_t i = 0; i < plic->contexts; i++) {
        rvvm_snapshot_field(snap, plic->context[i].enable);
        rvvm_snapshot_field(snap, plic->context[i].threshold);
    }
    if (resume) {
        plic->priority[0] = 0;
        for (uint32_t i = 1; i < PLIC_SOURCES; i++) {
            plic->priority[i] &= PLIC_PRIO_MASK;
        }
        for (uint32_t i = 0; i < plic->contexts; i++) {
            plic->context[i].enable &= ~UINT64_C(1);
        }
        plic_update(plic);
        for (uint32_t i = 0; i < plic->contexts; i++) {
            plic_drive_line(plic, i);
        }
    }
    spin_unlock(&plic->lock);
}

static void plic_remove(rvvm_mmio_dev_t *dev)
{
    plic_t *plic = dev->data;
    rvvm_irq_dev_free(plic->irq_dev);
    free(plic);
}

static const rvvm_mmio_type_t plic_type = {
    .name = "riscv-plic",
    .remove = plic_remove,
    .reset = plic_reset,
    .suspend = plic_suspend,
};

static const rvvm_irq_dev_cb_t plic_irq_cb = {
    .set_irq = plic_set_irq,
    .send_irq = plic_send_irq_edge,
};

/* "interrupts-extended": the M and S external interrupt of each hart, in the order of the contexts. */
static void plic_fdt_targets(plic_t *plic, rvvm_machine_t *machine, rvvm_fdt_node_t *node)
{
    rvvm_fdt_node_t *cpus = rvvm_fdt_find(rvvm_get_fdt_root(machine), "cpus");
    uint32_t *cells = safe_new_arr(uint32_t, plic->contexts * 2);
    if (!cells) {
        return;
    }
    for (uint32_t i = 0; i < plic->contexts; i++) {
        rvvm_fdt_node_t *cpu = rvvm_fdt_find_reg(cpus, "cpu", i >> 1);
        cells[i * 2] = rvvm_fdt_phandle(rvvm_fdt_find(cpu, "interrupt-controller"));
        cells[i * 2 + 1] = (i & 1) ? IRQ_HOST_SEIP : IRQ_HOST_MEIP;
    }
    rvvm_fdt_prop_set_cells(node, "interrupts-extended", cells, plic->contexts * 2);
    free(cells);
}

static void plic_fdt_describe(plic_t *plic, rvvm_machine_t *machine, rvvm_addr_t addr)
{
    rvvm_fdt_node_t *node = rvvm_fdt_init_reg("plic", addr);
    rvvm_fdt_prop_set_reg(node, "reg", addr, PLIC_SIZE);
    rvvm_fdt_prop_set_str_list(node, "compatible", "sifive,plic-1.0.0\0riscv,plic0");
    rvvm_fdt_prop_set_flag(node, "interrupt-controller");
    rvvm_fdt_prop_set_u32(node, "#interrupt-cells", 1);
    rvvm_fdt_prop_set_u32(node, "#address-cells", 0);
    rvvm_fdt_prop_set_u32(node, "riscv,ndev", PLIC_SOURCES - 1);
    plic_fdt_targets(plic, machine, node);
    rvvm_fdt_attach(rvvm_get_fdt_soc(machine), node);
    rvvm_irq_dev_set_phandle(plic->irq_dev, rvvm_fdt_phandle(node));
}

static plic_t *plic_create(const irq_host_t *host)
{
    plic_t *plic = safe_calloc(sizeof(plic_t) + 2 * host->harts * sizeof(plic_context_t), 1);
    if (!plic) {
        return NULL;
    }
    plic->host = host;
    plic->contexts = 2 * host->harts;
    plic->irq_dev = rvvm_irq_dev_init(&plic_irq_cb, plic);
    if (!plic->irq_dev) {
        free(plic);
        return NULL;
    }
    rvvm_irq_dev_set_base(plic->irq_dev, 1);
    rvvm_irq_dev_set_limit(plic->irq_dev, PLIC_SOURCES);
    return plic;
}

rvvm_irq_dev_t *plic_init_host(rvvm_machine_t *machine, const irq_host_t *host, rvvm_addr_t addr)
{
    plic_t *plic = plic_create(host);
    if (!plic) {
        return NULL;
    }
    const rvvm_mmio_dev_t desc = {
        .addr = addr,
        .size = PLIC_SIZE,
        .data = plic,
        .type = &plic_type,
        .read = plic_mmio_read,
        .write = plic_mmio_write,
        .min_op_size = 4,
        .max_op_size = 4,
    };
    rvvm_mmio_dev_t *region = rvvm_attach_mmio(machine, &desc);
    if (!region) {
        return NULL;
    }
    plic->region = region;
    plic_fdt_describe(plic, machine, addr);
    if (!rvvm_get_intc(machine)) {
        rvvm_set_intc(machine, plic->irq_dev);
    }
    return plic->irq_dev;
}

rvvm_irq_dev_t *plic_init(rvvm_machine_t *machine, rvvm_addr_t addr)
{
    return plic_init_host(machine, irq_host_get(machine), addr);
}

rvvm_irq_dev_t *plic_init_auto(rvvm_machine_t *machine)
{
    return plic_init(machine, rvvm_mmio_zone_auto(machine, PLIC_DEFAULT_MMIO, PLIC_SIZE));
}

rvvm_mmio_dev_t *plic_region(rvvm_irq_dev_t *irq_dev)
{
    plic_t *plic = rvvm_irq_dev_data(irq_dev);
    return plic->region;
}
