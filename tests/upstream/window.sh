#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Linux on an RVVM program that was built with what `make export` puts there, with RVKIT_SDL and the lines that it asks
# for: rvkit's devices for screen, keys and sound, and RVVM's own frame buffer, in rvkit's window under Xvfb.
# Usage: tests/upstream/window.sh PROGRAM    By hand: nothing here builds RVVM. PICTURES=DIR keeps pictures there.
cd "$(dirname "$0")/../.." || exit 1
[ -x "$1" ] || { echo "usage: tests/upstream/window.sh PROGRAM" >&2 && exit 2; }
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
. tests/boot/lib.sh
. tests/sdl/lib.sh
DISK=${DISK:-$(guest_path disk)}
log=$tests_dir/log share=$tests_dir/share machine=
chmod 755 "$tests_dir"
mkdir -m 777 "$share" # RVVM of 2024 goes on as another user when it is root's
export SDL_AUDIODRIVER=dummy

clean() {
    [ -z "$machine" ] || kill "$machine" 2>/dev/null
    [ -z "$x" ] || kill "$x" 2>/dev/null
    rm -rf "$tests_dir"
}
trap clean EXIT

# run ARGS...: $program in the background.
run() {
    (cd "$tests_dir" && exec "$program" "$FIRMWARE" -k "$KERNEL" -rv32 -nonet -noisolation -serial null \
        -console vt,stdio -drive "$DISK,ro" -share "t=$share" "$@" <&4 >"$log" 2>&1) &
    machine=$!
}

# boot ARGS...: OpenSBI needs room behind the device tree (docs/upstream.md), so that is asked for first.
boot() {
    rm -f "$tests_dir/dtb"
    run "$@" -dumpdtb "$tests_dir/dtb"
    wait_for 20 test -s "$tests_dir/dtb"
    sleep 0.5
    kill "$machine"
    wait "$machine" 2>/dev/null
    head -c 65536 /dev/zero >>"$tests_dir/dtb"
    run "$@" -dtb "$tests_dir/dtb"
    wait_for 120 grep -qa '# ' "$log" || { fail "a prompt"; tail -n 20 "$log" | sed 's/^/# /'; finish; }
    window=$(xdotool search --onlyvisible --name RVVM | tail -n 1)
    [ -n "$window" ] || { fail "a window"; finish; }
    sleep 1
}

said() { wait_for 20 grep -qa "$1" "$log"; }
shot() { shot_of "$window" "$1"; }

# What the screen's keyboard types is told on hvc0.
tell() { line "{ $1; } >/dev/hvc0 2>&1"; }

ended() {
    wait_for 30 sh -c "! kill -0 $machine" || kill "$machine"
    check "$1" wait "$machine"
    machine=
}

mkfifo "$tests_dir/in"
exec 4<>"$tests_dir/in" # the guest's console, hvc0, beside the window
start_x 1280x900

# --- virtio-gpu, -input, -snd ---
boot -nogui -gpu 2 -sound "wav:$share/played.wav" -append 'root=/dev/vda ro console=tty0 console=hvc0 virtio_snd.pcm_buffer_ms=2000 virtio_snd.pcm_periods_max=64'
pass "a prompt with virtio-gpu"
shot gpu
check "the first screen shows something" test "$(convert "$tests_dir/gpu.png" -format '%[fx:mean>0.005]' info:)" = 1
tell 'echo ty""ped-$((6*7))'
check "the guest gets what is typed on its screen" said 'typed-42'
sleep 0.5
shot gpu-typed
check "and is drawn" differ gpu gpu-typed
tell 'cat /proc/bus/input/devices'
check "keyboard, tablet, mouse and touch screen are there" sh -c "
    sleep 2; for kind in keyboard tablet mouse touch; do grep -qa \"rvkit.*\$kind\" '$log' || exit 1; done"
xdotool windowsize --sync "$window" 800 600
sleep 1
tell 'cd /sys/class/drm/card0-Virtual-1; echo detect >status; head -n 1 modes | sed s/^/mode-/; cd'
check "the guest hears of the window's size" said 'mode-800x600'
xdotool key ctrl+alt+2
sleep 0.5
shot gpu-second
xdotool key ctrl+alt+3
sleep 0.5
shot gpu-console
check "its other screen and its console are views" sh -c "
    ! cmp -s '$tests_dir/gpu-typed.png' '$tests_dir/gpu-second.png' && ! cmp -s '$tests_dir/gpu-second.png' '$tests_dir/gpu-console.png'"
line 'echo con""sole'
check "which has a keyboard too" said '^console'
if [ -x "$(guest/build.sh path zig 2>/dev/null)/cc" ] && "$(guest/build.sh path zig)/cc" -std=gnu11 -O2 -static \
    -o "$share/guest" -Iguest/desktop tests/boot/desktop_guest.c guest/desktop/pcm.c; then
    head -c 384000 /dev/urandom >"$share/tone"
    line 'mount -t 9p -o trans=virtio,version=9p2000.L t /mnt; /mnt/guest play </mnt/tone; echo pla""yed-$?'
    check "the guest plays" wait_for 30 grep -qa '^played-0' "$log"
    sleep 1
    check "what it plays is in the file, byte for byte" python3 -c 'import sys
want, got = (open(name, "rb").read() for name in sys.argv[1:])
sys.exit(want not in got)' "$share/tone" "$share/played.wav"
fi
line 'poweroff -f'
ended "it switches itself off"

# --- RVVM's frame buffer. The guest's kernel has no driver for RVVM's keyboard ---
boot -res 800x600 -append 'root=/dev/vda ro console=tty0 console=hvc0 virtio_snd.pcm_buffer_ms=2000 virtio_snd.pcm_periods_max=64'
pass "a prompt with RVVM's frame buffer"
shot fb
check "the frame buffer shows something" test "$(convert "$tests_dir/fb.png" -format '%[fx:mean>0.005]' info:)" = 1
echo 'for i in 1 2 3 4 5 6; do echo on-the-screen >/dev/tty0; done; echo do""ne' >&4
check "the guest draws" said '^done'
sleep 0.5
shot fb-drawn
check "which is seen" differ fb fb-drawn
echo 'cat /sys/class/graphics/fb0/virtual_size' >&4
check "it has its size" said '^800,600'
xdotool key ctrl+alt+q
sleep 0.3
xdotool key y
ended "quitting from the window switches the machine off"
finish
