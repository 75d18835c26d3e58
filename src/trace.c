/* SPDX-License-Identifier: MPL-2.0 */
/* The instruction trace: hart, mode, pc, word and disassembly of each instruction, one line each.
 */
#include "board.h"
#include "machine.h"

static void trace_print(void *opaque, hart_t *hart, uint32_t pc, uint32_t insn, const char *text)
{
    static const char modes[4] = {'U', 'S', '?', 'M'};
    FILE *out = opaque;
    int digits = (insn & 3) == 3 ? 8 : 4;
    fprintf(out, "%u %c 0x%08x: %*s%0*x  %s\n", (unsigned)hart_id(hart),
            modes[hart_get_priv(hart) & 3], (unsigned)pc, 8 - digits, "", digits,
            (unsigned)(digits == 8 ? insn : insn & 0xffff), text);
}

void board_trace(rvvm_machine_t *machine, FILE *out)
{
    for (uint32_t i = 0; i < machine->hart_count; i++) {
        hart_set_trace(machine->harts[i].hart, trace_print, out);
    }
}
