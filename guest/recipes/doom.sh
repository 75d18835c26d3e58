# SPDX-License-Identifier: MPL-2.0
# Chocolate Doom from Debian's source, static, with our own screen, input and sound (guest/desktop/doom) in the place
# of SDL. Results: doom, copyright.
set -eu
. "$guest/lib.sh"
. "$guest/recipes/apt.sh"
need patch xz riscv64-linux-gnu-strip
cd "$work"
fetch_source "$DOOM_SUITE" chocolate-doom "$DOOM_VERSION" all
phase "unpacking Chocolate Doom"
unpack_source chocolate-doom src
cp src/debian/copyright "$out/"

# What is SDL's, another system's, or another game's.
left_out='i_cdmus i_endoom i_flmusic i_input i_joystick i_musicpack i_oplmusic i_pcsound i_sdlmusic i_sdlsound i_video
    i_videohr i_winmusic gusconf d_dedicated net_gui net_sdl w_file_win32 z_native'
for file in src/src/*.c src/src/doom/*.c; do
    name=$(basename "$file" .c)
    case " $(echo $left_out) " in *" $name "*) ;; *) echo "$file" ;; esac
done >sources
mkdir objects
cat >compile <<EOF
#!/bin/sh
echo "  CC \$1"
exec "$ZIG_DIR/cc" -std=gnu11 -O2 -DRVKIT_DOOM_VERSION='"$DOOM_VERSION"' -I"$guest/desktop/doom" -Isrc/src -Isrc/src/doom \
    -Isrc/textscreen \$2 -c -o "objects/\$3\$(basename "\$1" .c).o" "\$1"
EOF
chmod +x compile
phase compiling "$(wc -l <sources)"
xargs -P "$JOBS" -I FILE ./compile FILE -w '' <sources
for file in "$guest"/desktop/doom/*.c "$guest"/desktop/screen.c "$guest"/desktop/evdev.c "$guest"/desktop/pcm.c; do
    ./compile "$file" -Wall rvkit-
done
"$ZIG_DIR/cc" -static -o doom objects/*.o -lm
riscv64-linux-gnu-strip -o "$out/doom" doom
