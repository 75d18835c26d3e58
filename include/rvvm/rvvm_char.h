/* SPDX-License-Identifier: MPL-2.0 */
/* The name under which sources of RVVM's 2026 state include what concerns streams; see <rvvm/chardev.h>. */
#ifndef RVVM_CHAR_H
#define RVVM_CHAR_H

#include <rvvm/chardev.h>

#endif
