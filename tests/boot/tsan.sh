#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# A 4-hart boot to the prompt and off in a build with ThreadSanitizer (RVKIT, default build/tsan/rvkit).
cd "$(dirname "$0")/../.." || exit 1
RVKIT=${RVKIT:-build/tsan/rvkit}
. tests/boot/lib.sh

cat >"$tests_dir/boot" <<'END'
expect "rvkit:~# " 240
send "echo harts=$(nproc); dd if=/dev/zero bs=64k count=64 2>/dev/null | sha256sum; poweroff -f\n"
expect "harts=4" 60
off 60
END
check "4 harts under ThreadSanitizer: prompt and off" play "$tests_dir/boot" -s 4
if grep -q 'ThreadSanitizer' "$tests_dir/err"; then
    sed 's/^/# /' "$tests_dir/err" | head -n 80
    fail "no report"
else
    pass "no report"
fi
finish
