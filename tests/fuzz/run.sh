#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Builds each tests/fuzz/*.c with clang's libFuzzer, ASan and UBSan and runs it.
# Usage: tests/fuzz/run.sh [SECONDS] [TARGET...]    60 seconds each, all targets
# Corpora grow in build/fuzz/corpus/TARGET; seeds that are kept lie in tests/fuzz/seeds/TARGET.
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(ls tests/fuzz/*.c | sed 's,.*/,,; s,\.c$,,')
make --no-print-directory -j"$(nproc)" BUILD=build/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined OPT=-O1 \
    build/fuzz/librvkit.a || exit 1
passed=0 failed=0
for target; do
    corpus=build/fuzz/corpus/$target seeds=tests/fuzz/seeds/$target
    mkdir -p "$corpus"
    [ -d "$seeds" ] || seeds=
    if clang -std=gnu11 -O1 -g -pthread -Iinclude -Isrc -Itests -fsanitize=fuzzer,address,undefined \
        -fno-sanitize-recover=all "tests/fuzz/$target.c" build/fuzz/librvkit.a -lm -o "build/fuzz/$target" &&
        "build/fuzz/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
            -artifact_prefix="build/fuzz/$target-" "$corpus" $seeds >"build/fuzz/$target.log" 2>&1; then
        passed=$((passed + 1))
        echo "ok $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$target.log") runs in $seconds s"
    else
        failed=$((failed + 1))
        tail -n 40 "build/fuzz/$target.log"
        echo "not ok $target: see build/fuzz/$target.log"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
