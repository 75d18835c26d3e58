/* SPDX-License-Identifier: MPL-2.0 */
/* Device trees: building, the blob's bytes, reading back, and reading damaged ones. */
#include "tap.h"
#include "util.h"

#include <rvvm/rvvm_fdt.h>

#include <stdlib.h>

static rvvm_fdt_node_t *make_tree(void)
{
    rvvm_fdt_node_t *root = rvvm_fdt_init(NULL);
    rvvm_fdt_prop_set_u32(root, "#address-cells", 2);
    rvvm_fdt_node_t *soc = rvvm_fdt_init("soc");
    rvvm_fdt_attach(root, soc);
    rvvm_fdt_prop_set_flag(soc, "ranges");
    rvvm_fdt_prop_set_str_list(soc, "compatible", "one\0three");
    rvvm_fdt_node_t *uart = rvvm_fdt_init_reg("uart", 0x10000000);
    rvvm_fdt_attach(soc, uart);
    rvvm_fdt_prop_set_reg(uart, "reg", UINT64_C(0x123456789), 0x100);
    rvvm_fdt_prop_set_u64(uart, "wide", UINT64_C(0x0102030405060708));
    return root;
}

static uint8_t *make_blob(rvvm_fdt_node_t *root, size_t *size)
{
    *size = rvvm_fdt_size(root);
    uint8_t *blob = malloc(*size);
    CHECK_EQ(*size, rvvm_fdt_serialize(root, blob, *size));
    return blob;
}

TEST(finds_nodes_by_name_and_address)
{
    rvvm_fdt_node_t *root = make_tree();
    rvvm_fdt_node_t *soc = rvvm_fdt_find(root, "soc");
    CHECK(soc != NULL);
    CHECK(rvvm_fdt_find_reg(soc, "uart", 0x10000000) != NULL);
    CHECK(rvvm_fdt_find_reg(soc, "uart", 0x10000000) == rvvm_fdt_find(soc, "uart@10000000"));
    CHECK(rvvm_fdt_find_reg(soc, "uart", 0x1000000) == NULL);
    CHECK(rvvm_fdt_find_reg(soc, "uar", 0x10000000) == NULL);
    CHECK(rvvm_fdt_find_reg_any(soc, "uart") != NULL);
    CHECK(rvvm_fdt_find(root, "so") == NULL);
    CHECK(rvvm_fdt_find(NULL, "soc") == NULL);
    rvvm_fdt_free(root);
}

TEST(properties_replace_and_vanish)
{
    rvvm_fdt_node_t *node = rvvm_fdt_init("x");
    size_t size;
    rvvm_fdt_prop_set_str(node, "a", "long value");
    rvvm_fdt_prop_set_u32(node, "a", 7);
    const void *data = rvvm_fdt_prop_get(node, "a", &size);
    CHECK_EQ(4, size);
    CHECK_EQ(7, util_get_be32(data));
    rvvm_fdt_prop_set_flag(node, "empty");
    CHECK(rvvm_fdt_prop_get(node, "empty", &size) != NULL);
    CHECK_EQ(0, size);
    CHECK(fdt_node_del_prop(node, "a"));
    CHECK(!fdt_node_del_prop(node, "a"));
    CHECK(rvvm_fdt_prop_get(node, "a", NULL) == NULL);
    rvvm_fdt_prop_set_u32(node, "b", 1); /* behind the deleted one */
    CHECK(rvvm_fdt_prop_get(node, "b", NULL) != NULL);
    rvvm_fdt_free(node);
}

TEST(moves_nodes_and_refuses_cycles)
{
    rvvm_fdt_node_t *root = rvvm_fdt_init(NULL), *a = rvvm_fdt_init("a"), *b = rvvm_fdt_init("b");
    rvvm_fdt_attach(root, a);
    rvvm_fdt_attach(a, b);
    rvvm_fdt_attach(b, a); /* would be a cycle */
    CHECK(rvvm_fdt_find(root, "a") == a);
    CHECK(rvvm_fdt_find(b, "a") == NULL);
    rvvm_fdt_attach(root, b);
    CHECK(rvvm_fdt_find(root, "b") == b);
    CHECK(rvvm_fdt_find(a, "b") == NULL);
    rvvm_fdt_free(a);
    CHECK(rvvm_fdt_find(root, "a") == NULL);
    CHECK(rvvm_fdt_find(root, "b") == b);
    rvvm_fdt_free(root);
}

TEST(phandles_are_stable_and_distinct)
{
    rvvm_fdt_node_t *root = make_tree();
    rvvm_fdt_node_t *soc = rvvm_fdt_find(root, "soc"), *uart = rvvm_fdt_find_reg_any(soc, "uart");
    uint32_t first = rvvm_fdt_phandle(uart);
    CHECK(first != 0);
    CHECK_EQ(first, rvvm_fdt_phandle(uart));
    CHECK(rvvm_fdt_phandle(soc) != first);

    size_t size;
    uint8_t *blob = make_blob(root, &size);
    rvvm_fdt_node_t *copy = rvvm_fdt_parse(blob, size);
    uint32_t fresh = rvvm_fdt_phandle(copy);
    CHECK(fresh != first && fresh != rvvm_fdt_phandle(soc)); /* those of the blob are known */
    rvvm_fdt_free(copy);
    free(blob);
    rvvm_fdt_free(root);
}

