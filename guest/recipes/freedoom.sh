# SPDX-License-Identifier: MPL-2.0
# Freedoom's levels, pictures and sounds: data, no programs, as Debian packs them. Results: freedoom1.wad, copyright.
set -eu
. "$guest/lib.sh"
. "$guest/recipes/apt.sh"
need dpkg-deb
cd "$work"
fetch_deb "$FREEDOOM_SUITE" freedoom "$FREEDOOM_VERSION"
phase "unpacking the package"
dpkg-deb -x freedoom_*.deb tree
cp tree/usr/share/games/doom/freedoom1.wad tree/usr/share/doc/freedoom/copyright "$out/"
