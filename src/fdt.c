/* SPDX-License-Identifier: MPL-2.0 */
#include "fdt.h"

#include "util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Devicetree Specification v0.4, chapter 5. */
#define FDT_MAGIC 0xd00dfeedu
#define FDT_VERSION 17
#define FDT_LAST_COMP_VERSION 16
#define FDT_HEADER_SIZE 40
#define FDT_RSVMAP_END_SIZE 16
#define FDT_BEGIN_NODE 1
#define FDT_END_NODE 2
#define FDT_PROP 3
#define FDT_NOP 4
#define FDT_END 9

#define FDT_DEPTH_MAX 64
#define FDT_NAME_MAX 255

typedef struct fdt_prop {
    struct fdt_prop *next;
    char *name;
    uint8_t *data; /* never NULL */
    size_t size;
} fdt_prop_t;

struct fdt_node {
    struct fdt_node *parent, *next;
    struct fdt_node *first_child, *last_child;
    fdt_prop_t *first_prop, *last_prop;
    uint32_t last_phandle; /* at the root: the highest one given out */
    char name[];
};

const char *fdt_node_name(const rvvm_fdt_node_t *node)
{
    return node->name;
}

rvvm_fdt_node_t *fdt_node_next(rvvm_fdt_node_t *node, rvvm_fdt_node_t *child)
{
    return child ? child->next : node ? node->first_child : NULL;
}

static rvvm_fdt_node_t *fdt_new_node(const char *name, size_t len)
{
    rvvm_fdt_node_t *node = calloc(1, sizeof(*node) + len + 1);
    if (node) {
        memcpy(node->name, name, len);
    }
    return node;
}

rvvm_fdt_node_t *rvvm_fdt_init(const char *name)
{
    return fdt_new_node(name ? name : "", name ? strlen(name) : 0);
}

rvvm_fdt_node_t *rvvm_fdt_init_reg(const char *name, uint64_t addr)
{
    char full[FDT_NAME_MAX + 1];
    int len = snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)addr);
    return len < 0 || (size_t)len >= sizeof(full) ? NULL : rvvm_fdt_init(full);
}

static void fdt_unlink(rvvm_fdt_node_t *node)
{
    rvvm_fdt_node_t *parent = node->parent, *before = NULL;
    if (!parent) {
        return;
    }
    for (rvvm_fdt_node_t *n = parent->first_child; n != node; n = n->next) {
        before = n;
    }
    if (before) {
        before->next = node->next;
    } else {
        parent->first_child = node->next;
    }
    if (parent->last_child == node) {
        parent->last_child = before;
    }
    node->parent = node->next = NULL;
}

static void fdt_free_prop(fdt_prop_t *prop)
{
    free(prop->name);
    free(prop->data);
    free(prop);
}

/* Children first, without recursion: the depth is the caller's. */
static void fdt_free_tree(rvvm_fdt_node_t *root)
{
    rvvm_fdt_node_t *node = root;
    while (node) {
        if (node->first_child) {
            node = node->first_child;
            continue;
        }
        rvvm_fdt_node_t *parent = node == root ? NULL : node->parent;
        if (parent) {
            parent->first_child = node->next;
        }
        while (node->first_prop) {
            fdt_prop_t *prop = node->first_prop;
            node->first_prop = prop->next;
            fdt_free_prop(prop);
        }
        free(node);
        node = parent;
    }
}

void rvvm_fdt_attach(rvvm_fdt_node_t *parent, rvvm_fdt_node_t *child)
{
    if (!child) {
        return;
    }
    for (rvvm_fdt_node_t *n = parent; n; n = n->parent) {
        if (n == child) {
            return; /* a node cannot be its own ancestor */
        }
    }
    fdt_unlink(child);
    if (!parent) {
        fdt_free_tree(child);
        return;
    }
    child->parent = parent;
    if (parent->last_child) {
        parent->last_child->next = child;
    } else {
        parent->first_child = child;
    }
    parent->last_child = child;
}

rvvm_fdt_node_t *rvvm_fdt_find(rvvm_fdt_node_t *node, const char *name)
{
    for (rvvm_fdt_node_t *n = node ? node->first_child : NULL; n; n = n->next) {
        if (!strcmp(n->name, name)) {
            return n;
        }
    }
    return NULL;
}

