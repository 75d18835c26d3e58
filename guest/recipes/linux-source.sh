# SPDX-License-Identifier: MPL-2.0
# Debian's kernel source package, kept so that a changed configuration needs no network.
set -eu
. "$guest/lib.sh"
. "$guest/recipes/apt.sh"
need dpkg-deb
cd "$work"
fetch_deb "$linux_suite" "linux-source-$LINUX" "$linux_version"
phase "unpacking the package"
dpkg-deb -x "linux-source-$LINUX"_*.deb tree
mv "tree/usr/src/linux-source-$LINUX.tar.xz" "$out/linux.tar.xz"
echo "$version" >"$out/VERSION"