TEST(blob_has_the_bytes_of_the_specification)
{
    rvvm_fdt_node_t *root = rvvm_fdt_init(NULL);
    rvvm_fdt_prop_set_str(root, "ab", "xyzw");
    static const uint8_t want[] = {
        0xd0, 0x0d, 0xfe, 0xed, 0, 0, 0, 95, 0, 0, 0, 56, 0, 0, 0, 92, /* total, structs, strings */
        0,    0,    0,    40,   0, 0, 0, 17, 0, 0, 0, 16, 0, 0, 0, 0,  /* rsvmap, versions, boot CPU */
        0,    0,    0,    3,    0, 0, 0, 36,                           /* sizes of strings, structs */
        0,    0,    0,    0,    0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0,  /* end of the rsvmap */
        0,    0,    0,    1,    0, 0, 0, 0,                            /* begin node "" */
        0,    0,    0,    3,    0, 0, 0, 5,  0, 0, 0, 0,               /* property, 5 bytes, "ab" */
        'x',  'y',  'z',  'w',  0, 0, 0, 0,  0, 0, 0, 2,  0, 0, 0, 9,  /* value; end node; end */
        'a',  'b',  0,
    };
    size_t size;
    uint8_t *blob = make_blob(root, &size);
    CHECK_EQ(sizeof(want), size);
    CHECK(size == sizeof(want) && !memcmp(blob, want, size));
    free(blob);
    rvvm_fdt_free(root);
}

TEST(refuses_a_buffer_that_is_too_small)
{
    rvvm_fdt_node_t *root = make_tree();
    size_t size = rvvm_fdt_size(root);
    uint8_t *buffer = calloc(1, size);
    CHECK_EQ(0, rvvm_fdt_serialize(root, buffer, size - 1));
    CHECK_EQ(0, rvvm_fdt_serialize(root, buffer, 0));
    CHECK_EQ(size, rvvm_fdt_serialize(root, buffer, size));
    CHECK_EQ(0, rvvm_fdt_serialize(NULL, buffer, size));
    free(buffer);
    rvvm_fdt_free(root);
}

TEST(round_trip_gives_the_same_bytes)
{
    rvvm_fdt_node_t *root = make_tree();
    size_t size, size2;
    uint8_t *blob = make_blob(root, &size);
    rvvm_fdt_node_t *copy = rvvm_fdt_parse(blob, size);
    CHECK(copy != NULL);
    uint8_t *blob2 = make_blob(copy, &size2);
    CHECK_EQ(size, size2);
    CHECK(size == size2 && !memcmp(blob, blob2, size));
    const uint8_t *reg =
        rvvm_fdt_prop_get(rvvm_fdt_find_reg_any(rvvm_fdt_find(copy, "soc"), "uart"), "reg", &size2);
    CHECK_EQ(16, size2);
    CHECK_EQ(1, util_get_be32(reg));
    CHECK_EQ(0x23456789, util_get_be32(reg + 4));
    rvvm_fdt_free(copy);
    rvvm_fdt_free(root);
    free(blob);
    free(blob2);
}

/* Every prefix, and every byte changed: a tree or NULL, and no byte outside the buffer is read (ASan). */
TEST(damaged_blobs_do_no_harm)
{
    rvvm_fdt_node_t *root = make_tree();
    size_t size;
    uint8_t *blob = make_blob(root, &size);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *part = malloc(cut + 1);
        memcpy(part, blob, cut);
        CHECK(rvvm_fdt_parse(part, cut) == NULL);
        free(part);
    }
    unsigned refused = 0;
    for (size_t at = 0; at < size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            blob[at] ^= (uint8_t)(1u << bit);
            rvvm_fdt_node_t *tree = rvvm_fdt_parse(blob, size);
            refused += !tree;
            rvvm_fdt_free(tree);
            blob[at] ^= (uint8_t)(1u << bit);
        }
    }
    CHECK(refused > 32 * 4);
    free(blob);
    rvvm_fdt_free(root);
}

TEST(too_deep_a_blob_is_refused)
{
    rvvm_fdt_node_t *root = rvvm_fdt_init(NULL), *node = root;
    for (unsigned i = 0; i < 70; i++) {
        rvvm_fdt_node_t *child = rvvm_fdt_init("d");
        rvvm_fdt_attach(node, child);
        node = child;
    }
    size_t size;
    uint8_t *blob = make_blob(root, &size);
    CHECK(rvvm_fdt_parse(blob, size) == NULL);
    free(blob);
    rvvm_fdt_free(root);
}

int main(void)
{
    RUN(finds_nodes_by_name_and_address);
    RUN(properties_replace_and_vanish);
    RUN(moves_nodes_and_refuses_cycles);
    RUN(phandles_are_stable_and_distinct);
    RUN(blob_has_the_bytes_of_the_specification);
    RUN(refuses_a_buffer_that_is_too_small);
    RUN(round_trip_gives_the_same_bytes);
    RUN(damaged_blobs_do_no_harm);
    RUN(too_deep_a_blob_is_refused);
    return tap_finish();
}
