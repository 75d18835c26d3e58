#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Every test, stage by stage; `tests/run.sh STAGE...` runs some. The last line is "N passed, N failed".
# Each stage's output is kept in build/test/STAGE.log and shown when something in it failed.
cd "$(dirname "$0")/.." || exit 1
jobs=$(nproc 2>/dev/null || echo 2)
logs=build/test
mkdir -p "$logs"
make="make --no-print-directory -j$jobs"
passed=0 failed=0 begun=$(date +%s)

stage_guest() { guest/build.sh kernel initramfs disk desktop opensbi; }
stage_recipes() { guest/test.sh; }
stage_deps() { tests/deps.sh; }
stage_build() { $make all lib isagen; }
stage_walls() { tests/walls.sh; }
stage_c() { $make test-c; }
stage_clang() { $make BUILD=build/clang CC=clang all && $make BUILD=build/clang CC=clang test-c; }
stage_asan() { $make BUILD=build/asan SANITIZE=address,undefined OPT=-O1 all test-c; }
stage_tsan() { THREADS=only $make BUILD=build/tsan SANITIZE=thread OPT=-O1 all test-c; }
stage_aarch64() {
    $make BUILD=build/aarch64 CC=aarch64-linux-gnu-gcc RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu' test-c
}
stage_wasm() { $make BUILD=build/wasm CC=emcc test-c; }
stage_mutants() { tests/device/mutants.sh; }
stage_isa() { tests/isa/differential.sh build/rvkit build/tests/isa/gen/rvkit-isagen; }
stage_badinput() { RVKIT=build/asan/rvkit tests/badinput.sh; }
stage_cli() { tests/cli.sh; }
stage_htif() { tests/htif.sh; }
stage_install() { tests/install.sh; }
stage_fault() { tests/fault/run.sh; }
stage_vt() { tests/vt/oracle.sh; }
stage_vttest() { tests/vt/vttest.sh; }
stage_sdl_c() { $make sdl test-sdl; }
stage_sdl() { $make sdl sdl-two && tests/sdl/run.sh; }
# The same script with each program: as users have it, and with what finds mistakes in memory and between threads.
stage_relay() {
    $make relay && $make BUILD=build/clang CC=clang relay &&
        $make BUILD=build/asan SANITIZE=address,undefined OPT=-O1 relay &&
        $make BUILD=build/tsan SANITIZE=thread OPT=-O1 relay &&
        tests/relay/run.sh build/rvkit-relay build/clang/rvkit-relay build/asan/rvkit-relay build/tsan/rvkit-relay
}
stage_web() { $make web GUEST=1 relay && tests/web/run.sh; }
stage_boot() { tests/boot/run.sh; }
stage_screens() { tests/boot/run.sh tests/boot/desktop.sh tests/boot/desktop_disk.sh; }
stage_boot_tsan() { tests/boot/tsan.sh; }

all='guest recipes deps build walls web boot c clang asan tsan aarch64 wasm mutants isa badinput cli htif vt vttest install relay screens sdl_c sdl fault boot_tsan'
# What waits more than it computes runs beside the next ones, one after the other; from the quiet ones on all is quiet:
# they look at pictures and listen.
beside='web boot' quiet='screens sdl_c sdl'

# Prints a stage's line, and what went wrong in it; its counts are in STAGE.count.
run_stage() {
    log=$logs/$1.log
    start=$(date +%s)
    (stage_"$1") >"$log" 2>&1 </dev/null
    status=$?
    line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    p=${line%% *} f=${line#*, } f=${f%% *}
    p=${p:-0} f=${f:-0}
    # A stage without counts of its own (a build) is one test.
    [ -n "$line" ] || [ "$status" -ne 0 ] || p=1
    [ "$status" -eq 0 ] || [ "$f" -ne 0 ] || f=1
    echo "$p $f" >"$logs/$1.count"
    printf '%-10s %s\n' "$1" "$p passed, $f failed, $(($(date +%s) - start)) s"
    [ "$f" -eq 0 ] || { grep -anE '^not ok|^# |error|Error|failed|ERROR' "$log" | grep -av ", 0 failed$" | tail -n 60; tail -n 40 "$log" | grep -av ", 0 failed$"; }
}

# Waits for the stages that run beside the others.
join() {
    [ -n "$running" ] || return 0
    wait
    cat "$logs/beside.said"
    running=
}

is_in() { case " $2 " in *" $1 "*) ;; *) false ;; esac }

aside="" running=""
for stage in ${*:-$all}; do
    is_in "$stage" "$all" || { echo "tests/run.sh: no stage $stage; there are: $all" >&2 && exit 2; }
    ! is_in "$stage" "$beside" || aside="$aside $stage"
done
rm -f "$logs"/*.count
for stage in ${*:-$all}; do
    ! is_in "$stage" "$quiet" || join
    if ! is_in "$stage" "$beside"; then
        run_stage "$stage"
    elif [ -z "$running" ]; then
        running=yes
        for stage in $aside; do run_stage "$stage"; done >"$logs/beside.said" 2>&1 &
    fi
done
join
for count in "$logs"/*.count; do
    read -r p f <"$count"
    passed=$((passed + p)) failed=$((failed + f))
    # What failed, once more: who sees the last page of a long output sees it.
    [ "$f" -eq 0 ] || { log=${count%.count}.log && echo "in $log:" && grep -aE '^ *not ok' "$log" | head -n 20; }
done
echo "all stages: $(($(date +%s) - begun)) s, logs in $logs/"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
