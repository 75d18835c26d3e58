# SPDX-License-Identifier: MPL-2.0
# An ext4 disk with the userland of the initramfs. Copy it before a machine writes to it. Result: disk.img.
set -eu
. "$guest/lib.sh"
. "$guest/recipes/tree.sh"
. "$guest/recipes/ext4.sh"
phase packing
make_tree
make_ext4 "$out/disk.img" 72766b69-7400-4000-8000-000000000001
