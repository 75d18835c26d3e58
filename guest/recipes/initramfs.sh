# SPDX-License-Identifier: MPL-2.0
# Results: initramfs.cpio.gz, and initramfs.cpio for those who would rather spend memory than time.
set -eu
. "$guest/lib.sh"
. "$guest/recipes/tree.sh"
need gcc gzip
phase packing
gcc -O2 -o "$work/mkcpio" "$guest/mkcpio.c"
make_tree
"$work/mkcpio" "$root" >"$out/initramfs.cpio"
gzip -n -9 -c "$out/initramfs.cpio" >"$out/initramfs.cpio.gz"
