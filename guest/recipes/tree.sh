# SPDX-License-Identifier: MPL-2.0
# Sourced by initramfs.sh and disk.sh: puts the guest's root directory together in $work/root.

make_tree() {
    root=$work/root
    cp -R "$guest/rootfs" "$root"
    (
        cd "$root"
        mkdir -p bin sbin dev proc sys tmp run root mnt/host var/log usr/bin usr/sbin
        chmod 1777 tmp
        cp "$BUSYBOX_DIR/busybox" bin/busybox
        cp "$BENCH_DIR/bench" usr/bin/bench
        cp "$TOOLS_DIR/vsock" usr/bin/vsock
        while read -r applet; do
            [ -e ".$applet" ] || [ -L ".$applet" ] || ln -s /bin/busybox ".$applet"
        done <"$BUSYBOX_DIR/applets"
        find . -type d -exec chmod 755 {} +
        chmod 1777 tmp
    )
}
