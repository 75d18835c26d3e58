#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# Checks the floating-point core (src/cpu/fpu*.c) against Berkeley TestFloat, at level 1, in all rounding
# modes: 63.5 million cases, each with the core and with the short cut, in about a minute.
#
#   tests/isa/testfloat.sh [LEVEL [FUNCTION...]]       e.g. testfloat.sh 1 f64_add f32_div
#
# TestFloat and SoftFloat are taken from Debian's source package of qemu, which carries both, with apt and the
# system's own package sources. No privileges are needed and nothing outside the cache is written. The built
# generator stays in ${RVKIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rvkit}/testfloat-<hash of this script>.
# CC and CFLAGS choose how the core is compiled.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${RVKIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rvkit}
home=$cache/testfloat-$(sha256sum "$here/testfloat.sh" | cut -c1-16)

die() {
    echo "testfloat: $*" >&2
    exit 1
}

# Downloads the source package of qemu into the current folder.
fetch_source() {
    mkdir -p apt/sources apt/lists/partial apt/cache/archives/partial
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        if [ -f "$list" ]; then
            sed -n 's/^deb /deb-src /p' "$list" >"apt/sources/$(basename "$list" .list).list"
        fi
    done
    for list in /etc/apt/sources.list.d/*.sources; do
        if [ -f "$list" ]; then
            sed 's/^Types:.*/Types: deb-src/' "$list" >"apt/sources/$(basename "$list")"
        fi
    done
    set -- -qq -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$PWD/apt/sources" \
        -o "Dir::State::Lists=$PWD/apt/lists" -o "Dir::Cache=$PWD/apt/cache" \
        -o Debug::NoLocking=1 -o "APT::Sandbox::User=$(id -un)"
    apt-get "$@" update || echo "testfloat: some package lists are missing" >&2
    apt-get "$@" --download-only --only-source source qemu || die "cannot fetch Debian's source package qemu"
}

build_generator() {
    rm -rf "$home.part"
    mkdir -p "$home.part"
    cd "$home.part"
    echo "testfloat: fetching the source package of qemu (24 MB)" >&2
    fetch_source
    echo "testfloat: building testfloat_gen" >&2
    tar -xf qemu_*.orig.tar.* --wildcards '*/berkeley-softfloat-3' '*/berkeley-testfloat-3' ||
        die "this version of qemu's source has no TestFloat"
    tests=$(find . -type d -name berkeley-testfloat-3 | head -n 1)
    make -s -C "$tests/../berkeley-softfloat-3/build/Linux-x86_64-GCC" SPECIALIZE_TYPE=RISCV >build.log 2>&1 &&
        make -s -C "$tests/build/Linux-x86_64-GCC" TESTFLOAT_OPTS='-DFLOAT16 -DFLOAT64' testfloat_gen \
            >>build.log 2>&1 || die "TestFloat does not build: see $home.part/build.log"
    cp "$tests/build/Linux-x86_64-GCC/testfloat_gen" .
    rm -rf apt qemu*
    rm -rf "$home"
    mv "$home.part" "$home"
}

[ -x "$home/testfloat_gen" ] || (build_generator)

check=$(mktemp -d)
trap 'rm -rf "$check"' EXIT
# shellcheck disable=SC2086
${CC:-cc} -std=gnu11 ${CFLAGS:--O2} -Wall -Wextra -Werror -o "$check/check" \
    "$here/testfloat/check.c" "$top/src/cpu/fpu.c" "$top/src/cpu/fpu_convert.c" -lm
"$check/check" "$home/testfloat_gen" "$@"
