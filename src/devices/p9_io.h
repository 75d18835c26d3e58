/* SPDX-License-Identifier: MPL-2.0 */
/* The messages of p9_io.c: opening, data, folders, locks, extended attributes. */
#ifndef RVKIT_DEVICES_P9_IO_H
#define RVKIT_DEVICES_P9_IO_H

#include "p9_internal.h"

/* The fid that comes next in a message; NULL: there is none. _node: and it stands for a file. */
p9_fid_t *p9_get_fid(p9_t *p9, msg_in_t *in);
p9_fid_t *p9_get_node(p9_t *p9, msg_in_t *in);

int p9_op_lopen(p9_t *p9, msg_in_t *in, msg_out_t *out);
int p9_op_lcreate(p9_t *p9, msg_in_t *in, msg_out_t *out);
int p9_op_read(p9_t *p9, msg_in_t *in, msg_out_t *out);
int p9_op_write(p9_t *p9, msg_in_t *in, msg_out_t *out);
int p9_op_readdir(p9_t *p9, msg_in_t *in, msg_out_t *out);
int p9_op_fsync(p9_t *p9, msg_in_t *in, msg_out_t *out);
int p9_op_lock(p9_t *p9, msg_in_t *in, msg_out_t *out);
int p9_op_getlock(p9_t *p9, msg_in_t *in, msg_out_t *out);
int p9_op_xattrwalk(p9_t *p9, msg_in_t *in, msg_out_t *out);
int p9_op_xattrcreate(p9_t *p9, msg_in_t *in, msg_out_t *out);

#endif
