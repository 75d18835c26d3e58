#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Firmware that does by itself what teaching systems such as xv6 do (small_os.c): supervisor mode, Sv32, interrupts
# of timer, UART and a legacy virtio-mmio disk. Its sums and its block are compared with the image's.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
os=build/tests/boot/small_os.elf
check "small_os is built" make --no-print-directory -s "$os"
bytes() { dd if="$tests_dir/disk" bs=1024 skip="$1" count=1 status=none | od -An -v -tu1 | tr -s ' ' '\n' | sed '/^$/d'; }
# sum N: of a block, as the guest computes it.
sum() {
    bytes "$1" | awk '{s = (s * 31 + $1) % 4294967296}
        END {s = sprintf("%x%04x", int(s / 65536), s % 65536); sub(/^0+/, "", s); print s}'
}
turned() { bytes "$1" | awk '{print 255 - $1}'; }

cat >"$tests_dir/script" <<'END'
expect "ticking" 60
expect "$ "
send "hello, small system\r"
expect "you typed 19: hello, small system" 20
expect "$ "
send "off\r"
off 20
END
for mode in '' '-s 2' -icount; do
    name="small_os${mode:+ ($mode)}"
    head -c 65536 /dev/urandom >"$tests_dir/disk"
    before=$(bytes 0)
    # shellcheck disable=SC2086
    timeout 120 "$RVKIT" -bios "$os" -m 16M -virtio legacy -drive "$tests_dir/disk" $mode -script "$tests_dir/script" \
        </dev/null >"$tests_dir/raw" 2>"$tests_dir/err"
    check "$name powers off" test "$?" -eq 0
    tr -d '\r' <"$tests_dir/raw" >"$tests_dir/out"
    check "$name says no more than it should" test "$(wc -l <"$tests_dir/out")" -eq 10
    for n in 0 1 5; do
        check "$name: block $n" grep -qx "block $n: $(sum $n)" "$tests_dir/out"
    done
    check "$name: block 0 is as it was" test "$(bytes 0)" = "$before"
    check "$name: block 5 is block 0 turned over" test "$(bytes 5)" = "$(turned 0)"
    check "$name echoes" grep -qx '\$ hello, small system' "$tests_dir/out"
done

# Without -virtio legacy it says what is wrong, and stays where it is.
printf 'expect "panic: virtio version 2" 60\nquit 3\n' >"$tests_dir/script"
timeout 120 "$RVKIT" -bios "$os" -m 16M -drive "$tests_dir/disk" -script "$tests_dir/script" </dev/null >/dev/null 2>&1
check "small_os finds version 2 of the interface when it is not told otherwise" test "$?" -eq 3
finish
