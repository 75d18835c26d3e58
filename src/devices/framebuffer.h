/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A frame buffer of fixed size in memory of its own, at RVVM's address, as the device tree binding
 * "simple-framebuffer" describes one: Linux's simpledrm and simplefb take it as it is.
 */
#ifndef RVKIT_DEVICES_FRAMEBUFFER_H
#define RVKIT_DEVICES_FRAMEBUFFER_H

#include "display_host.h"

#include <rvvm/rvvm.h>

#define FRAMEBUFFER_DEFAULT_MMIO 0x28000000u

/*
 * Attaches it and its node /soc/framebuffer@addr; pixels are words 0xXXRRGGBB without gaps. The
 * display goes over to the device. NULL: the place is taken, the size is none, or no memory; the
 * display is freed.
 */
rvvm_mmio_dev_t *framebuffer_init(rvvm_machine_t *machine, const display_host_t *display,
                                  rvvm_addr_t addr, uint32_t width, uint32_t height);
rvvm_mmio_dev_t *framebuffer_init_auto(rvvm_machine_t *machine, const display_host_t *display,
                                       uint32_t width, uint32_t height);

#endif
