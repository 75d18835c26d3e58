# SPDX-License-Identifier: MPL-2.0
# The benchmark program, static. No contraction: checksums are the same on every machine. Result: bench.
set -eu
. "$guest/lib.sh"
need riscv64-linux-gnu-strip
phase compiling
"$ZIG_DIR/cc" -std=gnu11 -O2 -ffp-contract=off -fno-math-errno -static -o "$work/bench" "$guest"/bench/*.c
riscv64-linux-gnu-strip -o "$out/bench" "$work/bench"
