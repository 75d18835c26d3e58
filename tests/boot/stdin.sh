#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Standard input and output of all kinds: pipe, file, nothing, closed.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh

# Input that is there before the guest reads it: none of it may be lost.
# shellcheck disable=SC2016
printf 'echo in=%s\nA=$((40+2))\necho sum=$A\nprintf "\\303\\244-bytes\\n" | od -An -tx1\npoweroff -f\n' "$$" \
    >"$tests_dir/typed"

# The same for the background: the shell becomes the program, so that kill ends it.
run_behind() {
    exec timeout 120 "$RVKIT" -k "$KERNEL" -initrd "$INITRAMFS" "$@" 2>"$tests_dir/err"
}

run() {
    timeout 120 "$RVKIT" -k "$KERNEL" -initrd "$INITRAMFS" "$@" 2>"$tests_dir/err"
}

# shellcheck disable=SC2002
cat "$tests_dir/typed" | run >"$tests_dir/out"
check "stdin a pipe: exit status" test "$?" -eq 0
check "stdin a pipe: obeyed" grep -q "^sum=42" "$tests_dir/out"
check "stdin a pipe: from the first byte on" grep -q "^in=$$" "$tests_dir/out"
check "nothing on stderr" test ! -s "$tests_dir/err"

run <"$tests_dir/typed" >"$tests_dir/out"
check "stdin a file: exit status" test "$?" -eq 0
check "stdin a file: obeyed" grep -q "^sum=42" "$tests_dir/out"

# Without input the guest goes on: a script of the guest's own ends it.
run_behind -append "init=/bin/true panic=-1" </dev/null >"$tests_dir/out" &
pid=$!
sleep 3
check "stdin /dev/null: the guest goes on" kill -0 $pid
kill $pid
wait $pid 2>"$tests_dir/err"
check "stdin /dev/null: output came" grep -q "Linux version" "$tests_dir/out"

run_behind <&- >"$tests_dir/out" &
pid=$!
sleep 3
check "stdin closed: the guest goes on" kill -0 $pid
kill $pid
wait $pid 2>"$tests_dir/err"
check "stdin closed: prompt" grep -q "rvkit:~# " "$tests_dir/out"

# Ctrl-A is a byte like others when it does not come from a terminal.
printf 'stty raw -echo; head -c 3 | od -An -tx1; stty sane; poweroff -f\n\001x\001' | run >"$tests_dir/out"
check "Ctrl-A x in a pipe reaches the guest" grep -q "01 78 01" "$tests_dir/out"

# A second serial port into a file, and a pseudo-terminal.
printf 'echo second-port >/dev/ttyS1; sleep 0.2; poweroff -f\n' |
    run -serial stdio -serial "$tests_dir/port" >"$tests_dir/out"
check "a second serial port writes to its file" grep -q "second-port" "$tests_dir/port"
printf 'poweroff -f\n' | run -serial stdio -serial pty >"$tests_dir/out"
check "a pseudo-terminal is told" grep -Eq '^rvkit: serial port at /dev/' "$tests_dir/err"

timeout 120 "$RVKIT" -k "$KERNEL" -initrd "$INITRAMFS" -script - >"$tests_dir/out" 2>"$tests_dir/err" <<'END'
expect "rvkit:~# " 60
quit 9
END
check "a script on stdin" test "$?" -eq 9
printf 'expect "never printed" 1\n' >"$tests_dir/script"
run -script "$tests_dir/script" >"$tests_dir/out"
check "a script that waits in vain exits with 3" test "$?" -eq 3
check "... and says for what" grep -q 'script:1: expect "never printed" 1: not within 1 s' "$tests_dir/err"
finish
