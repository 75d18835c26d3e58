# SPDX-License-Identifier: MPL-2.0
# OpenSBI for RV32, platform "generic": firmware at 0x80000000, the kernel at 0x80400000, the device tree left where
# the machine put it. Results: fw_jump.bin, fw_jump.elf, fw_dynamic.bin, fw_dynamic.elf.
set -eu
. "$guest/lib.sh"
. "$guest/recipes/apt.sh"
need make gcc python3 riscv64-linux-gnu-gcc
cd "$work"
fetch_source "$OPENSBI_SUITE" opensbi "$OPENSBI_VERSION" upstream
phase compiling 385
mkdir src
tar -C src --strip-components=1 -xf opensbi_*.orig.tar.*
make -C src -j"$JOBS" PLATFORM=generic PLATFORM_RISCV_XLEN=32 CROSS_COMPILE=riscv64-linux-gnu- \
    FW_TEXT_START=0x80000000 FW_JUMP_OFFSET=0x400000 FW_JUMP_FDT_OFFSET= FW_PAYLOAD=n
for name in fw_jump fw_dynamic; do
    cp "src/build/platform/generic/firmware/$name.bin" "src/build/platform/generic/firmware/$name.elf" "$out/"
done
