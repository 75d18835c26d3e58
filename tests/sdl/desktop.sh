#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# The window on desktops: under a window manager (openbox, in Xvfb), and under a Wayland compositor (weston, in a window
# that fills the same Xvfb, with two pixels for each unit). PICTURES=DIR keeps pictures there.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh
. tests/sdl/lib.sh
top=$PWD program=${RVKIT_SDL:-$PWD/build/rvkit-sdl} share=$tests_dir/share log=$tests_dir/console
mkdir "$share" "$tests_dir/pictures" "$tests_dir/runtime"
chmod 700 "$tests_dir/runtime"
# What dead keys make is the locale's.
export SDL_AUDIODRIVER=dummy LC_ALL=C.UTF-8 XDG_RUNTIME_DIR="$tests_dir/runtime"
export LSAN_OPTIONS="suppressions=$top/tests/sdl/lsan.supp:print_suppressions=0"
unset WAYLAND_DISPLAY
machine='' desktop='' other=''

clean() {
    for pid in $machine $other $desktop $x; do kill "$pid" 2>/dev/null; done
    rm -rf "$tests_dir"
}
trap clean EXIT

# start ARGS...: the program, with its console in $log as well, and the shared folder on /mnt.
start() {
    : >"$log"
    (cd "$tests_dir/pictures" && exec "$program" -m 128M -k "$KERNEL" -initrd "$INITRAMFS" \
        -console "window,file:$log" -share "t=$share" </dev/null >"$tests_dir/out" 2>"$tests_dir/err") &
    machine=$!
    wait_for 120 sh -c "grep -q 'rvkit:~# ' '$log' || ! kill -0 $machine"
    grep -q 'rvkit:~# ' "$log" || { fail "a prompt ($1)"; sed 's/^/# /' "$tests_dir/err"; finish; }
}

said() { wait_for "${2:-30}" grep -qa "$1" "$log"; }
shot() { shot_of root "$1"; }
# keys CODE...: keys by their places, whatever the layout.
keys() { xdotool key --delay 30 "$@"; }
# sized WORD: what stty says of the console, as WORD-ROWS COLUMNS in $log.
sized() { line "stty size | sed s/^/$1-/" && said "^$1-[0-9]"; }
rows() { sed -n "s/^$1-\([0-9]*\).*/\1/p" "$log" | tail -n 1; }
cols() { sed -n "s/^$1-[0-9]* \([0-9]*\).*/\1/p" "$log" | tail -n 1; }

start_x 1280x800

# --- Fonts ---
# refused NAME ARGS...: the program ends with 1 and this one line.
refused() {
    want=$1
    shift
    timeout 20 "$program" -k "$KERNEL" "$@" </dev/null >"$tests_dir/out" 2>"$tests_dir/err"
    test $? -eq 1 -a "$(cat "$tests_dir/err")" = "rvkit-sdl: $want"
}
check "a font that does not exist is refused by its name" \
    refused 'there is no font No Such Font; fc-list :mono family lists those for consoles' -font 'No Such Font:20'
check "and a file" refused "there is no font /no/such.ttf; fc-list :mono family lists those for consoles" -font /no/such.ttf
check "and one that is no font" refused "the font $top/README.md cannot be used: Couldn't load font file" \
    -font "$top/README.md"
echo '<fontconfig><dir>/no/fonts</dir></fontconfig>' >"$tests_dir/fonts.conf"
check "no font at all: a line says what to install" env FONTCONFIG_FILE="$tests_dir/fonts.conf" sh -c "
    ! timeout 20 '$program' -k '$KERNEL' </dev/null 2>'$tests_dir/err' &&
    grep -qx 'rvkit-sdl: there is no font; install one, such as fonts-dejavu-core' '$tests_dir/err'"

