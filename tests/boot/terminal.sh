#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# The terminal as a person has it, in tmux: two consoles and the monitor on one terminal, its window's size, a paste of
# 1 MiB, keys behind Ctrl-A, a second terminal that attaches, the same screen everywhere, and the terminal as it was
# before after each way out.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh

mux() {
    tmux -L "rvkit-test-$$" -f /dev/null "$@"
}
trap 'mux kill-server 2>/dev/null; rm -rf "$tests_dir"' EXIT

screen() {
    mux capture-pane -p -t "$1" | sed 's/ *$//'
}

# sees PANE TEXT: the text comes on the screen of a pane within half a minute.
sees() {
    for sees_try in $(seq 150); do
        screen "$1" | grep -qF -- "$2" && return 0
        sleep 0.2
    done
    echo "# $1 does not show \"$2\" but:"
    screen "$1" | sed 's/^/# | /'
    return 1
}

keys() {
    keys_pane=$1
    shift
    mux send-keys -t "$keys_pane" "$@"
}

# The same screen in two panes, and in a screenshot, within ten seconds.
same_screens() {
    for same_try in $(seq 50); do
        screen "$1" >"$tests_dir/one"
        screen "$2" >"$tests_dir/two"
        cmp -s "$tests_dir/one" "$tests_dir/two" && return 0
        sleep 0.2
    done
    diff "$tests_dir/one" "$tests_dir/two" | sed 's/^/# /'
    return 1
}

RVKIT=$(cd "$(dirname "$RVKIT")" && pwd)/$(basename "$RVKIT")
start="'$RVKIT' -k '$KERNEL' -initrd '$INITRAMFS' -s 2 -serial 'stdio,unix:$tests_dir/serial,file:$tests_dir/log' \
-console stdio -console 'unix:$tests_dir/hvc1'"
mux new-session -d -s a -x 100 -y 30 "cd '$tests_dir' && PS1='host> ' sh" || exit 1
keys a "stty -a >before" Enter "$start" Enter
sees a 'rvkit:~#' || { fail "boots to a prompt in the terminal"; finish; }
pass "boots to a prompt in the terminal"
keys a 'resize >/dev/null; stty size; echo on ser""ial' Enter
check "resize learns the window's size from a serial port" sees a '30 100'

keys a C-a c
check "Ctrl-A c: the second console" sees a 'rvkit:~#'
keys a 'stty size; echo on virtio""-console' Enter
check "it knows the window's size by itself" sees a '30 100'
mux resize-window -t a -x 90 -y 25
keys a 'clear; stty size' Enter
check "and follows it" sees a '25 90'

keys a C-a 1
check "Ctrl-A 1: the first console, as it was" sees a 'on serial'
check "and not the second one" test "$(screen a | grep -c 'on virtio-console')" -eq 0

# A second terminal, of another size, on the same console.
mux new-session -d -s b -x 90 -y 25 "PS1='host> ' sh"
keys b "'$RVKIT' -attach 'unix:$tests_dir/serial'" Enter
check "-attach shows the screen as it is" sees b 'on serial'
keys b 'clear; for i in 1 2 3; do printf "\033[3$i;7m row $i \033[0m\n"; done; echo from the sec""ond' Enter
check "what one types both see" sees a 'from the second'
check "the same screen in both terminals" same_screens a b
keys a 'vi /etc/profile' Enter
check "a full-screen program in both" sees b '/etc/profile'
check "its screen is the same" same_screens a b

# The monitor.
keys a C-a m
check "Ctrl-A m: the monitor" sees a '(rvkit)'
keys a 'info harts' Enter
check "info harts" sees a '* hart 0'
keys a 'info consoles' Enter
check "info consoles" sees a 'hvc1'
keys a "screenshot ttyS0 $tests_dir/shot" Enter
check "screenshot" sees a 'ttyS0 is in'
sed 's/\x1b\[[0-9;:]*m//g; s/\r//; s/ *$//' "$tests_dir/shot" >"$tests_dir/shot.txt"
screen b >"$tests_dir/two"
check "a screenshot is the same screen" cmp "$tests_dir/shot.txt" "$tests_dir/two"
keys a 'pau' Tab Enter
check "pause, completed by Tab" sees a 'paused; hart 0'
keys a 'x/3i $pc' Enter
check "disassembly at the pc" sees a '=> 0x'
keys a 'continue' Enter C-a m
keys a Escape
sleep 1 # an escape and not the start of a key's sequence
keys a ':q!' Enter
check "back from the monitor the program goes on" sees a 'rvkit:~#'
keys b C-a x
check "Ctrl-A x leaves the attached terminal alone" sees b 'host>'

# 1 MiB pasted into the second console.
awk 'BEGIN { for (i = 0; i < 16384; i++) printf "%08d abcdefghijklmnopqrstuvwxyz 0123456789 ABCDEFGHIJKLMNOP\n", i }' |
    cut -c1-63 >"$tests_dir/paste"
size=$(wc -c <"$tests_dir/paste")
check "the paste is 1 MiB" test "$size" -eq 1048576
keys a C-a 2
keys a "clear; stty -echo; echo rea\"\"dy; head -c $size | sha256sum; stty echo" Enter
sees a 'ready' >/dev/null
mux load-buffer "$tests_dir/paste"
mux paste-buffer -r -t a
check "1 MiB pasted arrives whole" sees a "$(sha256sum <"$tests_dir/paste" | cut -c1-40)"

keys a C-a p
check "Ctrl-A p pauses" sees a 'paused; Ctrl-A p goes on'
keys a C-a p
keys a 'clear; echo goes""on' Enter
check "and lets it go on" sees a 'goeson'
keys a C-a s
check "Ctrl-A s" sees a 'screenshot: hvc0 is in rvkit-hvc0-'
check "writes a file" sh -c "grep -q goeson '$tests_dir'/rvkit-hvc0-*.ans"
check "the log has what the serial port said" grep -q 'on serial' "$tests_dir/log"
keys a C-a 1
keys a clear Enter
keys a C-a r
check "Ctrl-A r resets" sees a 'Run /init as init process'
sees a 'rvkit:~#' >/dev/null

# Ways out: the terminal is as it was.
# as_before NAME: the shell is back, and stty says what it said at first.
as_before() {
    sees a 'host>' || return 1
    rm -f "$tests_dir/after"
    keys a 'stty -a >after; echo com""pared' Enter
    sees a 'compared' && cmp "$tests_dir/before" "$tests_dir/after"
}
mux resize-window -t a -x 100 -y 30
keys a 'printf "\033[?1049h\033[?1000h\033[?25l"' Enter
keys a C-a x
check "Ctrl-A x: the terminal is as before" as_before
check "the alternate screen and the mouse are off" \
    test "$(mux display-message -p -t a '#{alternate_on} #{mouse_any_flag} #{cursor_flag}')" = '0 0 1'
for signal in TERM SEGV; do
    keys a "clear; $start & wait" C-h C-h C-h C-h C-h C-h C-h Enter
    sees a 'rvkit:~#' >/dev/null
    pkill -"$signal" -f "serial stdio,unix:$tests_dir/serial"
    check "SIG$signal: the terminal is as before" as_before
done
finish
