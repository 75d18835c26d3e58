# SPDX-License-Identifier: MPL-2.0
# An ext4 disk (no partitions, 64 MiB, sparse) with the userland of the initramfs, made without privileges.
# Copy it before a machine writes to it. Result: disk.img.
set -eu
. "$guest/lib.sh"
. "$guest/recipes/tree.sh"
PATH=$PATH:/usr/sbin:/sbin
need mke2fs debugfs
phase packing
make_tree
rm "$root/init" # the initramfs's own; a disk starts with /sbin/init
find "$root" -exec touch -h -d @0 {} +
export E2FSPROGS_FAKE_TIME=1
uuid=72766b69-7400-4000-8000-000000000001
mke2fs -q -F -t ext4 -L rvkit -U $uuid -E root_owner=0:0,hash_seed=$uuid,lazy_itable_init=0,lazy_journal_init=0 \
    -d "$root" "$out/disk.img" 64M
# The files keep the owner they have on the build host; they are to be root's.
(cd "$root" && find . -mindepth 1 | sed 's/^\.//' | LC_ALL=C sort) |
    sed 's/.*/set_inode_field "&" uid 0\nset_inode_field "&" gid 0/' >"$work/owners"
debugfs -w -f "$work/owners" "$out/disk.img" >/dev/null
e2fsck -fn "$out/disk.img"
