#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# RVVM's MMIO devices, unmodified, from a checkout of either state: compiles them against the public headers
# here and runs them on this machine. Usage: tests/upstream/devices.sh RVVM=DIR   (BUILD: the build directory)
cd "$(dirname "$0")/../.." || exit 2
rvvm=${1#RVVM=} build=${BUILD:-build} cc=${CC:-gcc}
[ -f "$rvvm/src/devices/eth-oc.c" ] || { echo "usage: $0 RVVM=DIR (an RVVM checkout)" >&2 && exit 2; }
make --no-print-directory BUILD="$build" "$build/librvkit.a" >/dev/null || exit 1
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
passed=0 failed=0
# RVVM's headers come last: its devices' own, and those that only name constants.
flags="-std=gnu11 -O1 -g -pthread -Iinclude -Iinclude/rvvm/abi7 -idirafter $rvvm/src/devices -idirafter $rvvm/src"
flags="$flags -idirafter $rvvm/src/util -DUSE_FDT=1 -DUSE_NET=1 -Werror=implicit-function-declaration"
flags="$flags -Werror=incompatible-pointer-types -Werror=int-conversion"
objects=
for name in eth-oc rtc-ds1742 i2c-oc i2c-hid hid-keyboard gpio-sifive ns16550a; do
    # shellcheck disable=SC2086
    if $cc $flags -c -o "$work/$name.o" "$rvvm/src/devices/$name.c" >"$work/log" 2>&1; then
        echo "ok compiles $name.c" && passed=$((passed + 1))
    else
        sed 's/^/# /' "$work/log" | head -n 20
        echo "not ok compiles $name.c" && failed=$((failed + 1))
    fi
    objects="$objects $work/$name.o"
done
# shellcheck disable=SC2086
if $cc $flags -Wall -Wextra -Wno-unused-parameter -Wl,--wrap=rvvm_attach_mmio -o "$work/devices" tests/upstream/devices.c \
    $objects "$build/librvkit.a" -lm $(pkg-config --libs slirp 2>/dev/null) >"$work/log" 2>&1; then
    timeout 60 "$work/devices" >"$work/out" 2>&1
    grep -vE '^[0-9]+ passed' "$work/out"
    passed=$((passed + $(grep -c '^ok ' "$work/out"))) failed=$((failed + $(grep -c '^not ok ' "$work/out")))
    grep -q '^[0-9]* passed' "$work/out" || { echo 'not ok the test came to its end' && failed=$((failed + 1)); }
else
    sed 's/^/# /' "$work/log" | head -n 30
    echo 'not ok links' && failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
