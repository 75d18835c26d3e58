#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# rvkit-relay, driven by hand-made WebSockets, frames and requests (relay.py).
# Usage: tests/relay/run.sh [PROGRAM...]   TESTS='WORD...': only those with one of the words in their names.
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d "${TMPDIR:-/tmp}/rvkit-relay.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP
# What is freed is not kept for long, so that memory can be measured.
export ASAN_OPTIONS="quarantine_size_mb=8:${ASAN_OPTIONS-}" PYTHONDONTWRITEBYTECODE=1
passed=0 failed=0
for program in "${@:-build/rvkit-relay}"; do
    mkdir "$dir/run" || exit 1
    echo "# $program"
    # shellcheck disable=SC2086
    python3 tests/relay/relay.py "$(realpath "$program")" "$dir/run" ${TESTS-} >"$dir/log" 2>&1
    status=$?
    grep -v '^[0-9]* passed' "$dir/log"
    line=$(grep '^[0-9]* passed' "$dir/log")
    [ -n "$line" ] || { echo "not ok $program: the script ended with status $status" && failed=$((failed + 1)); }
    p=${line%% *} f=${line#*, } f=${f%% *}
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0}))
    rm -rf "$dir/run"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
