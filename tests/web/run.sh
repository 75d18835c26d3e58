#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# tests/web/run.sh [FILE...]   runs these tests of the web part, or all, one file after the other.
# Needs `make web GUEST=1 relay`. The last line is "N passed, N failed"; a test that was skipped has failed.
cd "$(dirname "$0")/../.." || exit 1
[ $# -gt 0 ] || set -- tests/web/*.test.js
passed=0 failed=0
log=build/test/web-node.log
mkdir -p build/test
for file; do
    echo "# $file"
    status=0
    timeout 1200 node --test "$file" >"$log" 2>&1 || status=$?
    grep -E '^ *(not )?ok ' "$log" || cat "$log"
    count() { sed -n "s/^# $1 //p" "$log"; }
    p=$(count pass) f=$(count fail) s=$(count skipped) c=$(count cancelled)
    lost=$((${f:-0} + ${s:-0} + ${c:-0}))
    # A file that ended badly without a failure, or without a count, is one.
    [ "$status" -eq 0 ] && [ -n "$p" ] || [ "$lost" -gt 0 ] || lost=1
    passed=$((passed + ${p:-0})) failed=$((failed + lost))
    [ "$lost" -eq 0 ] || grep -A25 -E '^ *not ok' "$log"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