rvvm_fdt_node_t *rvvm_fdt_find_reg(rvvm_fdt_node_t *node, const char *name, uint64_t addr)
{
    size_t len = strlen(name);
    for (rvvm_fdt_node_t *n = node ? node->first_child : NULL; n; n = n->next) {
        if (strncmp(n->name, name, len) || n->name[len] != '@') {
            continue;
        }
        char unit[24];
        snprintf(unit, sizeof(unit), "%llx", (unsigned long long)addr);
        if (addr == UINT64_MAX || !strcmp(n->name + len + 1, unit)) {
            return n;
        }
    }
    return NULL;
}

static fdt_prop_t *fdt_find_prop(rvvm_fdt_node_t *node, const char *name, size_t len)
{
    for (fdt_prop_t *p = node ? node->first_prop : NULL; p; p = p->next) {
        if (!strncmp(p->name, name, len) && !p->name[len]) {
            return p;
        }
    }
    return NULL;
}

/* False when there is no memory; the old value stays then. */
static bool fdt_set_prop(rvvm_fdt_node_t *node, const char *name, size_t name_len, const void *data,
                         size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) {
        return false;
    }
    if (size) {
        memcpy(copy, data, size);
    }
    fdt_prop_t *prop = fdt_find_prop(node, name, name_len);
    if (!prop) {
        prop = calloc(1, sizeof(*prop));
        char *name_copy = prop ? calloc(1, name_len + 1) : NULL;
        if (!name_copy) {
            free(prop);
            free(copy);
            return false;
        }
        memcpy(name_copy, name, name_len);
        prop->name = name_copy;
        if (node->last_prop) {
            node->last_prop->next = prop;
        } else {
            node->first_prop = prop;
        }
        node->last_prop = prop;
    }
    free(prop->data);
    prop->data = copy;
    prop->size = size;
    return true;
}

void rvvm_fdt_prop_set(rvvm_fdt_node_t *node, const char *name, const void *data, size_t size)
{
    if (node && name && (data || !size) && size < UINT32_MAX / 2) {
        fdt_set_prop(node, name, strlen(name), data, size);
    }
}

void rvvm_fdt_prop_set_cells(rvvm_fdt_node_t *node, const char *name, const uint32_t *cells,
                             size_t count)
{
    uint8_t *data = count < UINT32_MAX / 8 ? malloc(count * 4 + 1) : NULL;
    if (data) {
        for (size_t i = 0; i < count; i++) {
            util_put_be32(data + i * 4, cells[i]);
        }
        rvvm_fdt_prop_set(node, name, data, count * 4);
        free(data);
    }
}

void rvvm_fdt_prop_set_str(rvvm_fdt_node_t *node, const char *name, const char *str)
{
    if (str) {
        rvvm_fdt_prop_set(node, name, str, strlen(str) + 1);
    }
}

void rvvm_fdt_prop_del(rvvm_fdt_node_t *node, const char *name)
{
    fdt_prop_t *before = NULL;
    for (fdt_prop_t *p = node ? node->first_prop : NULL; p; before = p, p = p->next) {
        if (strcmp(p->name, name)) {
            continue;
        }
        if (before) {
            before->next = p->next;
        } else {
            node->first_prop = p->next;
        }
        if (node->last_prop == p) {
            node->last_prop = before;
        }
        fdt_free_prop(p);
        return;
    }
}

const void *rvvm_fdt_prop_get(rvvm_fdt_node_t *node, const char *name, size_t *size)
{
    fdt_prop_t *prop = fdt_find_prop(node, name, strlen(name));
    if (size) {
        *size = prop ? prop->size : 0;
    }
    return prop ? prop->data : NULL;
}

uint32_t rvvm_fdt_phandle(rvvm_fdt_node_t *node)
{
    if (!node) {
        return 0;
    }
    size_t size;
    const void *data = rvvm_fdt_prop_get(node, "phandle", &size);
    if (data && size == 4) {
        return util_get_be32(data);
    }
    rvvm_fdt_node_t *root = node;
    while (root->parent) {
        root = root->parent;
    }
    uint32_t phandle = root->last_phandle + 1;
    uint8_t cell[4];
    util_put_be32(cell, phandle);
    if (!fdt_set_prop(node, "phandle", strlen("phandle"), cell, 4)) {
        return 0;
    }
    root->last_phandle = phandle;
    return phandle;
}

