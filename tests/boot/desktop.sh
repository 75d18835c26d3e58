#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Linux with a screen, input devices and sound, without a window: log and logo on virtio-gpu and on the simple
# frame buffer, drawings, another size, keys and fingers one for one, and a tone that comes out as it went in.
# PICTURES=DIR keeps pictures of the screens there.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh
command -v python3 >/dev/null || { echo "not ok python3 is needed"; exit 1; }
host=$tests_dir/desktop_host share=$tests_dir/share
mkdir "$share"

check "the host's part compiles" "${CC:-gcc}" -std=gnu11 -O2 -Wall -Wextra -Werror -pthread -Iinclude -Isrc -Itests \
    -o "$host" tests/boot/desktop_host.c build/librvkit.a $(pkg-config --libs slirp 2>/dev/null) -lm
check "the guest's part compiles" "$(guest/build.sh path zig)/cc" -std=gnu11 -O2 -Wall -Wextra -Werror -static \
    -o "$share/desktop_guest" -Iguest/desktop tests/boot/desktop_guest.c guest/desktop/pcm.c

[ "$tests_failed" -eq 0 ] || finish

# Ten seconds of a tone, in whole periods of the guest's program; what is recorded is noise.
python3 - "$share" <<'END'
import math, random, struct, sys
frames = 480256
tone = b"".join(struct.pack("<hh", int(20000 * math.sin(i * 0.0576)), int(9000 * math.cos(i * 0.0311)))
                for i in range(frames))
open(sys.argv[1] + "/tone.raw", "wb").write(tone)
open(sys.argv[1] + "/grey.raw", "wb").write(b"\x55" * (1024 * 768 * 4))
noise = random.Random(1).randbytes(48000 * 4)
head = b"RIFF" + struct.pack("<I", 36 + len(noise)) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 2, 48000, 192000, 4, 16)
open(sys.argv[1] + "/record.wav", "wb").write(head + b"data" + struct.pack("<I", len(noise)) + noise)
END

for screen in gpu fb; do
    timeout 300 "$host" $screen "$KERNEL" "$INITRAMFS" "$share" >"$tests_dir/log" 2>"$tests_dir/err"
    check "$screen: all of the guest's part" grep -q '^[0-9]* passed, 0 failed' "$tests_dir/log"
    grep -v '^ok\|passed' "$tests_dir/log" | sed 's/^/# /'
    if [ $screen = gpu ]; then
        # Linux up to 6.7 goes on with whole buffers until it is stopped: silence, here.
        check "the tone in the WAV file is what the guest played, and nothing else" python3 -c '
import sys
want, got = (open(sys.argv[1] + name, "rb").read() for name in ("/tone.raw", "/played.wav"))
got = got[44:]
rest = got[len(want):]
sys.exit(got[:len(want)] != want or any(rest) or len(rest) > 65 * 4096)' "$share"
        tail -c +45 "$share/record.wav" >"$share/record.raw"
        check "the guest heard what is in the WAV file" cmp "$share/record.raw" "$share/heard.raw"
    fi
    for picture in "$share"/*.ppm; do
        [ -z "$PICTURES" ] || cp "$picture" "$PICTURES/$screen-$(basename "$picture")"
    done
done

# The program's own option, in a terminal.
head -c 192512 "$share/tone.raw" >"$share/short.raw"
cat >"$tests_dir/script" <<'END'
expect "rvkit:~# " 120
send "mount -t 9p -o trans=virtio,version=9p2000.L t /mnt && cd /mnt && ./desktop_guest play <short.raw &&"
send "./desktop_guest record 9600 >heard.raw; echo st''atus $?\n"
expect "status 0" 60
send "poweroff -f\n"
off
END
check "-sound plays and records" play "$tests_dir/script" -sound "wav:$share/option.wav,record=$share/record.wav" \
    -share "t=$share" -append 'virtio_snd.pcm_buffer_ms=2000 virtio_snd.pcm_periods_max=64'
check "into a WAV file" python3 -c '
import sys, wave
want, got = open(sys.argv[1] + "/short.raw", "rb").read(), wave.open(sys.argv[1] + "/option.wav").readframes(1 << 30)
sys.exit(got[:len(want)] != want or any(got[len(want):]))' "$share"
check "and out of one" python3 -c '
import sys
want, got = (open(sys.argv[1] + name, "rb").read() for name in ("/record.raw", "/heard.raw"))
sys.exit(len(got) != 38400 or want[:len(got)] != got)' "$share"
finish
