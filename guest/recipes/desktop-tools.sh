# SPDX-License-Identifier: MPL-2.0
# Our own programs for a screen, input devices and sound, static. Results: fbdraw, evwatch, play.
set -eu
. "$guest/lib.sh"
need riscv64-linux-gnu-strip
phase compiling
cd "$guest/desktop"
compile() { # program sources
    name=$1
    shift
    "$ZIG_DIR/cc" -std=gnu11 -O2 -Wall -Wextra -Werror -static -o "$work/$name" "$@"
    riscv64-linux-gnu-strip -o "$out/$name" "$work/$name"
}
compile fbdraw fbdraw.c -lm
compile evwatch evwatch.c evdev.c
compile play play.c pcm.c
