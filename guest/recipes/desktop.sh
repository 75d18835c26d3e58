# SPDX-License-Identifier: MPL-2.0
# The disk with graphical programs as well, and a welcome that names them. Result: desktop.img.
set -eu
. "$guest/lib.sh"
. "$guest/recipes/tree.sh"
. "$guest/recipes/ext4.sh"
phase packing
make_tree
cp -R "$guest/desktop/rootfs/." "$root/"
cp "$DESKTOP_TOOLS_DIR"/* "$MODETEST_DIR/modetest" "$DOOM_DIR/doom" "$root/usr/bin/"
mkdir -p "$root/usr/share/games/doom" "$root/usr/share/doc"
cp "$FREEDOOM_DIR/freedoom1.wad" "$root/usr/share/games/doom/"
cp "$FREEDOOM_DIR/copyright" "$root/usr/share/doc/freedoom-copyright"
cp "$DOOM_DIR/copyright" "$root/usr/share/doc/doom-copyright"
cp "$MODETEST_DIR/copyright" "$root/usr/share/doc/modetest-copyright"
find "$root/usr" "$root/etc" -type d -exec chmod 755 {} +
make_ext4 "$out/desktop.img" 72766b69-7400-4000-8000-000000000002
