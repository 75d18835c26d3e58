#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# What guest/build.sh promises beside building: paths that follow the recipes, and one clear line when it cannot
# go on. Takes a second, needs no network. TAP on standard output.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
count=0 failed=0

ok() { # condition-status what
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        failed=1
    fi
}

refuses() { # expected-status text what, command...
    want=$1 text=$2 what=$3
    shift 3
    "$@" >"$tmp/out" 2>"$tmp/err"
    got=$?
    [ $got -eq "$want" ] && [ "$(wc -l <"$tmp/err")" -eq 1 ] && grep -q -- "$text" "$tmp/err"
    ok $? "$what"
}

export RVKIT_CACHE="$tmp/cache"
cp -R "$here" "$tmp/guest"
build=$tmp/guest/build.sh

refuses 2 'LINUX=5' 'an unknown kernel version is refused' env LINUX=5 "$build" kernel
refuses 2 'no such part' 'an unknown part is refused' "$build" path kernle
refuses 1 'cannot write to' 'a cache that cannot be written is named' env RVKIT_CACHE=/proc/rvkit "$build" opensbi
refuses 1 'set RVKIT_CACHE to another' 'a cache whose name makefiles cannot take is refused' \
    env RVKIT_CACHE="$tmp/a b" "$build" opensbi

before=$("$build" path kernel initramfs disk opensbi)
[ "$before" = "$("$build" path kernel initramfs disk opensbi)" ] && [ "$(echo "$before" | wc -l)" -eq 4 ]
ok $? 'paths are the same when nothing changed'
[ ! -e "$RVKIT_CACHE" ]
ok $? 'asking for a path makes nothing'
[ "$(cd "$tmp" && RVKIT_CACHE=cache "$build" path kernel initramfs disk opensbi)" = "$before" ]
ok $? 'a relative cache means the same place'
! "$build" have kernel
ok $? 'what is not there is not there'
[ "$("$build" path kernel)" != "$(LINUX=6.12 "$build" path kernel)" ]
ok $? 'each kernel version has its own place'

kernel=$("$build" path kernel) disk=$("$build" path disk) opensbi=$("$build" path opensbi)
echo '# CONFIG_NFS_FS is not set' >>"$tmp/guest/linux/rvkit.config"
echo '/* */' >>"$tmp/guest/bench/float.c"
[ "$("$build" path kernel)" != "$kernel" ]
ok $? 'a changed kernel configuration leads to another kernel'
[ "$("$build" path disk)" != "$disk" ]
ok $? 'a changed program leads to another disk'
[ "$("$build" path opensbi)" = "$opensbi" ]
ok $? 'neither touches the firmware'

[ "$("$build" path all | wc -l)" -eq 4 ] && ! "$build" path all | grep -q desktop
ok $? 'the desktop disk is built only where it is asked for'
disk=$("$build" path disk) desktop=$("$build" path desktop) doom=$("$build" path doom)
echo '/* */' >>"$tmp/guest/desktop/screen.c"
[ "$("$build" path doom)" != "$doom" ] && [ "$("$build" path desktop)" != "$desktop" ]
ok $? 'a changed program of the desktop leads to another desktop disk'
doom=$("$build" path doom) modetest=$("$build" path modetest)
sed -i 's/^LIBDRM_VERSION=.*/LIBDRM_VERSION=2.4.100-1/' "$tmp/guest/versions.sh"
[ "$("$build" path modetest)" != "$modetest" ] && [ "$("$build" path doom)" = "$doom" ]
ok $? 'a pinned version leads to another program, and to no other'
[ "$("$build" path disk)" = "$disk" ]
ok $? 'the plain disk stays'

# A recipe that fails half-way, one that says why, and one that succeeds.
recipe=$tmp/guest/recipes/opensbi.sh
printf '. "$guest/lib.sh"\nphase working\n: >"$out/half"\nexit 3\n' >"$recipe"
"$build" opensbi >"$tmp/out" 2>"$tmp/err"
[ $? -eq 1 ] && grep -q 'logs/opensbi.log' "$tmp/err" && [ ! -e "$(dirname "$("$build" path opensbi)")" ] &&
    [ -z "$(find "$RVKIT_CACHE" -name '.build-*')" ]
ok $? 'a failed recipe leaves its log and no half result'
printf '. "$guest/lib.sh"\nfail "no luck"\n' >"$recipe"
refuses 1 'opensbi: no luck' 'a recipe can say why in one line' "$build" opensbi
printf '. "$guest/lib.sh"\necho "write error: No space left on device"\nexit 1\n' >"$recipe"
refuses 1 'is full; make room' 'a full disk is told in one line' "$build" opensbi
printf '. "$guest/lib.sh"\necho x >"$out/fw_jump.bin"\n' >"$recipe"
"$build" opensbi >"$tmp/out" 2>"$tmp/err"
[ $? -eq 0 ] && [ -s "$("$build" path opensbi)" ] && "$build" have opensbi
ok $? 'a good recipe ends up where path says'

# As root, who may write everywhere, somebody else asks.
user=
[ "$(id -u)" -ne 0 ] || user='setpriv --reuid=65534 --regid=65534 --clear-groups'
chmod -R a+rX "$tmp" && chmod 555 "$RVKIT_CACHE"
$user "$build" opensbi >"$tmp/out" 2>"$tmp/err" && grep -q fw_jump.bin "$tmp/out" && [ ! -s "$tmp/err" ]
ok $? 'what is there is used in a cache that cannot be written'
refuses 1 'cannot write to' 'what is not there is refused' $user "$build" tools
chmod 755 "$RVKIT_CACHE"

echo "1..$count"
exit $failed
