/* SPDX-License-Identifier: MPL-2.0 */
/* insn_disasm: one line per operand format, and every row starts with its own mnemonic. */
#include "cpu/decode.h"
#include "tap.h"

static void check_text(uint32_t word, const char *want)
{
    char text[80];
    unsigned len = insn_disasm(text, sizeof(text), word, 0x80000000);
    CHECK_EQ((word & 3) == 3 ? 4 : 2, len);
    CHECK(strcmp(want, text) == 0);
    if (strcmp(want, text) != 0) {
        printf("# want \"%s\", got \"%s\"\n", want, text);
    }
}

TEST(integer_formats)
{
    check_text(0x00000073, "ecall");
    check_text(0x01df0fb3, "add t6, t5, t4");
    check_text(0x60051513, "clz a0, a0");
    check_text(0xfff50513, "addi a0, a0, -1");
    check_text(0x41f55513, "srai a0, a0, 31");
    check_text(0xffc5a503, "lw a0, -4(a1)");
    check_text(0xfea5afa3, "sw a0, -1(a1)");
    check_text(0x00b50463, "beq a0, a1, 0x80000008");
    check_text(0xfffff537, "lui a0, 0xfffff");
    check_text(0x00001517, "auipc a0, 0x1");
    check_text(0xffdff0ef, "jal ra, 0x7ffffffc");
    check_text(0x00050067, "jalr zero, 0(a0)");
    check_text(0x12b50073, "sfence.vma a0, a1");
    check_text(0x0045200f, "cbo.zero (a0)");
}

TEST(fences)
{
    check_text(0x0ff0000f, "fence iorw, iorw");
    check_text(0x8330000f, "fence.tso");
    check_text(0x0100000f, "fence w, 0");
    check_text(0x0000100f, "fence.i");
}

TEST(csrs)
{
    check_text(0x305512f3, "csrrw t0, mtvec, a0");
    check_text(0x3b702573, "csrrs a0, pmpaddr7, zero");
    check_text(0xc83fd573, "csrrwi a0, hpmcounter3h, 31");
    check_text(0xfff02573, "csrrs a0, 0xfff, zero");
}

TEST(atomics)
{
    check_text(0x1005a52f, "lr.w a0, (a1)");
    check_text(0x1ea5a52f, "sc.w.aqrl a0, a0, (a1)");
    check_text(0x02a5a52f, "amoadd.w.rl a0, a0, (a1)");
    check_text(0xe4a5a52f, "amomaxu.w.aq a0, a0, (a1)");
}

TEST(float_formats)
{
    check_text(0xff85b507, "fld fa0, -8(a1)");
    check_text(0x00a5a427, "fsw fa0, 8(a1)");
    check_text(0x02a5f553, "fadd.d fa0, fa1, fa0");
    check_text(0x00a59553, "fadd.s fa0, fa1, fa0, rtz");
    check_text(0x5805f553, "fsqrt.s fa0, fa1");
    check_text(0x20a59553, "fsgnjn.s fa0, fa1, fa0");
    check_text(0x68a5c543, "fmadd.s fa0, fa1, fa0, fa3, rmm");
    check_text(0xc0059553, "fcvt.w.s a0, fa1, rtz");
    check_text(0xe0059553, "fclass.s a0, fa1");
    check_text(0xa2b52553, "feq.d a0, fa0, fa1");
    check_text(0xf0058553, "fmv.w.x fa0, a1");
    check_text(0xd005d553, "fcvt.s.w fa0, a1, rm5");
}

TEST(compressed_and_illegal)
{
    check_text(0x1234157d, "addi a0, a0, -1"); /* the upper half is not looked at */
    check_text(0xa001, "jal zero, 0x80000000");
    check_text(0x0000, "illegal 0x0000");
    check_text(0xffffffff, "illegal 0xffffffff");
}

TEST(every_mnemonic)
{
    for (int id = 0; id < INSN_COUNT; id++) {
        char text[80];
        const char *m = insn_info[id].mnemonic;
        insn_disasm(text, sizeof(text), insn_info[id].match, 0);
        CHECK(strncmp(text, m, strlen(m)) == 0);
        CHECK(text[strlen(m)] == (insn_info[id].format == FMT_NONE ? '\0' : ' '));
    }
}

TEST(short_buffer)
{
    char text[8];
    memset(text, 'x', sizeof(text));
    CHECK_EQ(4, insn_disasm(text, 4, 0xfff50513, 0));
    CHECK(memcmp(text, "add\0xxxx", 8) == 0);
}

int main(void)
{
    RUN(integer_formats);
    RUN(fences);
    RUN(csrs);
    RUN(atomics);
    RUN(float_formats);
    RUN(compressed_and_illegal);
    RUN(every_mnemonic);
    RUN(short_buffer);
    return tap_finish();
}
