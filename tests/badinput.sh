#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Every wrong input ends with exit status 1 or 2 and one line on stderr, never with a crash or a hang.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

# refused NAME STATUS TEXT ARGS...: runs rvkit with ARGS and looks at what it says.
refused() {
    name=$1 want=$2 text=$3
    shift 3
    timeout 20 "$RVKIT" "$@" </dev/null >"$tests_dir/out" 2>"$tests_dir/err"
    status=$?
    lines=$(wc -l <"$tests_dir/err")
    if [ "$status" -eq "$want" ] && [ "$lines" -eq 1 ] && [ ! -s "$tests_dir/out" ] &&
        grep -q '^rvkit: ' "$tests_dir/err" && grep -qF -- "$text" "$tests_dir/err"; then
        pass "$name"
    else
        fail "$name"
        echo "# exit status $status (wanted $want), $lines lines: $(head -c 400 "$tests_dir/err")"
    fi
}

d=$tests_dir
# A flat program that spins: "j ." as 32-bit instructions.
printf '\157\0\0\0\157\0\0\0' >"$d/good"
: >"$d/empty"
head -c 100000 /dev/urandom | sed '1s/^/#!/' >"$d/script"
mkdir "$d/dir"

refused "no arguments" 2 "nothing to run"
refused "unknown option" 2 "did you mean -kernel?" -kernal x
refused "missing value" 2 "-kernel needs a value" -kernel
refused "bad size" 2 "not a size" "$d/good" -m many
refused "too much RAM" 2 "at most 2G" "$d/good" -m 3G
refused "too many harts" 2 "1 to 16" "$d/good" -s 17
refused "two kernels" 2 "twice" -k a -k b
refused "ATA" 2 "no ATA" "$d/good" -ata disk.img
refused "missing disk" 1 "cannot be opened" "$d/good" -i "$d/none"
refused "a folder as a disk" 1 "is a directory" "$d/good" -drive "$d/dir,ro"
refused "wrong disk option" 1 "not rw" "$d/good" -drive "$d/good,rw"
refused "missing folder" 1 "cannot be shared: No such file" "$d/good" -share "a=$d/none"
refused "a file as a folder" 1 "is not a folder" "$d/good" -share "a=$d/good,fs"
refused "a bad tag" 2 "a tag is" "$d/good" -share "a b=$d/dir"
refused "display" 2 "no window" "$d/good" -res 640x480
refused "forwarded port" 2 "give it as" "$d/good" -portfwd 1=
refused "kind of network" 1 "give user" "$d/good" -net wifi
refused "word about a network" 1 "cannot use" "$d/good" -net user,listen
refused "hardware address" 1 "cannot use" "$d/good" -net user,mac=01:00:00:00:00:00
refused "socket nobody listens on" 1 "nobody listens" "$d/good" -net "unix=$d/none"
refused "port without the user network" 1 "needs the user network" "$d/good" -net none -portfwd 1=2
refused "network and -icount" 2 "identical" "$d/good" -icount -net user
refused "64-bit" 2 "32-bit" "$d/good" -rv64
refused "too many ports" 2 "at most 4" "$d/good" -serial null -serial null -serial null -serial null -serial null
refused "word about VirtIO" 2 "legacy, packed, event_idx" "$d/good" -virtio legacy,modern
refused "legacy packed rings" 2 "no packed rings" "$d/good" -virtio packed,legacy
refused "stdio twice" 1 "only one" "$d/good" -serial stdio -serial stdio

for what in bios k initrd dtb; do
    first=
    case $what in initrd | dtb) first="-k $d/good" ;; esac
    # shellcheck disable=SC2086
    {
        refused "missing file: -$what" 1 "$d/none: cannot be opened: No such file" $first -$what "$d/none"
        refused "directory: -$what" 1 "$d/dir: is a directory" $first -$what "$d/dir"
    }
done
if [ "$(id -u)" -ne 0 ]; then
    cp "$d/good" "$d/secret"
    chmod 000 "$d/secret"
    refused "unreadable file" 1 "Permission denied" "$d/secret"
fi
refused "empty firmware" 1 "is empty" "$d/empty"
refused "empty kernel" 1 "is empty" -k "$d/empty"
refused "a script as kernel" 1 "is a script" -k "$d/script"
refused "no device tree" 1 "is not a device tree" -k "$d/good" -dtb "$d/good"
truncate -s 3G "$d/huge"
refused "huge firmware" 1 "is too big" "$d/huge"
truncate -s 100M "$d/big"
refused "firmware larger than RAM" 1 "does not fit: it needs 100 MiB of RAM, the machine has 64 MiB" "$d/big" -m 64M
refused "kernel larger than RAM" 1 "does not fit" -k "$d/big" -m 64M
refused "initrd larger than RAM" 1 "no room for 100 MiB" -k "$d/good" -initrd "$d/big" -m 64M
refused "firmware over the kernel" 1 "cannot be loaded at RAM + 4 MiB" "$d/big" -k "$d/good"
refused "too little RAM for a kernel" 1 "does not fit" -k "$d/good" -m 1M

