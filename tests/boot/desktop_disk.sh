#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# The programs of the desktop disk, without a window: a test pattern, the drawing and the game in the scanout, events
# one for one, and what the player plays. PICTURES=DIR keeps pictures of the screen there.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh
command -v python3 >/dev/null || { echo "not ok python3 is needed"; exit 1; }
disk=$(guest_path desktop)
if [ ! -r "$disk" ]; then
    echo "not ok the desktop disk is missing; guest/build.sh desktop builds it"
    echo "0 passed, 1 failed"
    exit 1
fi
host=$tests_dir/desktop_host share=$tests_dir/share before=$(sha256sum <"$disk")
mkdir "$share"

check "the host's part compiles" "${CC:-gcc}" -std=gnu11 -O2 -Wall -Wextra -Werror -pthread -Iinclude -Isrc -Itests \
    -o "$host" tests/boot/desktop_host.c build/librvkit.a $(pkg-config --libs slirp 2>/dev/null) -lm
[ "$tests_failed" -eq 0 ] || finish

# Two seconds of a tone, in whole periods of the guest's player.
python3 - "$share" <<'END'
import math, struct, sys, wave
with wave.open(sys.argv[1] + "/tone.wav", "wb") as out:
    out.setnchannels(2), out.setsampwidth(2), out.setframerate(48000)
    out.writeframes(b"".join(struct.pack("<hh", int(20000 * math.sin(i * 0.0576)), int(9000 * math.cos(i * 0.0311)))
                             for i in range(96256)))
END

timeout 300 "$host" disk "$KERNEL" "$disk,cow=$tests_dir/overlay" "$share" >"$tests_dir/log" 2>"$tests_dir/err"
check "all of the guest's part" grep -q '^[0-9]* passed, 0 failed' "$tests_dir/log"
grep -v '^ok\|passed' "$tests_dir/log" | sed 's/^/# /'
# Linux up to 6.7 goes on with whole buffers until it is stopped: silence, here.
check "the WAV file has what the player played, and nothing else" python3 -c '
import sys, wave
want, got = (wave.open(sys.argv[1] + name).readframes(1 << 30) for name in ("/tone.wav", "/played.wav"))
rest = got[len(want):]
sys.exit(got[:len(want)] != want or any(rest) or len(rest) > 65 * 4096)' "$share"
check "the game was heard" python3 -c '
import sys, wave
game = wave.open(sys.argv[1] + "/played-2.wav")
frames = game.readframes(1 << 30)
sys.exit(game.getframerate() != 44100 or not any(frames))' "$share"
check "the disk in the cache is untouched" test "$(sha256sum <"$disk")" = "$before"
for picture in "$share"/*.ppm; do
    [ -z "$PICTURES" ] || cp "$picture" "$PICTURES/disk-$(basename "$picture")"
done
[ -z "$PICTURES" ] || cp "$share"/*.wav "$PICTURES/"
finish
