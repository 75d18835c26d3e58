#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# With -icount two runs of the same boot print the same bytes, whatever the host does meanwhile.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh

cat >"$tests_dir/boot" <<'END'
expect "rvkit:~# " 120
send "dmesg | tail -n 3; cat /proc/interrupts; date +%s%N; head -c 16 /dev/urandom | sha256sum\n"
expect "  -"
send "ps; for i in 1 2 3 4; do (echo $i; sleep 0.01; echo $i) & done; wait\n"
expect "# "
send "poweroff -f\n"
off 60
END

for harts in 1 2 4; do
    if play "$tests_dir/boot" -icount -s $harts; then
        mv "$tests_dir/out" "$tests_dir/first"
        # The second run's output goes to a reader that dawdles.
        timeout 300 "$RVKIT" -k "$KERNEL" -initrd "$INITRAMFS" -script "$tests_dir/boot" -icount -s $harts \
            </dev/null 2>"$tests_dir/err" | {
            sleep 1
            cat
        } >"$tests_dir/second"
        check "$harts harts: identical consoles ($(wc -c <"$tests_dir/first") bytes)" \
            cmp "$tests_dir/first" "$tests_dir/second"
    else
        fail "$harts harts: the boot with -icount"
    fi
done
finish
