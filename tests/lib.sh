# SPDX-License-Identifier: MPL-2.0
# For test scripts: source it, call ok/not_ok through check, end with finish.
#   RVKIT   the program under test (default build/rvkit)
# shellcheck shell=sh
RVKIT=${RVKIT:-build/rvkit}
tests_passed=0 tests_failed=0
tests_dir=$(mktemp -d "${TMPDIR:-/tmp}/rvkit-test.XXXXXX") || exit 1
trap 'rm -rf "$tests_dir"' EXIT
trap 'exit 1' INT TERM HUP

pass() {
    tests_passed=$((tests_passed + 1))
    echo "ok $1"
}

fail() {
    tests_failed=$((tests_failed + 1))
    echo "not ok $1"
}

# check NAME COMMAND...: passes when the command succeeds.
check() {
    check_name=$1
    shift
    if "$@"; then pass "$check_name"; else fail "$check_name"; fi
}

finish() {
    echo "$tests_passed passed, $tests_failed failed"
    [ "$tests_failed" -eq 0 ] && [ "$tests_passed" -gt 0 ]
    exit
}
