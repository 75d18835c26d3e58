#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# The VirtIO devices in an RVVM checkout: see docs/upstream.md.
#   tools/upstream.sh check DIR [LIB [WORD]]   compiles them against DIR's headers; with LIB (or a librvvm_static.a
#                                       found in DIR), links and runs the device suite on RVVM's core
#                                       (WORD: only tests with WORD in their names)
#   tools/upstream.sh export DIR        copies them, and the host's side, into DIR/src/devices
# CC names the compiler. Nothing in DIR is built or, by `check`, changed.
cd "$(dirname "$0")/.." || exit 2
command=$1 rvvm=$2 lib=$3 only=$4
cc=${CC:-gcc} wrap=
fail() {
    echo "tools/upstream.sh: $*" >&2
    exit 2
}
case $command in check | export) ;; *) fail "usage: tools/upstream.sh check|export DIR [LIB]" ;; esac
[ -d "$rvvm/src/devices" ] || fail "no RVVM checkout: ${rvvm:-RVVM=DIR is missing}"
rvvm=$(cd "$rvvm" && pwd)
if [ -f "$rvvm/include/rvvm/rvvm.h" ]; then
    state=2026
    std=c11 # as its own Makefile says
    includes="-I$rvvm/include -I$rvvm/src -I$rvvm/src/util -I$rvvm/src/devices"
elif grep -qs 'RVVM_ABI_VERSION 7' "$rvvm/src/rvvmlib.h"; then
    state=abi7 std=gnu11
    includes="-I$rvvm/src -I$rvvm/src/devices"
    wrap=-Wl,--wrap=plic_raise_irq,--wrap=plic_lower_irq # see tests/device/virtio_driver.h
else
    fail "$rvvm is neither RVVM with ABI 7 nor of 2026"
fi

# Whose place RVVM has devices of its own for, and what only they need.
own='clint|framebuffer|irq_host|irq_line|ns16550a|plic|rtc_goldfish|syscon'

# What a host that is not a Unix cannot compile; upstream/rvkit_host.c says so there.
unix='clock|disk_cow|disk_file|server|socket|vsock_unix'

# The files of the host's side: folders (not share_memory*), overlays, sockets, and what they need. RVVM's block images
# and threads (upstream/rvkit_host.c) stand in for disk_raw.c, worker.c and thread.c.
host="src/host/share.[ch] src/host/share_[!m]*.[ch] src/host/disk.[ch] src/host/disk_cow.c src/host/disk_file.[ch]
    src/host/vsock_unix.[ch] src/host/socket.[ch] src/host/clock.[ch] src/host/worker.h src/host/thread.h src/drive.[ch]"

# Consoles, their terminal, and sockets that lead to them.
consoles="src/frontends/vt*.[ch] src/frontends/console.[ch] src/frontends/console_*.[ch] src/frontends/server.[ch]
    src/frontends/attach.h src/frontends/pump.h src/ring.[ch]"

# stage DIR: what is exported, as it will lie in src/devices. util.h gets a name that RVVM does not have.
stage() {
    mkdir -p "$1" || exit 1
    for file in src/devices/*.[ch] $host $consoles src/util.h upstream/*.[ch]; do
        name=${file##*/}
        printf '%s\n' "$name" | grep -qE "^($own)\.[ch]\$" && continue
        [ "$name" = util.h ] && name=rvkit_util.h
        sed -e 's,"\(\.\./\)*util\.h","rvkit_util.h",' -e 's,"\(\.\./\)*\(devices\|host\)/,",' \
            -e 's,"\.\./,",' -e 's,<rvvm/chardev\.h>,"rvvm_compat.h",' "$file" >"$1/.new" || exit 1
        if printf '%s\n' "$name" | grep -qE "^($unix)\.c\$"; then
            sed -i -e '1a #ifndef _WIN32' -e '$a #endif' "$1/.new"
        fi
        # A file that has not changed keeps its time, so that make does not build it again.
        cmp -s "$1/.new" "$1/$name" || cp "$1/.new" "$1/$name"
        rm -f "$1/.new"
        echo "$name"
    done
}

