#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# What takes long: BOOTS boots (50) of each kernel, SBI and number of harts in turn, none of which may hang;
# and as many with WebAssembly in Node, ten in Chromium.
# Usage: tests/soak.sh [BOOTS]     KERNELS="6.1 6.12" HARTS="1 2 4" narrow it.
cd "$(dirname "$0")/.." || exit 1
boots=${1:-50} kernels=${KERNELS:-6.1 6.12} harts=${HARTS:-1 2 4}
for linux in $kernels; do
    LINUX=$linux guest/build.sh kernel || exit 1
done
guest/build.sh initramfs opensbi || exit 1
make --no-print-directory -j"$(nproc)" all || exit 1
make --no-print-directory -j"$(nproc)" web GUEST=1 || exit 1
. tests/boot/lib.sh
printf '%s\n' 'expect "rvkit:~# " 60' 'send "echo harts=$(nproc)\n"' 'expect "harts="' 'send "poweroff -f\n"' 'off 60' \
    >"$tests_dir/boot"

for linux in $kernels; do
    KERNEL=$(LINUX=$linux guest/build.sh path kernel)
    for count in $harts; do
        for sbi in built-in OpenSBI; do
            done_boots=0
            while [ "$done_boots" -lt "$boots" ]; do
                if [ "$sbi" = OpenSBI ]; then
                    play "$tests_dir/boot" -s "$count" -bios "$FIRMWARE" || break
                else
                    play "$tests_dir/boot" -s "$count" || break
                fi
                grep -q "^harts=$count" "$tests_dir/out" || break
                done_boots=$((done_boots + 1))
            done
            check "Linux $linux, $count harts, $sbi SBI: $done_boots of $boots boots" test "$done_boots" -eq "$boots"
        done
    done
done
for linux in $kernels; do
    check "Linux $linux in Node, $boots boots" env LINUX="$linux" node tests/web/soak.js "$boots"
    check "Linux $linux in Chromium, 10 boots" node tests/web/soak-browser.js 10 "$linux"
done
check 'disks of browsers survive kills' env STORE_KILLS=8 STORE_ROUNDS=100 \
    tests/web/run.sh tests/web/store.test.js tests/web/store-browser.test.js
finish
