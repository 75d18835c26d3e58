#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# The windows' tests, one after the other.
cd "$(dirname "$0")/../.." || exit 1
out=$(mktemp) && trap 'rm -f "$out"' EXIT || exit 1
passed=0 failed=0
for test in window desktop two; do
    timeout 600 "tests/sdl/$test.sh" >"$out" 2>&1
    status=$?
    grep -vE '^[0-9]+ passed, [0-9]+ failed$' "$out"
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$out")
    p=${line%% *} f=${line#*, } f=${f%% *}
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0}))
    if [ "$status" -ne 0 ] && [ "${f:-0}" -eq 0 ]; then
        echo "not ok tests/sdl/$test.sh ended with $status"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
