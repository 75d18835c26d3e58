#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# The help page, the manual and the program agree, and the program says things in the right places.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

"$RVKIT" -h >"$tests_dir/help" 2>"$tests_dir/err"
check "help exits 0 and goes to stdout" test "$?" -eq 0 -a -s "$tests_dir/help" -a ! -s "$tests_dir/err"

# The options of the left column, and those of the manual's headings in the section on options.
cut -c1-25 "$tests_dir/help" | grep '^  -' | grep -o -- '-[A-Za-z_0-9]*' | sort >"$tests_dir/in-help"
sed -n '/^\.SH OPTIONS/,/^\.SS Options of RVVM/p' docs/rvkit.1 | grep -A1 '^\.TP' | grep '^\.BR* \\-' |
    sed 's/\\fI.*//' | grep -o '\\-[A-Za-z_0-9]*' | tr -d '\134' | sort >"$tests_dir/in-manual"
check "help and manual list the same options" cmp "$tests_dir/in-help" "$tests_dir/in-manual"
check "help lists all options" test "$(wc -l <"$tests_dir/in-help")" -ge 28
check "no line of help is too long" test "$(awk 'length > 80' "$tests_dir/help" | wc -l)" -eq 0

check "version" test "$("$RVKIT" --version)" = "$("$RVKIT" -version)"
check "version has a number" sh -c "'$RVKIT' -version | grep -Eqx 'rvkit [0-9]+\.[0-9]+\.[0-9]+'"

if [ -e /dev/full ]; then
    "$RVKIT" -h >/dev/full 2>"$tests_dir/err"
    check "help on a full disk fails with one line" test "$?" -eq 1 -a "$(wc -l <"$tests_dir/err")" -eq 1
fi

"$RVKIT" -m 64M -s 2 -dumpdtb "$tests_dir/a.dtb" </dev/null
check "-dumpdtb alone exits 0" test "$?" -eq 0
check "-dumpdtb writes a device tree" test "$(od -An -tx1 -N4 "$tests_dir/a.dtb" | tr -d ' ')" = d00dfeed
if command -v dtc >/dev/null; then
    dtc -q -I dtb -O dts "$tests_dir/a.dtb" >"$tests_dir/a.dts"
    check "the device tree has the RAM and harts asked for" \
        sh -c "grep -q 'cpu@1' '$tests_dir/a.dts' && grep -q '0x00 0x80000000 0x00 0x4000000' '$tests_dir/a.dts'"
fi
finish
