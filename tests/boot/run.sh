#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Runs the boot tests named (by default all but those of screens and sound) and adds up their "N passed, N failed" lines.
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
[ $# -gt 0 ] || set -- tests/boot/prompt.sh tests/boot/small_os.sh tests/boot/stdin.sh tests/boot/terminal.sh tests/boot/icount.sh tests/boot/uart.sh tests/boot/streams.sh tests/boot/net.sh \
    tests/boot/share.sh tests/boot/transport.sh tests/boot/virtio.sh
for script in "$@"; do
    "$script" >"$log" 2>&1
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
    [ -n "$line" ] || { cat "$log"; line="0 passed, 1 failed"; }
    p=${line%% *} f=${line#*, } f=${f%% *}
    if [ "$f" -ne 0 ]; then cat "$log"; else grep -E 'KB/s' "$log"; fi
    echo "$script: $p passed, $f failed"
    passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
