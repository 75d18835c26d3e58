/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The log: rvvm_error(), rvvm_warn(), rvvm_info() print one line to stderr; they never end the program.
 * The declarations are public, in <rvvm/compat.h>; this header is for the code of the machine.
 */
#ifndef RVKIT_LOG_H
#define RVKIT_LOG_H

#include <rvvm/compat.h>

#endif
