/* SPDX-License-Identifier: MPL-2.0 */
#include "util.h"

#ifdef UTIL_NO_FENCES
void rvkit_fence_in_order(void)
{
    static uint32_t word; /* its value means nothing, only the order of the operations on it */
    __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
}
#else
typedef int fence_is_a_builtin_t; /* C wants something in a file */
#endif