# --- A window manager ---
cat >"$tests_dir/rc.xml" <<'EOF'
<openbox_config xmlns="http://openbox.org/3.4/rc"><keyboard>
  <keybind key="A-Tab"><action name="NextWindow"/></keybind>
  <keybind key="A-F4"><action name="Close"/></keybind>
  <keybind key="A-F9"><action name="Iconify"/></keybind>
  <keybind key="A-F10"><action name="ToggleMaximize"/></keybind>
  <keybind key="A-F11"><action name="ToggleFullscreen"/></keybind>
</keyboard></openbox_config>
EOF
openbox --config-file "$tests_dir/rc.xml" >"$tests_dir/openbox" 2>&1 &
desktop=$!
wait_for 30 sh -c "xprop -root _NET_SUPPORTING_WM_CHECK | grep -q '# 0x'" || { fail "openbox runs"; finish; }
start openbox
class=$(sed -n 's/^StartupWMClass=//p' sdl/rvkit.desktop)
window=$(xdotool search --onlyvisible --class "^$class\$" | tail -n 1)
check "the window's class is that of the desktop file" test -n "$window"
prop() { xprop -id "$window" "$1"; }
check "it has an icon" sh -c "xprop -id '$window' _NET_WM_ICON | grep -q 'Icon (64 x 64)'"
is_size() { xdotool getwindowgeometry "$window" | grep -q "Geometry: $1\$"; }
height=$(xdotool getwindowgeometry "$window" | sed -n 's/.*Geometry: [0-9]*x//p')
check "it fits the screen" test "$height" -lt 800
size=1024x$height
line 'mount -t 9p -o trans=virtio,version=9p2000.L t /mnt; echo mo""unted'
check "it is typed into" said '^mounted'

full() { wait_for 10 is_size 1280x800; }
usual() { wait_for 10 is_size "$size"; }
xdotool key ctrl+alt+f
check "Ctrl+Alt+F fills the screen" full
xdotool key alt+F11
check "the window manager undoes it" usual
xdotool key ctrl+alt+f
check "Ctrl+Alt+F fills it again, at once" full
xdotool key ctrl+alt+f
check "and undoes it" usual
xdotool key alt+F11
check "the window manager fills it" full
xdotool key ctrl+alt+f
check "Ctrl+Alt+F undoes that" usual
sized small
xdotool key alt+F10
check "maximised, it has another size" wait_for 10 sh -c "! xdotool getwindowgeometry '$window' | grep -q 'Geometry: $size'"
sized large
check "and the console more columns" test "$(cols large)" -gt "$(cols small)"
xdotool key alt+F10
usual

# shows COLOUR: somewhere on the screen.
shows() { shot shows && test "$(convert "$tests_dir/shows.png" -fill black +opaque "$1" -format '%[fx:maxima>0]' info:)" = 1; }
line "(sleep 3; printf '\\033]0;la''ter\\007\\033[48;2;1;200;3m%30s\\033[m\\n') &"
xdotool key alt+F9
check "minimised" wait_for 10 sh -c "xprop -id '$window' WM_STATE | grep -q Iconic"
check "its title goes on" wait_for 30 sh -c "xprop -id '$window' _NET_WM_NAME | grep -q later"
check "and nothing is to be seen" sh -c "! xwininfo -id '$window' | grep -q IsViewable"
xdotool windowactivate "$window" 2>/dev/null
check "back again, it shows what came meanwhile" wait_for 20 shows '#01C803'
xdotool key alt+F4
check "its close button asks" wait_for 10 shows '#902020'
xdotool key n
line 'echo went""-on'
check "another key than y goes on" said '^went-on'

