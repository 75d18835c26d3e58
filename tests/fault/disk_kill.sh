#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Kills writers with SIGKILL and looks at what they had flushed: processes that write to a disk, and whole machines.
# Usage: tests/fault/disk_kill.sh [ROUNDS [BOOTS]]    20 rounds for each kind of disk, 2 killed machines
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh
rounds=${1:-20} boots=${2:-2}
BUILD=${BUILD:-build}

make --no-print-directory "BUILD=$BUILD" "$BUILD/tests/fault/disk_kill" >/dev/null
"$BUILD/tests/fault/disk_kill" "$tests_dir" "$rounds" >"$tests_dir/log" 2>&1
check "$rounds killed writers each: a raw image and an overlay hold what was flushed" test "$?" -eq 0
grep -v '^ok\|passed' "$tests_dir/log"

# A machine whose guest writes files, syncs each, and then says its name. Killed at any moment; the next one, on the
# same overlay, must find every file that was named, intact.
# shellcheck disable=SC2016
writer='i=0; while :; do i=$((i+1)); head -c $((i * 7000)) /dev/urandom >/root/f$i; sha256sum /root/f$i >/root/s$i; fsync /root/f$i /root/s$i /root || sync; echo sa""fe-$i-; done'
cat >"$tests_dir/write" <<END
expect "rvkit:~# " 120
send "rm -f /root/f* /root/s*; $(printf '%s' "$writer" | sed 's/\\/\\\\/g; s/"/\\"/g')\n"
expect "safe-1-" 60
sleep 600
END
base=$(guest_path disk)
[ -r "$base" ] || { echo "not ok the guest's disk is missing; guest/build.sh disk builds it"; finish; }
n=0
while [ $n -lt "$boots" ]; do
    n=$((n + 1))
    "$RVKIT" -k "$KERNEL" -drive "$base,cow=$tests_dir/overlay" -script "$tests_dir/write" \
        </dev/null >"$tests_dir/out" 2>"$tests_dir/err" &
    pid=$!
    tries=0
    until grep -aq 'safe-3-' "$tests_dir/out" || [ $((tries += 1)) -gt 600 ]; do sleep 0.1; done
    sleep "0.$(($$ * 7919 * n % 10))"
    kill -9 $pid
    wait $pid 2>/dev/null
    last=$(tr -d '\r' <"$tests_dir/out" | grep -ao '^safe-[0-9]*-$' | tail -n 1 | tr -dc 0-9)
    cat >"$tests_dir/look" <<END
expect "rvkit:~# " 120
send "cd /root; i=0; bad=0; while [ \$i -lt ${last:-0} ]; do i=\$((i+1)); sha256sum -cs s\$i || bad=\$((bad+1)); done; echo look''ed-\$i-\$bad-; poweroff -f\n"
off 100
END
    timeout 200 "$RVKIT" -k "$KERNEL" -drive "$base,cow=$tests_dir/overlay" -script "$tests_dir/look" \
        </dev/null >"$tests_dir/out" 2>"$tests_dir/err"
    check "machine $n killed after ${last:-no} synced files: all are intact" \
        grep -aq "^looked-${last:-none}-0-" "$tests_dir/out"
done
finish
