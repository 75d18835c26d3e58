/* SPDX-License-Identifier: MPL-2.0 */
/*
 * HTIF, the host-target interface of bare-metal test programs (riscv-tests, riscv-arch-test): a
 * program ends by writing (status << 1 | 1) to the word at its symbol tohost. Even values ask the
 * host for services, which are not served.
 *
 * It is a device without registers that looks at tohost whenever the event loop updates devices.
 */
#include "board.h"
#include "host/file.h"
#include "log.h"
#include "machine.h"
#include "util.h"

#include <stdlib.h>

static void htif_update(rvvm_mmio_dev_t *dev);

static const rvvm_mmio_type_t htif_type = {.name = "htif", .update = htif_update};

static uint32_t htif_read_word(rvvm_machine_t *machine, paddr_t addr)
{
    uint8_t word[4] = {0};
    rvvm_read_ram(machine, word, addr, sizeof(word));
    return util_get_le32(word);
}

static void htif_update(rvvm_mmio_dev_t *dev)
{
    paddr_t tohost = dev->machine->firmware_image.tohost;
    if (tohost && (htif_read_word(dev->machine, tohost) & 1)) {
        rvvm_reset_machine(dev->machine, false);
    }
}

bool board_attach_htif(rvvm_machine_t *machine)
{
    return rvvm_attach_mmio(machine, &(rvvm_mmio_dev_t){.type = &htif_type}) != NULL;
}

bool board_htif_status(const rvvm_machine_t *machine, uint32_t *status)
{
    const loader_image_t *image = &machine->firmware_image;
    uint8_t word[4] = {0};
    if (!image->tohost ||
        !rvvm_read_ram((rvvm_machine_t *)machine, word, image->tohost, sizeof(word))) {
        return false;
    }
    *status = util_get_le32(word) >> 1;
    return word[0] & 1;
}

bool board_write_signature(rvvm_machine_t *machine, const char *path)
{
    static const char digits[] = "0123456789abcdef";
    const loader_image_t *image = &machine->firmware_image;
    char why[160];
    if (!image->begin_signature || image->end_signature < image->begin_signature) {
        rvvm_error("no signature: the program has no symbols begin_signature and end_signature");
        return false;
    }
    size_t words = (size_t)(image->end_signature - image->begin_signature) / 4;
    char *text = malloc(words * 9 + 1);
    if (!text) {
        rvvm_error("%s: out of memory", path);
        return false;
    }
    for (size_t i = 0; i < words; i++) {
        uint32_t word = htif_read_word(machine, image->begin_signature + i * 4);
        for (int d = 0; d < 8; d++) {
            text[i * 9 + (size_t)d] = digits[word >> (28 - d * 4) & 15];
        }
        text[i * 9 + 8] = '\n';
    }
    bool ok = host_file_write_all(path, text, words * 9, why, sizeof(why));
    if (!ok) {
        rvvm_error("%s: %s", path, why);
    }
    free(text);
    return ok;
}