/* The node that follows in document order inside root; *up tells how many nodes end before it. */
static rvvm_fdt_node_t *fdt_next(rvvm_fdt_node_t *root, rvvm_fdt_node_t *node, unsigned *up)
{
    *up = 0;
    if (node->first_child) {
        return node->first_child;
    }
    while (node != root) {
        (*up)++;
        if (node->next) {
            return node->next;
        }
        node = node->parent;
    }
    (*up)++;
    return NULL;
}

/* Bytes go to data while they fit; pos counts on in any case. */
typedef struct fdt_out {
    uint8_t *data;
    size_t capacity, pos;
} fdt_out_t;

static void fdt_put(fdt_out_t *out, const void *data, size_t size)
{
    if (size && util_range_ok(out->pos, size, out->capacity)) {
        memcpy(out->data + out->pos, data, size);
    }
    out->pos += size;
}

static void fdt_put_u32(fdt_out_t *out, uint32_t v)
{
    uint8_t be[4];
    util_put_be32(be, v);
    fdt_put(out, be, 4);
}

static void fdt_put_padding(fdt_out_t *out)
{
    static const uint8_t zeros[4];
    fdt_put(out, zeros, (4 - out->pos % 4) % 4);
}

/* The strings block: property names, each once. */
typedef struct fdt_strings {
    char *data;
    size_t size;
} fdt_strings_t;

/* The offset of a name, which is added when new; SIZE_MAX when there is no memory. */
static size_t fdt_string_offset(fdt_strings_t *strings, const char *name)
{
    size_t len = strlen(name) + 1;
    for (size_t pos = 0; pos < strings->size; pos += strlen(strings->data + pos) + 1) {
        if (!strcmp(strings->data + pos, name)) {
            return pos;
        }
    }
    char *grown = realloc(strings->data, strings->size + len);
    if (!grown) {
        return SIZE_MAX;
    }
    memcpy(grown + strings->size, name, len);
    strings->data = grown;
    strings->size += len;
    return strings->size - len;
}

static bool fdt_write_struct(rvvm_fdt_node_t *root, fdt_out_t *out, fdt_strings_t *strings)
{
    for (rvvm_fdt_node_t *node = root; node;) {
        fdt_put_u32(out, FDT_BEGIN_NODE);
        fdt_put(out, node->name, strlen(node->name) + 1);
        fdt_put_padding(out);
        for (fdt_prop_t *p = node->first_prop; p; p = p->next) {
            size_t name = fdt_string_offset(strings, p->name);
            if (name == SIZE_MAX) {
                return false;
            }
            fdt_put_u32(out, FDT_PROP);
            fdt_put_u32(out, (uint32_t)p->size);
            fdt_put_u32(out, (uint32_t)name);
            fdt_put(out, p->data, p->size);
            fdt_put_padding(out);
        }
        unsigned up;
        node = fdt_next(root, node, &up);
        while (up--) {
            fdt_put_u32(out, FDT_END_NODE);
        }
    }
    fdt_put_u32(out, FDT_END);
    return true;
}

static void fdt_write_header(uint8_t *data, size_t struct_size, size_t strings_size)
{
    const uint32_t struct_offset = FDT_HEADER_SIZE + FDT_RSVMAP_END_SIZE;
    const uint32_t strings_offset = (uint32_t)(struct_offset + struct_size);
    const uint32_t fields[FDT_HEADER_SIZE / 4] = {
        FDT_MAGIC,   (uint32_t)(strings_offset + strings_size),
        struct_offset, strings_offset,
        FDT_HEADER_SIZE, FDT_VERSION,
        FDT_LAST_COMP_VERSION, 0,
        (uint32_t)strings_size, (uint32_t)struct_size,
    };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        util_put_be32(data + i * 4, fields[i]);
    }
    memset(data + FDT_HEADER_SIZE, 0, FDT_RSVMAP_END_SIZE);
}

size_t rvvm_fdt_serialize(rvvm_fdt_node_t *node, void *buff, size_t size)
{
    const size_t struct_offset = FDT_HEADER_SIZE + FDT_RSVMAP_END_SIZE;
    fdt_strings_t strings = {NULL, 0};
    fdt_out_t out = {buff, buff ? size : 0, struct_offset};
    if (!node || !fdt_write_struct(node, &out, &strings)) {
        free(strings.data);
        return 0;
    }
    size_t struct_size = out.pos - struct_offset;
    fdt_put(&out, strings.data, strings.size);
    if (buff && out.pos <= size) {
        fdt_write_header(buff, struct_size, strings.size);
    }
    free(strings.data);
    return buff && out.pos > size ? 0 : out.pos;
}

