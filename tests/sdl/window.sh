#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# The window, under Xvfb: what a person types is seen by the guest and in the pixels; views, selection, clipboard,
# a long paste, sizes, screenshots; no display, and a display that goes away. PICTURES=DIR keeps pictures there.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh
. tests/sdl/lib.sh
top=$PWD program=${RVKIT_SDL:-$PWD/build/rvkit-sdl} log=$tests_dir/console share=$tests_dir/share machine=
mkdir "$share" "$tests_dir/pictures"
# SDL's sound goes into a file and comes from one, at half its speed, so that a busy computer is no underrun.
export SDL_AUDIODRIVER=disk SDL_DISKAUDIODELAY=43 SDL_DISKAUDIOFILE=$tests_dir/played.raw SDL_DISKAUDIOFILEIN=$tests_dir/heard.raw
python3 -c 'import random, sys
sys.stdout.buffer.write(random.Random(1).randbytes(3000000))' >"$SDL_DISKAUDIOFILEIN"

# For programs that were built with a sanitizer.
export LSAN_OPTIONS="suppressions=$top/tests/sdl/lsan.supp"

clean() {
    [ -z "$machine" ] || kill "$machine" 2>/dev/null
    [ -z "$x" ] || kill "$x" 2>/dev/null
    rm -rf "$tests_dir"
}
trap clean EXIT

# start ARGS...: the program with a console whose output is in $log as well.
start() {
    : >"$log"
    (cd "$tests_dir/pictures" && exec "$program" -k "$KERNEL" -initrd "$INITRAMFS" -console "window,file:$log" \
        -share "t=$share" "$@" </dev/null >"$tests_dir/out" 2>"$tests_dir/err") &
    machine=$!
    wait_for 120 grep -q 'rvkit:~# ' "$log" || { fail "a prompt"; sed 's/^/# /' "$tests_dir/err"; finish; }
    window=$(xdotool search --onlyvisible --name rvkit | tail -n 1)
}

said() { wait_for "${2:-20}" grep -qa "$1" "$log"; }
shot() { shot_of "$window" "$1"; }
clipboard() { timeout 5 xclip -o -selection "$1" 2>/dev/null; }
holds() { [ "$(clipboard "$1")" = "$2" ]; }

# --- No display ---
env -u DISPLAY -u WAYLAND_DISPLAY "$program" -k "$KERNEL" >"$tests_dir/out" 2>"$tests_dir/err" </dev/null
status=$?
check "no display: exit status 1" test $status -eq 1
check "no display: one line that says so" test "$(grep -c 'there is no display' "$tests_dir/err")" -eq 1 -a \
    "$(wc -l <"$tests_dir/err")" -eq 1
DISPLAY=:9999 "$program" -nogui -version >"$tests_dir/out"
check "-version needs no display" grep -q '^rvkit-sdl [0-9]' "$tests_dir/out"

# --- A prompt, and typing ---
start_x 1280x900
start -s 2 -append 'virtio_snd.pcm_buffer_ms=2000 virtio_snd.pcm_periods_max=64'
pass "a prompt in the window"
line 'mount -t 9p -o trans=virtio,version=9p2000.L t /mnt && echo mo""unted'
check "the shared folder" said '^mounted'
line 'clear'
sleep 0.5
shot before
line 'echo $((6*7))-\|/{}[]"~A^B_c"'
check "what is typed is what the guest gets" said '^42-|/{}\[\]~A^B_c'
sleep 0.3
shot typed
check "and is seen in the pixels" differ before typed
line 'cat >/mnt/keys'
xdotool key ctrl+alt+5 Left Home F5 ctrl+Left shift+Tab alt+x Delete Return ctrl+d
check "keys come as a terminal sends them" wait_for 10 sh -c \
    "od -An -c '$share/keys' | tr -d ' \n' | grep -q '033\[D033\[H033\[15~033\[1;5D033\[Z033x033\[3~'"

# --- Sound ---
check "the guest's player compiles" "$(guest/build.sh path zig)/cc" -std=gnu11 -O2 -Wall -Wextra -Werror -static \
    -o "$share/guest" -Iguest/desktop tests/boot/desktop_guest.c guest/desktop/pcm.c
python3 -c 'import math, struct, sys
for i in range(96256):
    sys.stdout.buffer.write(struct.pack("<hh", int(20000 * math.sin(i * 0.0576)), int(9000 * math.cos(i * 0.0311))))