# --- The keyboard's focus ---
xev >"$tests_dir/xev" &
other=$!
wait_for 20 sh -c "xdotool search --onlyvisible --name 'Event Tester'" || fail "another window"
focused() { test "$(xdotool getwindowfocus)" = "$window"; }
unfocused() { ! focused; }
titled() { prop _NET_WM_NAME | grep -q "$1"; }
xdotool windowactivate "$window"
wait_for 20 focused
line 'cat /dev/input/event0 >/mnt/keys & sleep 0.5; echo list""ens'
said '^listens'
xdotool key ctrl+alt+2
check "another view has another title" wait_for 10 titled '"gpu0'
xdotool key ctrl+alt+g
check "Ctrl+Alt+G grabs" wait_for 10 titled 'lets the mouse go'
xdotool key alt+Tab x
check "the window manager's keys are the guest's then" focused
xdotool key ctrl+alt+g
check "and lets go" wait_for 10 sh -c "! xprop -id '$window' _NET_WM_NAME | grep -q 'lets the mouse'"
xdotool keydown alt key Tab keyup alt
check "Alt+Tab leaves" wait_for 10 unfocused
xdotool key q
xdotool windowactivate "$window"
wait_for 10 focused
xdotool key z ctrl+alt+g
wait_for 10 titled 'lets the mouse go'
xdotool keydown ctrl
xdotool windowactivate "$(xdotool search --onlyvisible --name 'Event Tester' | tail -n 1)"
check "a window that loses the keyboard lets go" wait_for 10 sh -c "! xprop -id '$window' _NET_WM_NAME | grep -q 'lets the mouse'"
xdotool keyup ctrl
xdotool windowactivate "$window"
wait_for 10 focused
setxkbmap de
# Two of its dead keys, y and z, which are each other there.
keys 21 49 29 52 c
# codes: what the guest's keyboard said; keys that are still held are named at the end.
codes() {
    python3 -c 'import struct, sys
data, said, held = open(sys.argv[1], "rb").read(), [], set()
for at in range(0, len(data) - 15, 16):
    kind, code, value = struct.unpack("<HHi", data[at + 8:at + 16])
    if kind == 1 and value < 2:
        (held.add if value else held.discard)(code)
        said += [code] if value else []
print(*said, "held", *sorted(held))' "$share/keys"
}
heard() { codes | grep -q "$1"; }
check "the guest's screen gets keys by their places" wait_for 20 heard ' 13 41 21 44 46 held'
check "it had the window manager's keys while they were grabbed" heard ' 56 15 45 '
check "and not what was typed elsewhere" sh -c "! echo '$(codes)' | grep -q ' 16 '"
check "no key is held for it after all that" heard 'held$'
kill "$other"
other=

# --- Layouts ---
# layouts NAME: a line with each of three, and Ctrl+D with one that has no D, all by the keys' places.
layouts() {
    line "cat >/mnt/$1; echo $1-do\"\"ne"
    setxkbmap de
    keys 29 52
    xdotool keydown 108 key 24 keyup 108
    keys 21 26 49 38 47 20 Return
    setxkbmap fr
    keys 24 38 11 34 32 Return
    setxkbmap ru
    keys 24 25 Return
    xdotool keydown 37 key 40 keyup 37
    check "Ctrl is by the Latin letter in its place" said "^$1-done"
    setxkbmap us
    printf 'zy@éâöß\naqéô\nйц\n' >"$tests_dir/typed"
    check "the text is that of the layout, dead keys composed" cmp "$share/$1" "$tests_dir/typed"
}
setxkbmap us
xdotool key ctrl+alt+1
wait_for 10 titled '"hvc0'
layouts x11
line 'poweroff -f'
wait "$machine"
check "the program ends with 0" test $? -eq 0
machine=
kill "$desktop"

