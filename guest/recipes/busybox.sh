# SPDX-License-Identifier: MPL-2.0
# BusyBox from Debian's source, static, RV32GC with hard float. Results: busybox, applets (their paths).
set -eu
# The date in its banner: not that of the build, so that the same source makes the same bytes.
export SOURCE_DATE_EPOCH=0
. "$guest/lib.sh"
. "$guest/recipes/apt.sh"
need make gcc patch bzip2 xz riscv64-linux-gnu-ld
cd "$work"
fetch_source "$BUSYBOX_SUITE" busybox "$BUSYBOX_VERSION" all

phase "unpacking BusyBox"
mkdir src
tar -C src --strip-components=1 -xf busybox_*.orig.tar.bz2
tar -C src -xf busybox_*.debian.tar.xz
cd src
grep -v -e '^#' -e '^$' debian/patches/series | while read -r name; do
    patch -s -p1 <"debian/patches/$name"
done
# The linker inside Zig makes no map files.
sed -i 's/-Wl,--warn-common -Wl,-Map,$EXE.map -Wl,--verbose//' scripts/trylink

phase configuring
fragment=$guest/busybox/rvkit.config
make -s defconfig
sed -n 's/^# \(CONFIG_[A-Z0-9_]*\) is not set$/\1/p; s/^\(CONFIG_[A-Z0-9_]*\)=.*/\1/p' "$fragment" |
    sed 's/.*/\/^&=\/d;\/^# & is not set$\/d/' >"$work/replaced"
sed -i -f "$work/replaced" .config
grep 'CONFIG_' "$fragment" >>.config
yes '' | make -s oldconfig
grep 'CONFIG_' "$fragment" | grep -vxF -f .config >"$work/missing" || :
# An option that a switched-off one contained is gone from the file: that is off too.
grep -v 'is not set$' "$work/missing" >"$work/lost" || :
[ ! -s "$work/lost" ] || fail "BusyBox does not take these lines of guest/busybox/rvkit.config: $(tr '\n' ' ' <"$work/lost")"

phase "compiling and linking" 620
# BB_GLOBAL_CONST: clang takes the const of the globals' pointer at its word and keeps an old copy.
# RV32 has no settimeofday call, only clock_settime: hwclock's setting of the kernel's time zone then says ENOSYS.
make -j"$JOBS" ARCH=riscv CROSS_COMPILE=riscv64-linux-gnu- HOSTCC=gcc CC="$ZIG_DIR/cc" \
    LD='riscv64-linux-gnu-ld -m elf32lriscv' SKIP_STRIP=y \
    CONFIG_EXTRA_CFLAGS='-O2 -DBB_GLOBAL_CONST= -DSYS_settimeofday=-1'
make -s busybox.links SKIP_STRIP=y
riscv64-linux-gnu-strip -o "$out/busybox" busybox_unstripped
cp busybox.links "$out/applets"