' >"$share/tone"
line '/mnt/guest play </mnt/tone; echo pla""yed-$?'
check "the guest plays a tone" said 'played-0' 30
check "what SDL plays is that tone, byte for byte" python3 -c 'import sys
want, got = (open(name, "rb").read() for name in sys.argv[1:])
sys.exit(want not in got)' "$share/tone" "$tests_dir/played.raw"

# SDL's microphone is a file here.
line '/mnt/guest record 48000 >/mnt/record; echo reco""rded-$?'
check "the guest records" said 'recorded-0' 30
check "a second of what SDL hears, byte for byte" python3 -c 'import sys
heard, got = (open(name, "rb").read() for name in sys.argv[1:])
sys.exit(len(got) != 4 * 48000 or got not in heard)' "$SDL_DISKAUDIOFILEIN" "$share/record"

# --- Views ---
xdotool key ctrl+alt+2
sleep 1
shot screen
check "another view shows something else" differ typed screen
line 'echo on-the-scr""een >/dev/hvc0'
check "what is typed there goes to the guest's screen" said 'on-the-screen'
xdotool key ctrl+alt+s
check "a screenshot of the screen has its size" wait_for 10 sh -c \
    "identify '$tests_dir'/pictures/rvkit-gpu0-*.png | grep -q ' 1024x768 '"
xdotool key ctrl+alt+3
sleep 0.5
line 'info registers'
sleep 0.5
shot monitor
check "the monitor is a view" differ screen monitor
xdotool key ctrl+alt+1
sleep 0.5

# --- Selection and clipboard ---
line 'clear; echo; echo two-words here'
sleep 0.5
xdotool mousemove --window "$window" 40 30 click --repeat 2 --delay 60 1
check "a double click selects a word" wait_for 5 holds primary two-words
xdotool key ctrl+shift+c
check "it is copied" wait_for 5 holds clipboard two-words
sleep 1
xdotool click --repeat 3 --delay 60 1
check "three clicks select the line" wait_for 5 holds primary 'two-words here'
printf 'echo pas""ted-%s' 'ünïcödé' | xclip -i -selection clipboard 2>/dev/null
xdotool key ctrl+shift+v Return
check "a paste arrives" said '^pasted-ünïcödé'
line "printf '\\033]52;c;Zm9vLWJhcg==\\007'"
check "the guest sets the clipboard" wait_for 5 holds clipboard foo-bar

line "stty raw -echo; printf '\\033]52;c;?\\007\\n'; head -c 15 >/mnt/asked; stty sane; echo as''ked"
sleep 1
xdotool key ctrl+alt+v
check "the guest gets the clipboard when it asks and the person allows it" said '^asked'
check "as base64" grep -qa '52;c;Zm9v' "$share/asked"

head -c 786432 /dev/urandom | base64 -w 0 >"$tests_dir/long"
xclip -i -selection clipboard <"$tests_dir/long" 2>/dev/null
line "stty raw -echo; head -c 1048576 >/mnt/long; stty sane; echo lo''ng-done"
sleep 1
xdotool key ctrl+shift+v
check "a paste of 1 MiB arrives" said 'long-done' 120
check "with the same bytes" cmp "$tests_dir/long" "$share/long"

# --- Sizes ---
# Linux draws no more than its blinking cursor meanwhile. Asked for a mode larger than its frame buffer, it switches
# the screen off, and on again with that cursor: all else has to be there by itself.
bright() { shot "$1" && test "$(convert "$tests_dir/$1.png" -crop 600x300+0+0 -format '%[fx:mean>0.01]' info:)" = 1; }
xdotool key ctrl+alt+2
for size in 1200x850 720x500; do
    xdotool windowsize --sync "$window" "${size%x*}" "${size#*x}"
    sleep 1
    check "the screen is not black after a change to $size" wait_for 5 bright "mode-$size"
done
xdotool key ctrl+alt+1
sleep 0.5
line 'stty size | sed s/^/size-a-/'
said '^size-a-[0-9]'
xdotool windowsize --sync "$window" 640 400
sleep 1
line 'stty size | sed s/^/size-b-/'
check "the guest hears of the window's size" said '^size-b-[0-9]'
check "and it is another one" test "$(sed -n 's/^size-a-//p' "$log" | tr -d '\r')" != "$(sed -n 's/^size-b-//p' "$log" | tr -d '\r')"
line 'cd /sys/class/drm/card0-Virtual-1; echo detect >status; head -n 1 modes | sed s/^/mode-/; cd'
check "the GPU's connector has the window's size" said '^mode-640x400'
xdotool key ctrl+plus ctrl+plus ctrl+plus
sleep 0.5
line 'stty size | sed s/^/size-c-/'
check "a larger font makes fewer rows" said '^size-c-[0-9]'
check "than before" test "$(sed -n 's/^size-b-\([0-9]*\).*/\1/p' "$log")" -gt "$(sed -n 's/^size-c-\([0-9]*\).*/\1/p' "$log")"

