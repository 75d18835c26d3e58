# SPDX-License-Identifier: MPL-2.0
# Sourced by disk.sh and desktop.sh: packs $work/root as an ext4 disk (no partitions, 64 MiB, sparse), without
# privileges and the same each time.

PATH=$PATH:/usr/sbin:/sbin

make_ext4() { # image uuid
    need mke2fs debugfs
    rm "$root/init" # the initramfs's own; a disk starts with /sbin/init
    find "$root" -exec touch -h -d @0 {} +
    export E2FSPROGS_FAKE_TIME=1
    mke2fs -q -F -t ext4 -L rvkit -U "$2" -E root_owner=0:0,hash_seed="$2",lazy_itable_init=0,lazy_journal_init=0 \
        -d "$root" "$1" 64M
    # The files keep the owner that they have on the build host, and the time when they were made there; they are to
    # be root's, and of no time.
    (cd "$root" && find . -mindepth 1 | sed 's/^\.//' | LC_ALL=C sort) |
        sed 's/.*/set_inode_field "&" uid 0\nset_inode_field "&" gid 0\nset_inode_field "&" ctime @0/' >"$work/owners"
    debugfs -w -f "$work/owners" "$1" >/dev/null
    e2fsck -fn "$1"
}
