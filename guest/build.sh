#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# Builds the parts of the guest, or tells where they are.
#
#   guest/build.sh WHAT...        build what is missing, say where it is
#   guest/build.sh path WHAT...   only say where: one path a line, nothing is built
#   guest/build.sh have WHAT...   exit 0 when all of it is there
#   guest/build.sh prune          delete cached results that today's recipes no longer lead to
#
# WHAT: kernel  initramfs  disk  desktop  opensbi  bench  tools  busybox  all (kernel, initramfs, disk, opensbi)
#       and what only the desktop disk has: modetest  doom  freedoom  desktop-tools
# Environment: LINUX=6.1|6.12 chooses the kernel; RVKIT_CACHE the cache (default ~/.cache/rvkit); JOBS the
# number of compilers at a time.
#
# A result lies in CACHE/PART-HASH/, where HASH covers the recipe, its inputs and the pinned versions, and the
# same of every part it is made from. It is built in CACHE/.build-* and renamed when complete.
set -eu
guest=$(cd "$(dirname "$0")" && pwd)
. "$guest/versions.sh"
. "$guest/lib.sh"

cache=${RVKIT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/rvkit}
case $cache in
/*) ;;
*) cache=$PWD/$cache ;;
esac
LINUX=${LINUX:-$LINUX_DEFAULT}
case $LINUX in
6.1) linux_suite=$LINUX_6_1_SUITE linux_version=$LINUX_6_1_VERSION ;;
6.12) linux_suite=$LINUX_6_12_SUITE linux_version=$LINUX_6_12_VERSION ;;
*) die "LINUX=$LINUX is not known; it can be 6.1 or 6.12" 2 ;;
esac

# What a part is made of. files: its recipe and inputs; pins: versions; deps: parts whose change changes this one;
# needs: parts that only have to be there; space: MB needed while it is built; result: the file that `path` names.
describe() {
    files="recipes/$1.sh" pins='' deps='' needs='' space=20 result='' name=$1
    case $1 in
    linux-source)
        name=linux-source-$LINUX
        files='' pins="$linux_suite $linux_version" space=400 ;;
    kernel)
        name=kernel-$LINUX
        files="recipes/kernel.sh linux/rvkit.config linux/$LINUX.config"
        pins="$LINUX $linux_version" needs=linux-source space=1800 result=Image ;;
    zig)
        files="recipes/zig.sh zig/package.json zig/package-lock.json" space=700 ;;
    busybox)
        files="recipes/busybox.sh busybox/rvkit.config"
        pins=$BUSYBOX_VERSION deps=zig space=200 result=busybox ;;
    bench)
        files="recipes/bench.sh bench/bench.c bench/bench.h bench/integer.c bench/memory.c bench/float.c bench/system.c"
        deps=zig result=bench ;;
    tools)
        files="recipes/tools.sh tools/vsock.c" deps=zig result=vsock ;;
    initramfs)
        files="recipes/initramfs.sh recipes/tree.sh mkcpio.c $(cd "$guest" && find rootfs -type f | LC_ALL=C sort)"
        deps='busybox bench tools' result=initramfs.cpio ;;
    disk)
        files="recipes/disk.sh recipes/ext4.sh recipes/tree.sh $(cd "$guest" && find rootfs -type f | LC_ALL=C sort)"
        deps='busybox bench tools' result=disk.img ;;
    desktop)
        files="recipes/desktop.sh recipes/ext4.sh recipes/tree.sh
            $(cd "$guest" && find rootfs desktop/rootfs -type f | LC_ALL=C sort)"
        deps='busybox bench tools desktop-tools modetest doom freedoom' space=120 result=desktop.img ;;
    desktop-tools)
        files="recipes/desktop-tools.sh $(cd "$guest" && find desktop -maxdepth 1 -name '*.[ch]' | LC_ALL=C sort)"
        deps=zig ;;
    modetest)
        files=recipes/modetest.sh pins=$LIBDRM_VERSION deps=zig space=40 result=modetest ;;
    doom)
        files="recipes/doom.sh $(cd "$guest" && find desktop/doom -type f | LC_ALL=C sort)
            desktop/screen.c desktop/screen.h desktop/evdev.c desktop/evdev.h desktop/pcm.c desktop/pcm.h"
        pins=$DOOM_VERSION deps=zig space=60 result=doom ;;
    freedoom)
        files=recipes/freedoom.sh pins=$FREEDOOM_VERSION space=120 result=freedoom1.wad ;;
    opensbi)
        files=recipes/opensbi.sh pins=$OPENSBI_VERSION space=120 result=fw_jump.bin ;;
    *) die "no such part: $1 (kernel, initramfs, disk, desktop, opensbi, bench, tools, busybox or all)" 2 ;;
    esac
}

part_key() (
    describe "$1"
    dep_keys=
    for dep in $deps; do
        dep_keys="$dep_keys $(part_key "$dep")"
    done
    cd "$guest"
    { printf '%s|%s|%s|%s\n' "$name" "$pins" "$dep_keys" "$files"; [ -z "$files" ] || cat $files; } |
        sha256sum | cut -c1-12
)

part_dir() (
    key=$(part_key "$1") || exit
    describe "$1"
    echo "$cache/$name-$key"
)

expand() {
    [ $# -gt 0 ] || set -- all
    for what; do
        case $what in
        all) echo kernel initramfs disk opensbi ;;
        *) describe "$what"; echo "$what" ;;
        esac
    done
}

# Builds one part in a directory of its own under the cache; nobody sees it before it is complete.
build_part() (
    dir=$1 part=$2
    describe "$part"
    for dep in $deps $needs; do
        dep_dir=$(part_dir "$dep")
        [ -d "$dep_dir" ] || build_locked "$dep_dir" "$dep"
        var=$(echo "$dep" | tr a-z- A-Z_)_DIR
        export "$var=$dep_dir"
    done
    check_space "$cache" "$space" "$name"
    rm -rf "$cache/.build-$name".* # under the lock: left by a build that was killed
    work=$(mktemp -d "$cache/.build-$name.XXXXXX") || die "cannot write to $cache; set RVKIT_CACHE to a place that can be written"
    mkdir "$work/out"
    # npm keeps what it fetches in the home, if that can be written.
    [ -w "${HOME:-/}" ] || export npm_config_cache="$work/npm"
    export guest cache work out="$work/out" LINUX linux_suite linux_version BUSYBOX_SUITE BUSYBOX_VERSION \
        OPENSBI_SUITE OPENSBI_VERSION LIBDRM_SUITE LIBDRM_VERSION DOOM_SUITE DOOM_VERSION FREEDOOM_SUITE FREEDOOM_VERSION \
        JOBS="${JOBS:-$(nproc)}"
    watch_recipe "$name" "$guest/recipes/$part.sh" "$cache/logs/$name.log" "$work"
    mv -T "$out" "$dir" || die "cannot rename the finished $name into $cache"
    rm -rf "$work"
)

build_locked() {
    mkdir -p "$cache/logs" 2>/dev/null && [ -w "$cache" ] ||
        die "cannot write to $cache; set RVKIT_CACHE to a place that can be written"
    # The kernel's and BusyBox's makefiles take such a name apart.
    case $cache in
    *[[:space:]:]*) die "nothing can be built in a folder with a blank or colon in its name: $cache; set RVKIT_CACHE to another" ;;
    esac
    (
        describe "$2"
        flock -n 9 || { say "another build of $name is running; waiting for it"; flock 9; }
        [ -d "$1" ] || build_part "$1" "$2"
    ) 9>"$cache/.lock-${1##*/}" || exit
}

