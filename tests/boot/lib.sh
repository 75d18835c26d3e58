# SPDX-License-Identifier: MPL-2.0
# For boot tests: source it from the top of the checkout. Paths of the guest, from guest/build.sh unless set:
#   KERNEL INITRAMFS FIRMWARE
# shellcheck shell=sh
. tests/lib.sh

guest_path() {
    guest/build.sh path "$1" 2>/dev/null
}

KERNEL=${KERNEL:-$(guest_path kernel)}
INITRAMFS=${INITRAMFS:-$(guest_path initramfs)}
FIRMWARE=${FIRMWARE:-$(guest_path opensbi)}
for needed in "$KERNEL" "$INITRAMFS"; do
    if [ ! -r "$needed" ]; then
        echo "not ok the guest is missing (${needed:-no path}); make guest builds it"
        echo "0 passed, 1 failed"
        exit 1
    fi
done

# play SCRIPT ARGS...: a scripted run of the guest; output in $tests_dir/out, messages in $tests_dir/err.
play() {
    play_script=$1
    shift
    timeout 300 "$RVKIT" -k "$KERNEL" -initrd "$INITRAMFS" -script "$play_script" "$@" \
        </dev/null >"$tests_dir/out" 2>"$tests_dir/err"
    play_status=$?
    [ "$play_status" -eq 0 ] && return 0
    echo "# exit status $play_status"
    sed 's/^/# /' "$tests_dir/err" | tail -n 25
    return 1
}
