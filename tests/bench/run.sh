#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Speed beside QEMU in one run: boot to the prompt, and guest/bench, with the same kernel and initramfs.
# Usage: tests/bench/run.sh RVKIT [ROUNDS]     LINUX and RVKIT_CACHE as for guest/build.sh
# Without qemu-system-riscv32 only rvkit's own figures are printed. Ratios are medians of paired rounds.
set -u
cd "$(dirname "$0")/../.." || exit 1
rvkit=$1 rounds=${2:-3}
kernel=$(guest/build.sh path kernel) initrd=$(guest/build.sh path initramfs)
firmware=$(guest/build.sh path opensbi)
work=$(mktemp -d) || exit 1
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT

run_rvkit() { exec "$rvkit" -m 256M -kernel "$kernel" -initrd "$initrd"; }
run_qemu() {
    exec qemu-system-riscv32 -M virt -m 256 -nographic -bios "${firmware%.bin}.elf" -kernel "$kernel" \
        -initrd "$initrd" -append console=ttyS0
}
now() { date +%s%N; }

# wait_for TEXT SECONDS: until the console shows it; 1 when it does not.
wait_for() {
    local end=$(($(now) + $2 * 1000000000))
    until grep -qF -- "$1" "$work/out"; do
        [ "$(now)" -lt "$end" ] && kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.005
    done
}

# start NAME: a machine with its console in $work/out and its input on descriptor 3.
start() {
    rm -f "$work/in" && mkfifo "$work/in" && : >"$work/out"
    "run_$1" <"$work/in" >"$work/out" 2>&1 &
    pid=$!
    exec 3>"$work/in"
}
stop() {
    exec 3>&-
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}

# boot NAME: appends milliseconds from start to prompt to $work/NAME.boot.
boot() {
    local begun
    begun=$(now)
    start "$1"
    if wait_for 'rvkit:~# ' 60; then
        echo $((($(now) - begun) / 1000000)) >>"$work/$1.boot"
    else
        echo "tests/bench: $1 did not reach the prompt" >&2
        tail -n 3 "$work/out" >&2
    fi
    stop
}

# bench NAME ROUND: "name nanoseconds checksum" lines into $work/NAME.ROUND.
bench() {
    start "$1"
    wait_for 'rvkit:~# ' 60 && printf 'bench; echo bench "done"\n' >&3 && wait_for 'bench done' 300
    tr -d '\r' <"$work/out" | awk 'NF == 3 && $2 ~ /^[0-9]+$/ && $3 ~ /^[0-9a-f]+$/' >"$work/$1.$2"
    stop
}

names=rvkit
command -v qemu-system-riscv32 >/dev/null && names='rvkit qemu'
for name in $names; do
    eval "echo $name: \$($( [ $name = rvkit ] && echo "$rvkit -version" || echo qemu-system-riscv32 --version) | head -n 1)"
done
for round in $(seq "$rounds"); do
    for name in $names; do
        echo "round $round of $rounds: $name" >&2
        boot "$name"
        bench "$name" "$round"
    done
done

awk -v rounds="$rounds" -v names="$names" -v work="$work" '
function median(list, n,   i, j, t) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && list[j - 1] > list[j]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
    return n ? (n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2) : 0
}
function row(label, a, b, r) {
    printf "%-10s %10.3f %10s %8s\n", label, a, b ? sprintf("%.3f", b) : "-", r ? sprintf("%.2f", r) : "-"
}
BEGIN {
    two = names ~ /qemu/
    printf "%-10s %10s %10s %8s\n", "seconds", "rvkit", "qemu", "ratio"
    for (k = 1; k <= split("rvkit qemu", who, " "); k++) {
        n = 0
        while ((getline line < (work "/" who[k] ".boot")) > 0) boots[++n] = line / 1000
        boot[who[k]] = median(boots, n)
    }
    row("boot", boot["rvkit"], boot["qemu"], boot["qemu"] ? boot["rvkit"] / boot["qemu"] : 0)
    for (round = 1; round <= rounds; round++)
        for (k = 1; k <= 2; k++)
            while ((getline line < (work "/" who[k] "." round)) > 0) {
                split(line, f, " ")
                if (!(f[1] in seen)) { seen[f[1]] = 1; order[++count] = f[1] }
                time[who[k], f[1], round] = f[2] / 1e9
                if ((f[1] in sum) && sum[f[1]] != f[3]) bad = bad " " f[1]
                sum[f[1]] = f[3]
            }
    for (i = 1; i <= count; i++) {
        na = nb = nr = 0
        for (round = 1; round <= rounds; round++) {
            a = time["rvkit", order[i], round]; b = time["qemu", order[i], round]
            if (a) as[++na] = a
            if (b) bs[++nb] = b
            if (a && b) rs[++nr] = a / b
        }
        r = median(rs, nr)
        row(order[i], median(as, na), median(bs, nb), r)
        if (r) { logs += log(r); pairs++ }
    }
    if (pairs) printf "geometric mean of %d ratios, rvkit / qemu: %.2f (below 1: rvkit is faster)\n", pairs, exp(logs / pairs)
    if (bad) { print "checksums differ:" bad; exit 1 }
    if (!count) { print "no benchmark ran"; exit 1 }
}'
