#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# tests/web/run.sh [FILE...]   runs these tests of the web part, or all, two files at a time: they wait more than they
# compute. Needs `make web GUEST=1 relay`. The last line is "N passed, N failed"; a test that was skipped has failed.
if [ "$1" = --one ]; then
    # run.sh --one FOLDER FILE: what it said goes to a file in FOLDER, its counts beside it.
    log=$2/$(basename "$3") start=$(date +%s)
    status=0
    timeout 1200 node --test "$3" >"$log.out" 2>&1 || status=$?
    count() { sed -n "s/^# $1 //p" "$log.out"; }
    p=$(count pass) f=$(count fail) s=$(count skipped) c=$(count cancelled)
    lost=$((${f:-0} + ${s:-0} + ${c:-0}))
    # A file that ended badly without a failure, or without a count, is one.
    [ "$status" -eq 0 ] && [ -n "$p" ] || [ "$lost" -gt 0 ] || lost=1
    echo "${p:-0} $lost" >"$log.count"
    {
        echo "# $3, $(($(date +%s) - start)) s"
        grep -E '^ *(not )?ok ' "$log.out" || cat "$log.out"
        [ "$lost" -eq 0 ] || grep -A25 -E '^ *not ok' "$log.out"
    } >"$log.log"
    cat "$log.log"
    exit 0
fi

cd "$(dirname "$0")/../.." || exit 1
# Those with the longest first.
[ $# -gt 0 ] || set -- tests/web/[pmsu]*.test.js tests/web/[!pmsu]*.test.js
logs=$(mktemp -d) || exit 1
trap 'rm -rf "$logs"' EXIT
printf '%s\n' "$@" | xargs -P 2 -I '{}' tests/web/run.sh --one "$logs" '{}'
passed=0 failed=0
for file; do
    p=0 f=1 # of one that left no counts
    [ ! -r "$logs/$(basename "$file").count" ] || read -r p f <"$logs/$(basename "$file").count"
    passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
