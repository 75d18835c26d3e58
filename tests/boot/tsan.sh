#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# A 4-hart boot under ThreadSanitizer (build/tsan/rvkit, or RVKIT) has no report.
cd "$(dirname "$0")/../.." || exit 1
RVKIT=${RVKIT:-build/tsan/rvkit}
. tests/boot/lib.sh

cat >"$tests_dir/boot" <<'END'
expect "rvkit:~# " 250
send "for i in 1 2 3 4; do (echo $i | sha256sum) & done; wait; echo do''ne\n"
expect "done" 60
send "poweroff -f\n"
off 60
END
check "4 harts, built-in SBI: boot and power off" play "$tests_dir/boot" -s 4
grep -A 12 'WARNING: ThreadSanitizer' "$tests_dir/err" | head -n 60 | sed 's/^/# /'
check "no data race is reported" test "$(grep -c 'WARNING: ThreadSanitizer' "$tests_dir/err")" -eq 0
finish
