# SPDX-License-Identifier: MPL-2.0
# Linux for RV32 with gcc-riscv64-linux-gnu: everything off (allnoconfig) but what the fragments name.
# Results: Image, vmlinux, System.map, config.
set -eu
. "$guest/lib.sh"
need make bc bison flex gcc xz riscv64-linux-gnu-gcc
export ARCH=riscv CROSS_COMPILE=riscv64-linux-gnu-
export KBUILD_BUILD_USER=rvkit KBUILD_BUILD_HOST=rvkit KBUILD_BUILD_TIMESTAMP='1970-01-01 00:00:00 UTC'

phase "unpacking Linux $(cat "$LINUX_SOURCE_DIR/VERSION")"
mkdir "$work/src" "$work/build"
# Register lists of AMD's cards are a third of the tree; nothing that is built here reads them, or the manual.
tar -C "$work/src" --strip-components=1 --exclude='*/amd/include/asic_reg' --exclude='*/Documentation/*' \
    -xf "$LINUX_SOURCE_DIR/linux.tar.xz"

phase configuring
# The manual has a Kconfig file that the main one reads.
: >"$work/src/Documentation/Kconfig"
cat "$guest/linux/rvkit.config" "$guest/linux/$LINUX.config" >"$work/fragment"
cd "$work/src"
make -s O="$work/build" KCONFIG_ALLCONFIG="$work/fragment" allnoconfig
grep '^CONFIG_' "$work/fragment" | while read -r line; do
    grep -qxF -- "$line" "$work/build/.config" || echo "$line"
done >"$work/missing"
sed -n 's/^# \(CONFIG_[A-Z0-9_]*\) is not set$/\1/p' "$work/fragment" | while read -r option; do
    ! grep -q "^$option=" "$work/build/.config" || echo "# $option is not set"
done >>"$work/missing"
[ ! -s "$work/missing" ] || fail "Linux $LINUX does not take these lines of guest/linux: $(tr '\n' ' ' <"$work/missing")"

phase compiling 1450
make -j"$JOBS" O="$work/build" Image

phase finishing
cp "$work/build/arch/riscv/boot/Image" "$work/build/vmlinux" "$work/build/System.map" "$out/"
cp "$work/build/.config" "$out/config"
