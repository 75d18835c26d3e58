# SPDX-License-Identifier: MPL-2.0
# libdrm's modetest from Debian's source, static, with the parts of the library that it needs. Results: modetest,
# copyright.
set -eu
. "$guest/lib.sh"
. "$guest/recipes/apt.sh"
need patch xz python3 riscv64-linux-gnu-strip
cd "$work"
fetch_source "$LIBDRM_SUITE" libdrm "$LIBDRM_VERSION" all
phase "unpacking libdrm"
unpack_source libdrm src
cp src/debian/copyright "$out/"

phase compiling 11
cd src
python3 gen_table_fourcc.py include/drm/drm_fourcc.h generated_static_table_fourcc.h
for name in xf86drm xf86drmHash xf86drmMode xf86drmRandom xf86drmSL tests/util/format tests/util/kms tests/util/pattern \
    tests/modetest/buffers tests/modetest/cursor tests/modetest/modetest; do
    echo "  CC $name"
    # The other programs' headers of the host stay out: what meson would find is said here.
    "$ZIG_DIR/cc" -std=gnu11 -O2 -w -DMAJOR_IN_SYSMACROS=1 -DHAVE_VISIBILITY=1 -DHAVE_SYS_SYSCTL_H=0 -DHAVE_SECURE_GETENV=1 \
        -D_GNU_SOURCE -I. -Iinclude/drm -Itests -c -o "$work/$(basename $name).o" $name.c
done
"$ZIG_DIR/cc" -static -o "$work/modetest" "$work"/*.o -lm
riscv64-linux-gnu-strip -o "$out/modetest" "$work/modetest"
