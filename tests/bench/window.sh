#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# The window beside QEMU's SDL display, under one Xvfb, with the same kernel, initramfs and guest program:
#   frames/s  full-screen pictures that a guest draws one after the other, as many as reach the window
#   key, ms   from a key (XTest) to another pixel of the window, by a guest that answers each
#   idle, %   of one core, over 10 s, with a guest that waits at its prompt: all threads, and the first one alone
# Usage: tests/bench/window.sh RVKIT_SDL [ROUNDS]     LINUX and RVKIT_CACHE as for guest/build.sh
# Without QEMU and its package qemu-system-gui only rvkit's own figures are printed. Medians of alternating rounds.
set -u
cd "$(dirname "$0")/../.." || exit 1
rvkit=$1 rounds=${2:-3}
kernel=$(guest/build.sh path kernel) firmware=$(guest/build.sh path opensbi) zig=$(guest/build.sh path zig)
work=$(mktemp -d) || exit 1
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
export SDL_AUDIODRIVER=dummy

# The guest's initramfs, and the program in a second archive behind it.
mkdir -p "$work/root/bin"
"$zig/cc" -std=gnu11 -O2 -static -o "$work/root/bin/window_guest" tests/bench/window_guest.c &&
    gcc -O2 -o "$work/mkcpio" guest/mkcpio.c &&
    gcc -O2 -Wall -o "$work/probe" tests/bench/window_probe.c -lXtst -lX11 &&
    "$work/mkcpio" "$work/root" | cat "$(guest/build.sh path initramfs)" - >"$work/initrd" || exit 1

Xvfb -displayfd 3 -screen 0 1280x1024x24 -nolisten tcp 3>"$work/number" >/dev/null 2>&1 &
until [ -s "$work/number" ]; do sleep 0.1; done
DISPLAY=:$(cat "$work/number")
export DISPLAY

run_rvkit() { exec "$rvkit" -m 256M -kernel "$kernel" -initrd "$work/initrd" -console window,stdio; }
run_qemu() {
    exec qemu-system-riscv32 -M virt -m 256 -bios "${firmware%.bin}.elf" -kernel "$kernel" -initrd "$work/initrd" \
        -global virtio-mmio.force-legacy=false -append console=ttyS0 -display sdl -serial stdio -monitor none \
        -device virtio-gpu-device -device virtio-keyboard-device
}

# said TEXT SECONDS: until the console shows it; 1 when it does not.
said() {
    for _ in $(seq $(($2 * 20))); do
        grep -qaF -- "$1" "$work/out" && return
        sleep 0.05
    done
    echo "tests/bench: no \"$1\" from $name" >&2
    tail -n 3 "$work/out" >&2
    return 1
}
tell() { printf '%s\n' "$1" >&3; }

# start NAME: a machine with its console in $work/out and its input on descriptor 3, and its window.
start() {
    name=$1
    rm -f "$work/in" && mkfifo "$work/in" && : >"$work/out"
    "run_$1" <"$work/in" >"$work/out" 2>&1 &
    pid=$!
    exec 3>"$work/in"
    said 'rvkit:~# ' 60 || return 1
    sleep 2
    window=$(xdotool search --onlyvisible --pid $pid | tail -n 1)
    xdotool windowmove "$window" 0 0 mousemove 600 700 windowfocus "$window"
    sleep 1
}
stop() {
    exec 3>&-
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}
type_line() { xdotool type --delay 60 "$1" && xdotool key Return && sleep 2; }

# ticks: of processor time, of all threads and of the first.
ticks() { cat /proc/$pid/stat /proc/$pid/task/$pid/stat | awk '{ sub(/.*\) /, ""); printf "%d ", $12 + $13 }'; }

# keys FILE: at what the window shows now.
keys() {
    type_line 'window_guest keys'
    "$work/probe" "$window" 20 12 keys 30 >>"$work/$1"
    xdotool key q
    sleep 0.5
}

measure() {
    start "$1" || { stop; return; }
    local before
    before=$(ticks)
    sleep 10
    echo "$before$(ticks)" | awk -v hz="$(getconf CLK_TCK)" '{ print ($3 - $1) * 10 / hz, ($4 - $2) * 10 / hz }' \
        >>"$work/$1.idle"
    if [ "$1" = rvkit ]; then
        keys rvkit.console
        xdotool key ctrl+alt+2
        sleep 1
    fi
    keys "$1.screen"
    tell 'window_guest frames 10'
    "$work/probe" "$window" 500 400 frames 8 >>"$work/$1.frames"
    said 'drawn ' 30 && sed -n 's/.*drawn \([0-9]*\) .* in \([0-9.]*\) s.*/\1 \2/p' "$work/out" |
        awk '{ printf "%.1f\n", $1 / $2 }' >>"$work/$1.drawn"
    stop
}

names=rvkit
{ qemu-system-riscv32 -display help 2>/dev/null | grep -qx sdl; } && names='rvkit qemu'
for round in $(seq "$rounds"); do
    for machine in $names; do
        echo "round $round of $rounds: $machine" >&2
        measure "$machine"
    done
done

# median FILE [COLUMN]
median() {
    [ -s "$work/$1" ] || { echo -; return; }
    awk -v c="${2:-1}" '{ print $c }' "$work/$1" | sort -n | awk '{ v[NR] = $1 } END { printf "%s", v[int((NR + 1) / 2)] }'
}
row() { printf '%-38s %10s %10s\n' "$1" "$2" "$3"; }
row "medians of $rounds rounds" rvkit qemu
row 'frames/s that reach the window' "$(median rvkit.frames)" "$(median qemu.frames)"
row 'frames/s that the guest draws' "$(median rvkit.drawn)" "$(median qemu.drawn)"
row 'key to pixel, screen: median, ms' "$(median rvkit.screen)" "$(median qemu.screen)"
row 'key to pixel, screen: 90 %, ms' "$(median rvkit.screen 2)" "$(median qemu.screen 2)"
row 'key to pixel, console: median, ms' "$(median rvkit.console)" -
row 'key to pixel, console: 90 %, ms' "$(median rvkit.console 2)" -
row 'idle, % of one core: all threads' "$(median rvkit.idle)" "$(median qemu.idle)"
row 'idle, % of one core: first thread' "$(median rvkit.idle 2)" "$(median qemu.idle 2)"
