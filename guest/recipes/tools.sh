# SPDX-License-Identifier: MPL-2.0
# Small programs that BusyBox lacks, static: each guest/tools/NAME.c. Results: NAME.
set -eu
. "$guest/lib.sh"
need riscv64-linux-gnu-strip
phase compiling
for source in "$guest"/tools/*.c; do
    name=$(basename "$source" .c)
    "$ZIG_DIR/cc" -std=gnu11 -O2 -Wall -static -o "$work/$name" "$source"
    riscv64-linux-gnu-strip -o "$out/$name" "$work/$name"
done
