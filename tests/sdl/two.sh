#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Two machines with two windows in one process (two.c), under Xvfb: each window's keys and pixels are its own machine's,
# and the end of one is not the other's.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh
. tests/sdl/lib.sh
program=${RVKIT_TWO:-$PWD/build/tests/sdl/two} machines=
# SDL has one file for all sound; there is none here.
export SDL_AUDIODRIVER=dummy

clean() {
    [ -z "$machines" ] || kill "$machines" 2>/dev/null
    [ -z "$x" ] || kill "$x" 2>/dev/null
    rm -rf "$tests_dir"
}
trap clean EXIT

windows() { xdotool search --onlyvisible --name rvkit; }
count() { test "$(windows | wc -l)" -eq "$1"; }
at_prompt() { grep -q 'rvkit:~# ' "$tests_dir/a" && grep -q 'rvkit:~# ' "$tests_dir/b"; }
said() { wait_for 20 grep -qa "$2" "$tests_dir/$1"; }
silent() { ! grep -qa "$2" "$tests_dir/$1"; }
focus() { xdotool windowfocus --sync "$1" && sleep 0.3; }

# machine NAME: its arguments.
machine() {
    echo "-m 128M -k $KERNEL -initrd $INITRAMFS -serial null -console window,file:$tests_dir/$1 -append rvkit=$1"
}

start_x 1300x500
# shellcheck disable=SC2046
"$program" $(machine a) -- $(machine b) </dev/null >"$tests_dir/out" 2>"$tests_dir/err" &
machines=$!
wait_for 180 at_prompt || { fail "two prompts"; sed 's/^/# /' "$tests_dir/err"; finish; }
pass "two machines of one process boot to their prompts"
check "each has a window" count 2

# Which is which: what is typed into the first is echoed by one machine.
set -- $(windows)
xdotool windowmove --sync "$1" 0 0 windowsize --sync "$1" 640 480
xdotool windowmove --sync "$2" 650 0 windowsize --sync "$2" 640 480
focus "$1"
line 'echo wh""ich'
wait_for 20 sh -c "grep -q '^which' '$tests_dir/a' '$tests_dir/b'" || fail "a machine hears what is typed"
if grep -q '^which' "$tests_dir/a"; then
    a=$1 b=$2
else
    a=$2 b=$1
fi

# --- Keys ---
focus "$a"
line 'echo fi""rst'
check "the first window's keys go to the first machine" said a '^first'
focus "$b"
line 'echo sec""ond; cat /proc/cmdline'
check "the second window's to the second" said b '^second'
check "which is another machine" said b 'rvkit=b'
check "neither hears the other's" sh -c "! grep -qa sec '$tests_dir/a' && ! grep -qa 'fi\"\"rst' '$tests_dir/b'"

# --- Pixels, and views: the first shows its console, the second its screen ---
sleep 0.5
shot_of "$a" a-before
shot_of "$b" b-before
check "the windows show different things" differ a-before b-before
focus "$b"
line 'clear; echo some''thing-else'
said b '^something-else'
sleep 0.5
shot_of "$a" a-still
shot_of "$b" b-typed
check "what is typed into one is seen there" differ b-before b-typed
xdotool key ctrl+alt+2
sleep 1
shot_of "$b" b-screen
check "views are switched in the window that has the keyboard" differ b-typed b-screen
line 'echo on-the-scr""een >/dev/hvc0'
check "and the screen's keyboard is its own machine's" said b 'on-the-screen'
check "not the other one's" silent a 'on-the-scr'

# --- Sizes ---
focus "$a"
line 'stty size | sed s/^/size-/'
said a '^size-[0-9]'
xdotool windowsize --sync "$b" 500 300
sleep 1
line 'stty size | sed s/^/again-/'
said a '^again-[0-9]'
check "a window's size is its own console's" \
    test "$(sed -n 's/^size-//p' "$tests_dir/a")" = "$(sed -n 's/^again-//p' "$tests_dir/a")"
xdotool windowsize --sync "$b" 640 480

# --- Ends ---
focus "$b"
xdotool key ctrl+alt+q
sleep 0.5
shot_of "$b" b-asking
check "one asks whether to quit" differ b-screen b-asking
focus "$a"
line 'echo un""asked'
check "which stops no keys of the other" said a '^unasked'
focus "$b"
xdotool key y
check "it closes alone" wait_for 20 count 1
check "and the process goes on" kill -0 "$machines"
focus "$a"
line 'echo still-he""re'
check "the other goes on" said a '^still-here'
sleep 0.5
shot_of "$a" a-after
check "and is drawn" differ a-still a-after
line 'poweroff -f'
wait "$machines"
check "it ends when its guest does, and the process with 0" test $? -eq 0
machines=
check "both machines ended well" test "$(grep -c '^machine [01]: 0$' "$tests_dir/out")" -eq 2
check "nothing is told on stderr" test ! -s "$tests_dir/err"
[ ! -s "$tests_dir/err" ] || sed 's/^/# /' "$tests_dir/err"
finish