# --- Wayland ---
cat >"$tests_dir/weston.ini" <<'EOF'
[core]
shell=desktop-shell.so
backend=x11-backend.so
use-pixman=true
idle-time=0
[shell]
panel-position=none
locking=false
animation=none
close-animation=none
startup-animation=none
[output]
name=X1
mode=640x400
scale=2
EOF
weston --config="$tests_dir/weston.ini" --socket=wayland-test >"$tests_dir/weston" 2>&1 &
desktop=$!
wait_for 30 test -S "$XDG_RUNTIME_DIR/wayland-test" || { fail "weston runs"; finish; }
wait_for 30 sh -c "xwininfo -root -tree | grep -q 'Weston Compositor.* 1280x800'" || fail "weston has a window"
# Without libdecor, so that the frame is the same everywhere.
export WAYLAND_DISPLAY=wayland-test SDL_VIDEODRIVER=wayland SDL_VIDEO_WAYLAND_ALLOW_LIBDECOR=0
unset SDL_RENDER_DRIVER
start weston
line 'mount -t 9p -o trans=virtio,version=9p2000.L t /mnt; echo mo""unted'
check "the window is typed into" said '^mounted'
# weston follows the mouse's ways, and may have missed one: in corners they agree again.
xdotool mousemove 0 0 mousemove 1279 799
sized usual
more() { sized full && test "$(rows full)" -gt "$(rows usual)"; }
xdotool key ctrl+alt+f
check "filling the screen, the console has more rows" wait_for 1 more
line "clear; echo; echo 'two-words here'; printf '\\033[?25l'; echo dra\"\"wn"
said drawn
xdotool key ctrl+alt+s
check "a screenshot" wait_for 20 sh -c "identify '$tests_dir'/pictures/rvkit-hvc0-*.png"
picture=$(echo "$tests_dir"/pictures/rvkit-hvc0-*.png)
cell_width=$(($(identify -format %w "$picture") / $(cols full)))
cell_height=$(($(identify -format %h "$picture") / $(rows full)))
check "it has two pixels for each unit" test "$cell_height" -gt 30
part() { convert "$1" -crop "1200x$((3 * cell_height))+$2+$2" +repage -alpha off "rgb:$tests_dir/$3"; }
same() { shot full && part "$tests_dir/full.png" 4 seen && cmp "$tests_dir/kept" "$tests_dir/seen"; }
part "$picture" 0 kept
check "and is what is to be seen, pixel for pixel" wait_for 20 same
at_word() { xdotool mousemove $((4 + cell_width * 3 + cell_width / 2)) $((4 + cell_height * 3 / 2)) "$@"; }
at_word click --repeat 2 --delay 60 1
xdotool key ctrl+shift+c
# wl-copy and wl-paste take the keyboard for a moment: types until the guest hears it again.
hears() { line "echo again-$1" && said "^again-$1" 2; }
holds() { test "$(timeout 5 wl-paste)" = "$1"; }
check "the word under the mouse is copied" wait_for 20 holds two-words
wait_for 2 hears 1
line "clear; printf '\\033[?25h\\033[?1000h\\033[?1006h'"
line 'stty raw -echo; echo list""ens; head -c 18 >/mnt/mouse; stty sane; echo cli""cked'
said '^listens'
at_word click 1
check "a program hears of clicks" said '^ *clicked'
check "in the cell under the mouse" test "$(tr -d '\033' <"$share/mouse")" = '[<0;4;2M[<0;4;2m'
line "printf '\\033[?1000l'"
printf 'from-elsewhere' | timeout 10 wl-copy 2>/dev/null
wait_for 2 hears 2
line 'cat >/mnt/pasted'
xdotool key ctrl+shift+v Return ctrl+d
check "what others copy is pasted" wait_for 20 grep -qx from-elsewhere "$share/pasted"
layouts wayland

line '(sleep 3; echo after >/mnt/after; poweroff -f) & echo rea""dy'
said '^ready'
kill -9 "$desktop"
desktop=
wait "$machine"
status=$?
check "without its compositor the guest goes on to its own end" test $status -eq 0 -a -s "$share/after"
[ $status -eq 0 ] || sed 's/^/# /' "$tests_dir/err"
check "and a line says what happened" test "$(grep -c '^rvkit-sdl: ' "$tests_dir/err")" -eq 1 -a \
    "$(grep -cx 'rvkit-sdl: the display is lost; the guest goes on without a window' "$tests_dir/err")" -eq 1
machine=
finish