/* A blob being read; all offsets are checked against size first. */
typedef struct fdt_in {
    const uint8_t *structs, *strings;
    size_t struct_size, strings_size, pos;
} fdt_in_t;

static bool fdt_get_u32(fdt_in_t *in, uint32_t *v)
{
    if (!util_range_ok(in->pos, 4, in->struct_size)) {
        return false;
    }
    *v = util_get_be32(in->structs + in->pos);
    in->pos += 4;
    return true;
}

static bool fdt_read_prop(fdt_in_t *in, rvvm_fdt_node_t *root, rvvm_fdt_node_t *node)
{
    uint32_t size, name;
    if (!fdt_get_u32(in, &size) || !fdt_get_u32(in, &name) ||
        !util_range_ok(in->pos, size, in->struct_size) || name >= in->strings_size) {
        return false;
    }
    const char *text = (const char *)in->strings + name;
    size_t len = strnlen(text, in->strings_size - name);
    if (!len || len == in->strings_size - name) {
        return false;
    }
    const uint8_t *data = in->structs + in->pos;
    in->pos = util_align_up(in->pos + size, 4);
    bool is_phandle = len == strlen("phandle") && !memcmp(text, "phandle", len) && size == 4;
    if (is_phandle && util_get_be32(data) > root->last_phandle && util_get_be32(data) != UINT32_MAX) {
        root->last_phandle = util_get_be32(data);
    }
    return fdt_set_prop(node, text, len, data, size);
}

static rvvm_fdt_node_t *fdt_read_node(fdt_in_t *in, rvvm_fdt_node_t *parent)
{
    const char *name = (const char *)in->structs + in->pos;
    size_t len = strnlen(name, in->struct_size - in->pos);
    if (len == in->struct_size - in->pos || len > FDT_NAME_MAX) {
        return NULL;
    }
    in->pos = util_align_up(in->pos + len + 1, 4);
    rvvm_fdt_node_t *node = fdt_new_node(name, len);
    if (node && parent) {
        rvvm_fdt_attach(parent, node);
    }
    return node;
}

/* Fills *root even when it fails, for the caller to free. */
static bool fdt_read_struct(fdt_in_t *in, rvvm_fdt_node_t **root)
{
    rvvm_fdt_node_t *node = NULL;
    unsigned depth = 0;
    for (uint32_t token; fdt_get_u32(in, &token);) {
        if (token == FDT_BEGIN_NODE) {
            if (depth == FDT_DEPTH_MAX || (!depth && *root)) {
                return false;
            }
            rvvm_fdt_node_t *child = fdt_read_node(in, node);
            if (!child) {
                return false;
            }
            *root = *root ? *root : child;
            node = child;
            depth++;
        } else if (token == FDT_END_NODE) {
            if (!depth--) {
                return false;
            }
            node = node->parent;
        } else if (token == FDT_PROP) {
            if (!depth || !fdt_read_prop(in, *root, node)) {
                return false;
            }
        } else if (token == FDT_END) {
            return !depth && *root;
        } else if (token != FDT_NOP) {
            return false;
        }
    }
    return false;
}

rvvm_fdt_node_t *rvvm_fdt_parse(const void *blob, size_t size)
{
    const uint8_t *data = blob;
    if (!blob || size < FDT_HEADER_SIZE || util_get_be32(data) != FDT_MAGIC) {
        return NULL;
    }
    uint32_t total = util_get_be32(data + 4), structs = util_get_be32(data + 8);
    uint32_t strings = util_get_be32(data + 12), last_comp = util_get_be32(data + 24);
    uint32_t strings_size = util_get_be32(data + 32), struct_size = util_get_be32(data + 36);
    if (total > size || last_comp > FDT_VERSION || util_get_be32(data + 20) < FDT_VERSION ||
        structs % 4 || !util_range_ok(structs, struct_size, total) ||
        !util_range_ok(strings, strings_size, total)) {
        return NULL;
    }
    fdt_in_t in = {data + structs, data + strings, struct_size, strings_size, 0};
    rvvm_fdt_node_t *root = NULL;
    if (!fdt_read_struct(&in, &root)) {
        rvvm_fdt_free(root);
        return NULL;
    }
    return root;
}
