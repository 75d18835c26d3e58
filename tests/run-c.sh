#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Runs C test programs, as many at a time as there are processors, and adds up their "N passed, N failed" lines.
# Usage: run-c.sh RUNNER PROGRAM...   (RUNNER may be empty, or several words such as "qemu-aarch64 -L DIR")
# With THREADS=only, programs that have no code to start a thread are left out: TSan has nothing to find in them.
if [ "$1" = --one ]; then
    # run-c.sh --one FOLDER RUNNER PROGRAM: what it said goes to a file in FOLDER.
    log=$2/$(echo "$4" | tr / _)
    # shellcheck disable=SC2086
    timeout -k 5 600 $3 "$4" >"$log.out" 2>&1
    status=$?
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log.out" | tail -n 1)
    p=${line%% *} f=${line#*, } f=${f%% *}
    {
        if [ -z "$line" ] || { [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; }; then
            cat "$log.out"
            echo "not ok $4: exit status $status"
            f=$((${f:-0} + 1))
        elif [ "$f" -ne 0 ]; then
            grep -v '^ok ' "$log.out"
        fi
        echo "$4: ${p:-0} passed, $f failed"
    } >"$log.log"
    cat "$log.log"
    exit 0
fi

runner=$1
shift
if [ "${THREADS-}" = only ]; then
    for program; do
        shift
        ! nm "$program" | grep -q ' [TU] pthread_create' || set -- "$@" "$program"
    done
fi
logs=$(mktemp -d) || exit 1
trap 'rm -rf "$logs"' EXIT
printf '%s\n' "$@" | xargs -P "$(nproc 2>/dev/null || echo 1)" -I '{}' "$0" --one "$logs" "$runner" '{}'
passed=0 failed=0
for program; do
    line=$(tail -n 1 "$logs/$(echo "$program" | tr / _).log")
    line=${line##*: }
    p=${line%% *} f=${line#*, } f=${f%% *}
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
