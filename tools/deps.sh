#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# tools/deps.sh [GROUP...]   installs what is missing from Debian, and only that
# tools/deps.sh -n [GROUP...] only says what is missing (exit 1 if anything is)
#
# Groups: build  what `make` needs
#         guest  what guest/build.sh needs: the kernel's and firmware's cross compiler, Zig's npm, ext4 tools
#         sdl    what `make sdl` needs beyond that: SDL, fonts
#         web    what `make run-web` needs beyond that: Emscripten, Node, libwebsockets
#         test   what `make test`, `make soak` and `make bench` need beyond that
#         bench  what `make bench-window` needs beyond that: QEMU's window, keys for it
# Without a group: build and guest.
set -eu

build='make gcc libc6-dev libslirp-dev'
guest='make gcc libc6-dev gcc-riscv64-linux-gnu bc bison flex patch bzip2 xz-utils e2fsprogs python3-minimal
    debian-archive-keyring ca-certificates'
sdl='pkg-config libsdl2-dev libsdl2-ttf-dev libfontconfig-dev libpng-dev libx11-dev fontconfig fonts-dejavu-core'
web='pkg-config libwebsockets-dev emscripten'
test='clang libclang-rt-14-dev qemu-system-misc qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross emscripten
    device-tree-compiler tmux python3-minimal vttest procps xvfb xdotool imagemagick xclip
    openbox weston wl-clipboard x11-utils x11-xkb-utils
    chromium firefox-esr'
bench='qemu-system-gui libxtst-dev'

fail() {
    echo "tools/deps.sh: $1" >&2
    exit 1
}

only_say=
[ "${1-}" != -n ] || { only_say=1; shift; }
[ $# -gt 0 ] || set -- build guest

packages= commands=
for group; do
    case $group in
    build) packages="$packages $build" ;;
    # Node is often there from somewhere else than Debian: its commands count, not its packages.
    guest) packages="$packages $guest" commands="$commands node:nodejs npm:npm" ;;
    test) packages="$packages $test" commands="$commands node:nodejs npm:npm" ;;
    sdl) packages="$packages $sdl" ;;
    bench) packages="$packages $bench" ;;
    web) packages="$packages $web" commands="$commands node:nodejs npm:npm" ;;
    -h | --help) sed -n '4,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) fail "no such group: $group (build, guest, sdl, web or test)" ;;
    esac
done
command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1 ||
    fail "this is not Debian; install by hand what is named at the top of this file"

# dpkg-query says nothing about packages that it has never heard of, so what is there is taken from what is wanted.
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages 2>/dev/null | sed -n 's/^installed //p')
missing=
for package in $packages; do
    case "
$installed
" in
    *"
$package
"*) continue ;;
    esac
    case " $missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac
done
for pair in $commands; do
    command -v "${pair%%:*}" >/dev/null 2>&1 && continue
    case " $missing " in *" ${pair#*:} "*) ;; *) missing="$missing ${pair#*:}" ;; esac
done
missing=${missing# }
[ -n "$missing" ] || exit 0
if [ -n "$only_say" ]; then
    echo "missing: $missing"
    exit 1
fi

as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || fail "run this as root, or install sudo; missing: $missing"
    as_root=sudo
fi
echo "installing from Debian: $missing"
[ -z "$as_root" ] || sudo env true || fail "sudo lets this user install nothing; missing: $missing"
as_root="$as_root env DEBIAN_FRONTEND=noninteractive"
install() {
    $as_root apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
}
# What was stopped half-way is finished first: apt-get installs nothing else before that.
if [ -n "$(dpkg --audit 2>/dev/null)$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ]; then
    echo "finishing an installation that was interrupted"
    $as_root dpkg --configure -a || :
    install -f || :
fi
# The lists of a fresh machine are empty or old; what is there is tried first only when apt knows all the names.
if ! apt-cache show --no-all-versions $missing >/dev/null 2>&1; then
    $as_root apt-get update || fail "apt-get update failed; is there a network?"
fi
install $missing || { $as_root apt-get update && install $missing; } || fail "apt-get could not install: $missing; is there a network?"
