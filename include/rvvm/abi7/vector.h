/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Growing arrays under the names that device sources for RVVM use. A vector starts as zeros; it is for one
 * thread at a time. When there is no memory a push is lost, and the vector stays as it was.
 */
#ifndef RVVM_ABI7_VECTOR_H
#define RVVM_ABI7_VECTOR_H

#include <rvvm/compat.h>

#define vector_t(type)                                                                             \
    struct {                                                                                       \
        type *data;                                                                                \
        size_t size, count;                                                                        \
    }

#define VECTOR_INIT {0}

#define vector_init(vec) ((vec).data = NULL, (vec).size = (vec).count = 0)
#define vector_free(vec) (free((vec).data), vector_init(vec))
#define vector_clear(vec) ((void)((vec).count = 0))
#define vector_size(vec) ((vec).count)
#define vector_capacity(vec) ((vec).size)
#define vector_buffer(vec) ((vec).data)
#define vector_at(vec, pos) ((vec).data[pos])

/* Room for one more element. */
static inline bool rvvm_vector_grow(void *data, size_t *size, size_t count, size_t element)
{
    void *grown, *old;
    memcpy(&old, data, sizeof(old));
    if (count < *size) {
        return true;
    }
    grown = realloc(old, (*size ? 2 * *size : 4) * element);
    if (grown) {
        *size = *size ? 2 * *size : 4;
        memcpy(data, &grown, sizeof(grown));
    }
    return grown != NULL;
}

#define vector_push_back(vec, val)                                                                 \
    do {                                                                                           \
        if (rvvm_vector_grow(&(vec).data, &(vec).size, (vec).count, sizeof(*(vec).data))) {        \
            (vec).data[(vec).count++] = (val);                                                     \
        }                                                                                          \
    } while (0)

#define vector_foreach(vec, i) for (size_t i = 0; i < (vec).count; i++)

#endif
