#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Runs Debian's vttest on this terminal and judges what its screens show (tests/vt/vttest.mjs; docs/vt.md).
# Usage: tests/vt/vttest.sh [KEYS]     with KEYS it only shows the screens that they lead to
cd "$(dirname "$0")/../.." || exit 1
if ! command -v vttest >/dev/null 2>&1; then
    echo "skipped: vttest is not installed (tools/deps.sh test)"
    echo "0 passed, 0 failed"
    exit 0
fi
mkdir -p build/vt
${CC:-gcc} -std=gnu11 -Wall -Wextra -Werror -O2 -g -Isrc -Iinclude tests/vt/screens.c src/frontends/vt*.c -lutil \
    -o build/vt/screens || exit 1
[ $# -eq 0 ] || exec build/vt/screens "$1" vttest 24x80.80
exec node tests/vt/vttest.mjs build/vt/screens vttest 24x80.80
