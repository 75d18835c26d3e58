/* SPDX-License-Identifier: MPL-2.0 */
/*
 * CSR numbers (CSR_mstatus, CSR_pmpaddr7, …) and names, from csr.def. Access is csr_access() in state.h.
 */
#ifndef RVKIT_CPU_CSR_H
#define RVKIT_CPU_CSR_H

#include <stdint.h>

enum {
#define CSR(number, name, read, write, check, offset, mask) CSR_##name = number,
#include "csr.def"
#undef CSR
};

/* "mstatus" for 0x300; NULL when the hart has no such CSR. Any thread. */
const char *csr_name(uint32_t number);

#endif
