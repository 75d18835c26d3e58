/* SPDX-License-Identifier: MPL-2.0 */
/* The name under which device sources for RVVM's ABI 7 include what is in <rvvm/compat.h>. */
#ifndef RVVM_ABI7_SPINLOCK_H
#define RVVM_ABI7_SPINLOCK_H

#include <rvvm/compat.h>

#endif