prune() {
    keep=
    for LINUX in 6.1 6.12; do
        case $LINUX in
        6.1) linux_suite=$LINUX_6_1_SUITE linux_version=$LINUX_6_1_VERSION ;;
        6.12) linux_suite=$LINUX_6_12_SUITE linux_version=$LINUX_6_12_VERSION ;;
        esac
        for part in linux-source kernel zig busybox bench tools initramfs disk desktop desktop-tools modetest doom freedoom \
            opensbi; do
            keep="$keep $(part_dir "$part")"
        done
    done
    for dir in "$cache"/linux-source-* "$cache"/kernel-* "$cache"/zig-* "$cache"/busybox-* "$cache"/bench-* "$cache"/tools-* \
        "$cache"/initramfs-* "$cache"/disk-* "$cache"/desktop-* "$cache"/modetest-* "$cache"/doom-* "$cache"/freedoom-* \
        "$cache"/opensbi-*; do
        case " $keep " in
        *" $dir "*) ;;
        *) [ ! -d "$dir" ] || { say "removing $dir"; rm -rf "$dir"; } ;;
        esac
    done
}

[ $# -gt 0 ] || { sed -n '4,15s/^# \{0,1\}//p' "$0"; exit 2; }
command=build
case $1 in
path | have | prune) command=$1; shift ;;
-h | --help | help) sed -n '4,19s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
if [ $command = prune ]; then
    prune
    exit
fi
parts=$(expand "$@") || exit
for part in $parts; do
    dir=$(part_dir "$part") || exit
    describe "$part"
    case $command in
    have) [ -d "$dir" ] || exit 1 ;;
    path) echo "$dir${result:+/$result}" ;;
    build)
        [ -d "$dir" ] || build_locked "$dir" "$part"
        echo "$name: $dir${result:+/$result}" ;;
    esac
done
