#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# What the host does to a disk under a running guest: no room left, the file cut short. The guest sees I/O errors,
# rvkit tells once and goes on.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh

# A limit on the size of files is a full host without a file system of one's own.
truncate -s 64M "$tests_dir/data"
cat >"$tests_dir/full" <<'END'
expect "rvkit:~# " 120
send "dd if=/dev/zero of=/dev/vda bs=64k seek=512 count=2 oflag=direct; echo fu''ll-$?-; dd if=/dev/vda of=/dev/null bs=64k count=16 iflag=direct; echo re''ad-$?-; dd if=/dev/zero of=/dev/vda bs=64k count=2 oflag=direct; echo wr''ite-$?-; poweroff -f\n"
off 100
END
blocks=$((16 * 1024 * 2)) # 16 MiB in the units of ulimit -f
(ulimit -f $blocks && play "$tests_dir/full" -drive "$tests_dir/data,cow=$tests_dir/overlay")
check "no room for the overlay: the guest goes on" test "$?" -eq 0
check "... its write fails" grep -aq '^full-1-' "$tests_dir/out"
check "... it can read" grep -aq '^read-0-' "$tests_dir/out"
check "... and write where there is room" grep -aq '^write-0-' "$tests_dir/out"
check "... and one line tells why" test "$(grep -c 'drive data: cannot be written' "$tests_dir/err")" -eq 1

cat >"$tests_dir/short" <<'END'
expect "rvkit:~# " 120
send "echo be''gin; until [ -e /sys/none ]; do dd if=/dev/vda of=/dev/null bs=64k skip=1000 count=1 iflag=direct || break; sleep 0.1; done; echo cu''t; dd if=/dev/vda of=/dev/null bs=64k count=1 iflag=direct; echo st''art-$?-; poweroff -f\n"
off 100
END
(
    until grep -aq '^begin' "$tests_dir/out"; do sleep 0.1; done
    sleep 0.5
    truncate -s 1M "$tests_dir/data"
) &
play "$tests_dir/short" -drive "$tests_dir/data"
check "the file cut short: the guest goes on" test "$?" -eq 0
check "... its read fails" grep -aq '^cut' "$tests_dir/out"
check "... what is there can be read" grep -aq '^start-0-' "$tests_dir/out"
check "... and one line tells why" test "$(grep -c 'drive data: cannot be read: the file has been cut short' "$tests_dir/err")" -eq 1
wait
finish
