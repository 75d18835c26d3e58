#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Runs C test programs one after another and adds up their "N passed, N failed" lines.
# Usage: run-c.sh RUNNER PROGRAM...   (RUNNER may be empty, or several words such as "qemu-aarch64 -L DIR")
runner=$1
shift
passed=0 failed=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
for program in "$@"; do
    # shellcheck disable=SC2086
    timeout -k 5 600 $runner "$program" >"$log" 2>&1
    status=$?
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
    p=${line%% *} f=${line#*, } f=${f%% *}
    if [ -z "$line" ] || { [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; }; then
        cat "$log"
        echo "not ok $program: exit status $status"
        f=$((${f:-0} + 1))
    elif [ "$f" -ne 0 ]; then
        grep -v '^ok ' "$log"
    fi
    echo "$program: ${p:-0} passed, $f failed"
    passed=$((passed + ${p:-0})) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
