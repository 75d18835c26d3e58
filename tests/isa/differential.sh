#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# The differential ISA test: random programs (tests/isa/gen) on rvkit and on qemu-system-riscv32, whose
# outputs must be the same. What is left out of the comparison, and why: tests/isa/differences.txt.
#
# Usage: differential.sh RVKIT ISAGEN [SEEDS [FIRST]]
# KEEP=1 keeps build/isa with programs and outputs.
rvkit=$1 isagen=$2 seeds=${3:-8} first=${4:-1}
segments=60 rounds=20
work=build/isa
# Two harts, so that QEMU uses its real atomics; AIA for the standard interrupt priorities.
cpu=rv32,zba=true,zbb=true,zbc=true,zbs=true,zkr=true,svinval=true,sstc=true,x-smaia=true,x-ssaia=true
cpu=$cpu,h=false,pmu-num=0,Zfh=false,Zfhmin=false,zbkb=false
passed=0 failed=0 instructions=0 retired=0

if [ ! -x "$rvkit" ] || [ ! -x "$isagen" ]; then
    echo "usage: differential.sh RVKIT ISAGEN [SEEDS [FIRST]]" >&2
    exit 2
fi
mkdir -p "$work" || exit 2
[ -n "$KEEP" ] || trap 'rm -rf "$work"' EXIT

run_rvkit() { timeout 120 "$rvkit" -bios "$1" -m 64M -serial stdout </dev/null 2>"$2.err" | tr -d '\r' >"$2"; }

run_qemu() {
    timeout 120 qemu-system-riscv32 -M virt -smp 2 -m 64 -display none -monitor none -serial stdio \
        -cpu "$cpu" -bios "$1" </dev/null 2>"$2.err" | tr -d '\r' >"$2"
}

# Reports where the runs of a seed part: its first different line, then the state there.
explain() {
    line=$(cmp -l "$work/$1.ours" "$work/$1.qemu" 2>/dev/null | head -n 1 | awk '{print int(($1 - 1) / 9)}')
    if [ -z "$line" ]; then
        echo "  one output is shorter: rvkit $(wc -l <"$work/$1.ours") lines, QEMU $(wc -l <"$work/$1.qemu")"
        tail -n 3 "$work/$1.raw.err"
        return
    fi
    for step in "-step $((line % (segments + 1)))" ""; do
        # shellcheck disable=SC2086
        "$isagen" -seed "$1" -segments $segments -rounds $rounds -dump "$line" $((line + 1)) $step \
            -o "$work/explain.elf" >"$work/explain.log"
        run_rvkit "$work/explain.elf" "$work/explain.ours"
        run_qemu "$work/explain.elf" "$work/explain.qemu"
        echo "  line $line${step:+, with $step}: here rvkit, there QEMU"
        "$isagen" -explain "$work/explain.elf" "$work/explain.ours" "$work/explain.qemu" "$line"
    done
}

compare() {
    "$isagen" -seed "$1" -segments $segments -rounds $rounds -o "$work/$1.elf" >"$work/$1.log" || return 1
    run_rvkit "$work/$1.elf" "$work/$1.raw"
    head -n -2 "$work/$1.raw" >"$work/$1.ours"
    run_qemu "$work/$1.elf" "$work/$1.raw.qemu"
    head -n -2 "$work/$1.raw.qemu" >"$work/$1.qemu"
    count=$(($(tail -n 2 "$work/$1.raw" | tr '\n' ' ' | awk '{print "0x" $1 " * 4294967296 + 0x" $2}')))
    instructions=$((instructions + $(sed -n 's/^instructions //p' "$work/$1.log")))
    retired=$((retired + count))
    [ "$(wc -l <"$work/$1.ours")" -eq $(((segments + 1) * rounds)) ] &&
        cmp -s "$work/$1.ours" "$work/$1.qemu"
}

if ! command -v qemu-system-riscv32 >/dev/null; then
    echo "not ok differential: qemu-system-riscv32 is missing (Debian: qemu-system-misc)"
    echo "0 passed, 1 failed"
    exit 1
fi

seed=$first
while [ "$seed" -lt $((first + seeds)) ]; do
    if compare "$seed"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok seed $seed"
        explain "$seed"
    fi
    seed=$((seed + 1))
done

# Every row of the table but those that QEMU 7.2 lacks, which tests/isa/cbo.c has.
"$isagen" -rows | sort >"$work/rows.all"
sort -u "$work"/[0-9]*.log | grep '^row' >"$work/rows.seen"
printf 'row cbo.%s\n' clean flush inval zero >"$work/rows.lacking"
sort "$work/rows.seen" "$work/rows.lacking" | cmp -s - "$work/rows.all"
if [ $? -eq 0 ]; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "not ok rows: these are not covered, or covered twice:"
    sort "$work/rows.seen" "$work/rows.lacking" | comm -3 - "$work/rows.all"
fi

echo "differential: $seeds programs, $instructions random instructions, $retired executed in all"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
