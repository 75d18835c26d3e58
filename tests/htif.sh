#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Bare-metal test programs: tohost gives the exit status, -signature the words, -trace the instructions.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

# An ELF file made by hand, linked at 0x80000000, with a symbol table:
#   auipc t0, 0;  addi t0, t0, 32;  li t1, 42 << 1 | 1;  sw t1, 0(t0);  j .
#   tohost at +32; begin_signature at +40: 0xdeadbeef, 0x1234; end_signature at +48
program() {
    printf '\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\363\0\1\0\0\0'
    printf '\0\0\0\200\64\0\0\0\354\0\0\0\0\0\0\000\64\0\40\0\1\0(\0'
    printf '\3\0\2\0\1\0\0\0T\0\0\0\0\0\0\200\0\0\0\200\60\0\0\0'
    printf '\60\0\0\0\7\0\0\0\4\0\0\0\227\2\0\0\223\202\2\2\23\3P\5'
    printf '#\240b\0o\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
    printf '\0\0\0\0\357\276\255\336\64\22\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
    printf '\0\0\0\0\1\0\0\0\40\0\0\200\0\0\0\0\20\0\1\0\10\0\0\0'
    printf '(\0\0\200\0\0\0\0\20\0\1\0\30\0\0\000\60\0\0\200\0\0\0\0'
    printf '\20\0\1\0\0tohost\0begin_signat'
    printf 'ure\0end_signature\0\0\0\0\0\0\0'
    printf '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
    printf '\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0'
    printf '\0\0\0\0\204\0\0\0@\0\0\0\2\0\0\0\1\0\0\0\4\0\0\0'
    printf '\20\0\0\0\11\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\304\0\0\0'
    printf '&\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0'
}
program >"$tests_dir/test.elf"
cat >"$tests_dir/want" <<'END'
deadbeef
00001234
END
for mode in "" -icount "-s 2"; do
    # shellcheck disable=SC2086
    timeout 20 "$RVKIT" "$tests_dir/test.elf" $mode -signature "$tests_dir/signature" </dev/null
    check "exit status is tohost >> 1${mode:+ ($mode)}" test "$?" -eq 42
    check "signature${mode:+ ($mode)}" cmp "$tests_dir/want" "$tests_dir/signature"
    rm -f "$tests_dir/signature"
done

timeout 20 "$RVKIT" -bios "$tests_dir/test.elf" -m 16M -d in_asm -log "$tests_dir/log" </dev/null
check "with a trace: exit status" test "$?" -eq 42
check "the trace has the instructions in order" test "$(head -n 4 "$tests_dir/log" | cut -c1-25 | tr '\n' ' ')" = \
    "0 M 0x80000000: 00000297  0 M 0x80000004: 02028293  0 M 0x80000008: 05500313  0 M 0x8000000c: 0062a023  "
check "the trace disassembles" grep -q '0x8000000c: 0062a023  sw .*t1' "$tests_dir/log"

timeout 20 "$RVKIT" "$tests_dir/test.elf" -signature "$tests_dir/none/signature" </dev/null 2>"$tests_dir/err"
check "a signature that cannot be written" test "$?" -eq 1 -a "$(wc -l <"$tests_dir/err")" -eq 1
printf '\157\0\0\0' >"$tests_dir/flat"
printf 'quit 0\n' >"$tests_dir/script"
timeout 20 "$RVKIT" "$tests_dir/flat" -script "$tests_dir/script" -signature "$tests_dir/signature" \
    </dev/null 2>"$tests_dir/err"
check "a program without a signature" test "$?" -eq 1 -a "$(wc -l <"$tests_dir/err")" -eq 1
finish
