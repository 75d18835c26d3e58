#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Plain text through this terminal and through @xterm/headless, MB/s (10^6 bytes), on 80x24 with 10,000 lines kept.
cd "$(dirname "$0")/../.." || exit 1
. tests/vt/lib.sh
awk 'BEGIN { for (i = 0; i < 60000; i++) { s = i ": "; while (length(s) < 20 + i * 7 % 70) s = s "plain text "; printf "%s\r\n", s } }' >build/vt/plain
ours=$(build/vt/dump bench build/vt/plain) && theirs=$(node tests/vt/oracle.mjs "$vt_modules" bench build/vt/plain) || exit 1
echo "rvkit: $ours MB/s; @xterm/headless: $theirs MB/s; $((ours * 10 / theirs))/10 times"