if [ "$command" = export ]; then
    count=$(stage "$rvvm/src/devices" | wc -l)
    echo "$count files are in $rvvm/src/devices; build RVVM as usual. For the options, add to src/main.c"
    echo "before rvvm_cli_main:"
    echo '    bool rvkit_virtio_attach(rvvm_machine_t* machine, int argc, const char* const* argv);'
    echo "and in it, after the line with syscon_init_auto(machine):"
    echo '    if (!rvkit_virtio_attach(machine, argc, (const char* const*)argv)) return -1;'
    exit 0
fi

work=${BUILD:-build}/upstream/$state
rm -rf "$work/devices" "$work/obj"
stage "$work/devices" >/dev/null
mkdir -p "$work/obj" "$work/tests" "$work/host" "$work/frontends"
cp src/util.h "$work/tests/util.h"
# What the suites include by its path here.
for header in host/share host/clock host/thread host/socket frontends/vt frontends/console frontends/console_link \
    frontends/server frontends/attach; do
    echo "#include \"../devices/${header##*/}.h\"" >"$work/$header.h"
done
passed=0 failed=0
report() {
    if [ "$1" -eq 0 ]; then
        echo "ok $2" && passed=$((passed + 1))
    else
        sed 's/^/# /' "$work/log" | head -n 40
        echo "not ok $2" && failed=$((failed + 1))
    fi
}

# USE_SPINLOCK_DEBUG (2026: USE_LOCK_DEBUG), on unless RVVM is told otherwise, changes the size of a lock: the library has to agree.
flags="-O2 -g -pthread -Wall -Wextra -Werror -DUSE_FDT=1 -DUSE_NET=1 ${RVVM_FLAGS--DUSE_SPINLOCK_DEBUG=1 -DUSE_LOCK_DEBUG=1}"
objects=
for file in "$work"/devices/*.c; do
    name=${file##*/} object=$work/obj/${file##*/}.o
    # shellcheck disable=SC2086
    $cc -std=$std $flags $includes -c -o "$object" "$file" >"$work/log" 2>&1
    report $? "$state compiles $name"
    objects="$objects $object"
done

# In builds with RVVM's TAP, and without a network.
for variant in '-UUSE_NET -DUSE_TAP_LINUX=1' -UUSE_NET; do
    # shellcheck disable=SC2086
    $cc -std=$std $flags $variant $includes -fsyntax-only "$work/devices/rvkit_virtio.c" >"$work/log" 2>&1
    report $? "$state compiles rvkit_virtio.c with $variant"
done

[ -n "$lib" ] || lib=$(find "$rvvm" -name librvvm_static.a | head -n 1)
if [ -z "$lib" ]; then
    echo "# no library: RVVM's \`make lib USE_LIB_STATIC=1\` makes one; then the suite runs too"
else
    for test in tests/device/virt*.c tests/unit/vt_*.c tests/unit/console*.c tests/unit/server.c tests/upstream/*.c; do
        [ "$test" = tests/upstream/devices.c ] && continue # the other way round
        grep -q 'rig\.h"' "$test" && ! grep -qE '(blk|vt|console)_rig\.h"' "$test" && continue
        case $test in *"$only"*) ;; *) continue ;; esac
        name=${test##*/} program=$work/tests/$(basename "$test" .c)
        wraps=$wrap
        case $test in tests/unit/*) wraps= ;; esac
        [ "$name" = glue.c ] && wraps="$wraps -Wl,--wrap=rvvm_attach_mmio"
        # shellcheck disable=SC2086
        $cc -std=gnu11 $flags -I"$work" $includes -I"$work/tests" -Itests -Itests/device -Itests/unit -I"$work/devices" -o "$program" "$test" \
            $objects "$lib" $wraps -lm -ldl -lrt >"$work/log" 2>&1
        report $? "$state links $name" && [ -x "$program" ] || continue
        timeout 300 "$program" >"$work/log" 2>&1
        status=$?
        line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$work/log" | tail -n 1)
        grep -E '^# [^ ].*: [0-9]+ statements, [0-9]+ hold' "$work/log"
        [ -n "$line" ] || line="no result (status $status)"
        [ "$status" -eq 0 ] || grep -v '^ok ' "$work/log" >"$work/log.bad"
        [ "$status" -eq 0 ] || mv "$work/log.bad" "$work/log"
        report "$status" "$state runs $name: $line"
        rm -f "$program"
    done
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
