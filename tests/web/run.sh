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
    timeout 1200 node --test "$file" >"$log" 2>&1 || failed_run=1
    grep -E '^ *(not )?ok |^ +(error|# )' "$log" | grep -vE '^ *ok .*tests/web/' || cat "$log"
    p=$(sed -n 's/^# pass //p' "$log") f=$(sed -n 's/^# fail //p' "$log")
    s=$(sed -n 's/^# skipped //p' "$log") c=$(sed -n 's/^# cancelled //p' "$log")
    lost=$((${f:-0} + ${s:-0} + ${c:-0}))
    # A file that ended without a count, or badly without a failure, is one.
    [ -n "$p" ] && [ "$lost" -gt 0 -o -z "${failed_run:-}" ] || lost=$((lost + 1))
    passed=$((passed + ${p:-0})) failed=$((failed + lost)) failed_run=
    [ "$lost" -eq 0 ] || grep -A25 -E '^ *not ok' "$log"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
