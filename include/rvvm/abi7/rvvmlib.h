/* SPDX-License-Identifier: MPL-2.0 */
/* The name under which device sources for RVVM's ABI 7 include what is in <rvvm/compat.h>. */
#ifndef RVVM_ABI7_RVVMLIB_H
#define RVVM_ABI7_RVVMLIB_H

/* The tag that ABI 7 has for the type i2c_bus_t. */
#define i2c_bus rvvm_i2c_bus

#include <rvvm/compat.h>

#endif