printf '\037\213\010\0\0\0\0\0' >"$d/gz"
refused "compressed kernel" 1 "gunzip" -k "$d/gz"
# The shell is an ELF program for this host.
host_sh=$(readlink -f "$(command -v sh)")
refused "a program of the host" 1 "is an ELF file for" "$host_sh"
head -c 30 "$host_sh" >"$d/elf-cut"
refused "a truncated ELF file" 1 "truncated" "$d/elf-cut"

refused "missing script" 1 "cannot be opened" "$d/good" -script "$d/none"
printf '# a comment\nexpect nothing\n' >"$d/bad.script"
refused "malformed script" 2 "$d/bad.script:2: a text in double quotes" "$d/good" -script "$d/bad.script"
refused "an empty place in a list" 1 "empty" "$d/good" -serial "file:$d/log,"
refused "null in a list" 1 "null" "$d/good" -serial "null,file:$d/log"
refused "a console and the monitor at one pipe" 1 "only one" "$d/good" -serial stdio -monitor stdio
refused "the monitor at no place" 2 "empty" "$d/good" -monitor ""
refused "the monitor twice" 2 "twice" "$d/good" -monitor null -monitor null
refused "a socket in no directory" 1 "cannot listen" "$d/good" -serial "unix:$d/none/socket"
refused "a port of no number" 1 "not HOST:PORT" "$d/good" -console tcp:localhost
refused "attaching to nothing" 1 "nobody listens" -attach "unix:$d/none/socket"
refused "attaching to no port" 1 "not HOST:PORT" -attach tcp:localhost
refused "serial file in no directory" 1 "cannot be opened" "$d/good" -serial "$d/none/file"
refused "device tree dump in no directory" 1 "cannot be written" "$d/good" -dumpdtb "$d/none/file"
if [ -e /dev/full ]; then
    refused "device tree dump on a full disk" 1 "No space left" "$d/good" -dumpdtb /dev/full
fi

# Damaged ELF files: built from a small good one, each byte of its headers changed in turn.
elf() {
    printf '\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\363\0\1\0\0\0\0\0\0\200\064\0\0\0\0\0\0\0\0\0\0\0\064\0\040\0\1\0\0\0\0\0\0\0'
    printf '\1\0\0\0\124\0\0\0\0\0\0\200\0\0\0\200\010\0\0\0\010\0\0\0\5\0\0\0\4\0\0\0\157\0\0\0\157\0\0\0'
}
elf >"$d/elf"
bad=0 tried=0
printf 'quit 0\n' >"$d/quit.script"
for at in 0 4 5 6 16 18 24 27 28 29 42 44 45 52 53 56 57 59 63 67 68 71 72 75; do
    for byte in '\0' '\1' '\377'; do
        cp "$d/elf" "$d/elf-bad"
        # shellcheck disable=SC2059
        printf "$byte" | dd of="$d/elf-bad" bs=1 seek=$at conv=notrunc 2>"$d/dd"
        timeout 20 "$RVKIT" "$d/elf-bad" -m 16M -script "$d/quit.script" </dev/null >"$d/out" 2>"$d/err"
        status=$?
        tried=$((tried + 1))
        lines=$(wc -l <"$d/err")
        if [ "$status" -ne 0 ] && { [ "$status" -ne 1 ] || [ "$lines" -ne 1 ]; }; then
            bad=$((bad + 1))
            echo "# byte $at as $byte: exit status $status, $lines lines: $(head -c 300 "$d/err")"
        fi
    done
done
check "$tried damaged ELF files" test "$bad" -eq 0
timeout 20 "$RVKIT" "$d/elf" -m 16M -script "$d/quit.script" </dev/null
check "the good ELF file runs" test "$?" -eq 0

# Output that cannot be written ends the run instead of going on unseen.
if [ -e /dev/full ]; then
    printf '\267\002\0\020\023\003\020\004\043\200\142\000\157\360\337\377' >"$d/prints" # prints A for ever
    timeout 20 "$RVKIT" "$d/prints" </dev/null >/dev/full 2>"$d/err"
    check "output to a full disk" test "$?" -eq 1 -a "$(wc -l <"$d/err")" -eq 1
    timeout 20 "$RVKIT" "$d/prints" </dev/null 2>"$d/err" | head -c 10 >"$d/out"
    check "output to a reader that leaves" test "$(cat "$d/out")" = AAAAAAAAAA -a "$(wc -l <"$d/err")" -eq 1
fi
finish