# --- The mouse for a program of the guest ---
line "printf '\\033[?1000h\\033[?1006h'; stty raw -echo; head -c 18 >/mnt/mouse; stty sane; printf '\\033[?1000l'; echo mou''se-done"
sleep 0.5
xdotool mousemove --window "$window" 45 30 click 1
check "a program hears of clicks" said 'mouse-done'
check "with their place" sh -c "od -An -c '$share/mouse' | tr -d ' \n' | grep -Eq '033\[<0;[0-9]+;[0-9]+M.*m'"

# --- Scrollback ---
xdotool key ctrl+0
line 'clear; seq 1 300'
sleep 1
shot bottom
xdotool key shift+Prior
sleep 0.3
shot above
check "Shift+PageUp shows what was before" differ bottom above
xdotool key shift+Next
sleep 0.3
shot again
check "and Shift+PageDown the end again" sh -c "! cmp -s '$tests_dir/above.png' '$tests_dir/again.png'"

# --- Screenshot, status, quitting ---
xdotool key ctrl+alt+s
check "a screenshot of the console is a PNG file" wait_for 10 sh -c \
    "identify '$tests_dir'/pictures/rvkit-hvc0-*.png | grep -q ' PNG 6[0-9][0-9]x'"
shot plain
xdotool key ctrl+alt+h
sleep 2.2
shot status
check "the status line appears" differ plain status
a=$(awk '{print $14 + $15}' "/proc/$machine/task/$machine/stat")
xdotool key ctrl+alt+h
sleep 5
echo "# the window's thread, 5 s with an idle guest: $(($(awk '{print $14 + $15}' "/proc/$machine/task/$machine/stat") - a)) ticks"
xdotool key ctrl+alt+q n
line 'echo still-he""re'
check "another key than y goes on" said 'still-here'
xdotool key ctrl+alt+q y
wait "$machine"
check "Ctrl+Alt+Q and y end it with 0" test $? -eq 0
machine=

# --- Several screens ---
rm -f "$tests_dir"/pictures/*
start -gpu 2 -nosound
line 'cat /sys/class/drm/card0-Virtual-2/status | sed s/^/second-/'
check "the guest has a second screen" said '^second-connected'
for number in 2 3; do
    xdotool key ctrl+alt+$number
    sleep 0.5
    xdotool key ctrl+alt+s
    name=rvkit-gpu$((number - 2))
    check "$name is a screen" wait_for 10 sh -c "identify '$tests_dir'/pictures/$name-*.png | grep -q ' 1024x768 '"
    check "and not black" test "$(convert "$tests_dir/pictures/$name"-*.png -format '%[fx:mean>0.002]' info:)" = 1
done
xdotool key ctrl+alt+1
sleep 0.5
line 'poweroff -f'
wait "$machine"
machine=

# --- The simple frame buffer; the guest switches itself off ---
start -res 640x480 -nosound
xdotool key ctrl+alt+2
sleep 0.5
xdotool key ctrl+alt+s
check "a simple frame buffer of -res" wait_for 10 sh -c \
    "identify '$tests_dir'/pictures/rvkit-framebuffer-*.png | grep -q ' 640x480 '"
check "which is not black" test "$(convert "$tests_dir"/pictures/rvkit-framebuffer-*.png -format '%[fx:mean>0.002]' info:)" = 1
line 'poweroff -f'
wait "$machine"
check "what is typed there switches it off, and the window closes with 0" test $? -eq 0
machine=

# --- A display that goes away ---
start -m 128M
line 'mount -t 9p -o trans=virtio,version=9p2000.L t /mnt; (sleep 6; echo after >/mnt/after; poweroff -f) & echo rea""dy'
said '^ready'
kill "$x"
x=
wait_for 60 sh -c "! kill -0 $machine" || kill "$machine"
wait "$machine"
check "without its display the guest goes on to its own end" test $? -eq 0 -a -s "$share/after"
check "and a line says what happened" grep -qx 'rvkit-sdl: the display is lost; the guest goes on without a window' "$tests_dir/err"
machine=
cd "$top" || exit 1
finish
