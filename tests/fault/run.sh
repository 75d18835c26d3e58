#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Runs the fault tests named (all by default) and adds up their "N passed, N failed" lines.
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
[ $# -gt 0 ] || set -- $(ls tests/fault/*.sh | grep -v '/run\.sh$')
for script in "$@"; do
    "$script" >"$log" 2>&1
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
    [ -n "$line" ] || line="0 passed, 1 failed"
    p=${line%% *} f=${line#*, } f=${f%% *}
    [ "$f" -eq 0 ] || cat "$log"
    echo "$script: $p passed, $f failed"
    passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
