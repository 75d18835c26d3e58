#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Linux to a shell prompt and off again: 1, 2 and 4 harts, built-in SBI and OpenSBI, reboot.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh

cat >"$tests_dir/boot" <<'END'
expect "rvkit:~# " 120
send "echo harts=$(nproc) sum=$((20+22))\n"
expect "harts="
expect "sum=42"
expect "# "
send "poweroff -f\n"
off 60
END
cat >"$tests_dir/reboot" <<'END'
expect "rvkit:~# " 120
send "reboot -f\n"
expect "rvkit:~# " 120
send "poweroff\n"
off 60
END

for harts in 1 2 4; do
    check "built-in SBI, $harts harts: prompt, and power off ends with 0" play "$tests_dir/boot" -s $harts
    check "built-in SBI, $harts harts: all are up" grep -q "^harts=$harts sum=42" "$tests_dir/out"
    if [ -r "$FIRMWARE" ]; then
        check "OpenSBI, $harts harts: prompt, and power off ends with 0" \
            play "$tests_dir/boot" -s $harts -bios "$FIRMWARE"
        check "OpenSBI, $harts harts: all are up" grep -q "^harts=$harts sum=42" "$tests_dir/out"
    fi
done
check "64 MiB are enough" play "$tests_dir/boot" -m 64M
check "2 GiB are not too much" play "$tests_dir/boot" -m 2G
check "reboot, built-in SBI" play "$tests_dir/reboot" -s 2
[ -r "$FIRMWARE" ] && check "reboot, OpenSBI" play "$tests_dir/reboot" -s 2 -bios "$FIRMWARE"
finish
