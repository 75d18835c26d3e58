#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# -virtio in a real guest: the legacy interface and each kind of ring. What Linux negotiated for every device,
# then root on virtio-blk, DHCP and ping, a console, entropy, a 9p folder; a file that one way of talking
# wrote is read by the next.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh
disk=$(guest_path disk)
if [ ! -r "$disk" ]; then
    echo "not ok the guest's disk is missing; guest/build.sh disk builds it"
    echo "0 passed, 1 failed"
    exit 1
fi
mkdir "$tests_dir/nine"
head -c 1000000 /dev/urandom >"$tests_dir/nine/from-host"
sum() { sha256sum <"$1" | cut -c 1-64; }
shared=$(sum "$tests_dir/nine/from-host")

cat >"$tests_dir/script" <<'END'
expect "rvkit:~# " 120
send "dmesg -n 1; for d in /sys/bus/virtio/devices/*; do echo \"device $(cat $d/device) $(cat $d/features) $(readlink $d/driver | sed 's|.*/||')\"; done; echo do''ne\n"
expect "done" 30
send "echo root=$(awk '$2 == \"/\" && $1 != \"rootfs\" {print $1, $3}' /proc/mounts); echo before $(cat /root/boots 2>/dev/null | sha256sum); echo do''ne\n"
expect "done" 30
send "until ip a show eth0 | grep -q 10.0.2.15; do sleep 0.1; done; ping -c 3 -i 0.2 10.0.2.2 | grep -c ' 0% packet'; echo do''ne\n"
expect "done" 60
send "head -c 65536 /dev/hwrng | wc -c; head -c 4000000 /dev/urandom >/root/boots; sync; echo after $(sha256sum </root/boots); echo 3 >/proc/sys/vm/drop_caches; echo after $(sha256sum </root/boots); echo do''ne\n"
expect "done" 100
send "echo hello >/dev/hvc0; mkdir -p /tmp/a; mount -t 9p -o trans=virtio,version=9p2000.L nine /tmp/a; echo shared $(sha256sum </tmp/a/from-host); cp /root/boots /tmp/a/from-guest; sync; umount /tmp/a; echo do''ne\n"
expect "done" 60
send "poweroff -f\n"
off 60
END

# bit N TEXT...: how many devices have feature bit N.
bit() {
    grep -a '^device 0x' "$tests_dir/out" | tr -d '\r' | awk -v n="$1" '{sum += substr($3, n + 1, 1)} END {print sum + 0}'
}

# talk HOW BITS: boots with -virtio HOW (empty: without the option); BITS says for each of the features
# VERSION_1, packed, event_idx, indirect_desc, in_order whether all devices have it or none (1, 0), or some (s).
talk() {
    name=${1:-default}
    play "$tests_dir/script" -s 2 ${1:+-virtio "$1"} -net user -drive "$disk,cow=$tests_dir/overlay" \
        -append 'root=/dev/vda rw' -console "file:$tests_dir/hvc" -share "nine=$tests_dir/nine" -balloon 0 \
        >"$tests_dir/log"
    check "$name: the guest ran" test "$?" -eq 0
    grep '^#' "$tests_dir/log"
    said() { tr -d '\r' <"$tests_dir/out" | grep -aqx -- "$1"; }
    devices=$(grep -ac '^device 0x' "$tests_dir/out")
    check "$name: six devices, each with its driver" test "$devices" -eq 6 -a \
        "$(grep -a '^device 0x' "$tests_dir/out" | tr -d '\r' | awk 'NF == 4' | wc -l)" -eq 6
    got=
    for n in 32 34 29 28 35; do
        count=$(bit $n)
        case $count in 0) got=${got}0 ;; "$devices") got=${got}1 ;; *) got=${got}s ;; esac
    done
    check "$name: negotiated $2, found $got" test "$got" = "$2"
    check "$name: root is on virtio-blk" said 'root=/dev/vda ext4'
    check "$name: what the boot before wrote" said "before $last -"
    last=$(tr -d '\r' <"$tests_dir/out" | sed -n 's/^after \(.*\) -$/\1/p' | head -n 1)
    check "$name: 4 MB to the disk and back" test "${#last}" -eq 64 -a \
        "$(tr -d '\r' <"$tests_dir/out" | grep -acx "after $last -")" -eq 2
    check "$name: 64 KiB of entropy" said 65536
    check "$name: DHCP, and three pings" said 1
    check "$name: a line on hvc0" grep -aq hello "$tests_dir/hvc"
    check "$name: 9p, from the host" said "shared $shared -"
    check "$name: 9p, to the host" test "$(sum "$tests_dir/nine/from-guest")" = "$last"
    rm -f "$tests_dir/hvc" "$tests_dir/nine/from-guest"
}

last=$(sum /dev/null)
talk '' 11110
talk legacy 00110
talk packed=off 10110
talk packed=off,event_idx=off,indirect_desc=off 10000
talk in_order=on 11110
talk legacy,event_idx=off,indirect_desc=off 00000
finish
