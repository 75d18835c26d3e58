#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Every VirtIO device in one boot: root on a virtio-blk overlay, DHCP, HTTP and a forwarded port, 9p and
# virtio-fs written from both sides, entropy, and all that streams.sh does (console, balloon, channels, sockets).
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh
disk=$(guest_path disk)
if [ ! -r "$disk" ]; then
    echo "not ok the guest's disk is missing; guest/build.sh disk builds it"
    echo "0 passed, 1 failed"
    exit 1
fi
before=$(sha256sum <"$disk")

mkdir "$tests_dir/nine" "$tests_dir/vfs"
head -c 5000000 /dev/urandom >"$tests_dir/nine/from-host"
cp "$tests_dir/nine/from-host" "$tests_dir/vfs/from-host"
sum=$(sha256sum <"$tests_dir/nine/from-host")
python3 tests/boot/net_host.py "$tests_dir/port" "$tests_dir/log" &
host=$!
trap 'kill $host 2>/dev/null; rm -rf "$tests_dir"' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -s "$tests_dir/port" ] && break
    sleep 0.2
done

cat >"$tests_dir/extra" <<END
send "echo root=\$(awk '\$2 == \"/\" && \$1 != \"rootfs\" {print \$1, \$3}' /proc/mounts); head -c 65536 /dev/hwrng | wc -c; cat /sys/class/misc/hw_random/rng_current; echo do''ne\n"
expect "done" 60
send "until ip a show eth0 | grep -q 10.0.2.15; do sleep 0.1; done; wget -q -O /root/f http://10.0.2.2:$(cat "$tests_dir/port")/4; sync; echo http \$(sha256sum </root/f); echo do''ne\n"
expect "done" 100
send "mkdir -p /tmp/a /tmp/b; mount -t 9p -o trans=virtio,version=9p2000.L nine /tmp/a; mount -t virtiofs vfs /tmp/b; echo do''ne\n"
expect "done" 30
send "for d in /tmp/a /tmp/b; do echo shared \$(sha256sum <\$d/from-host); cp /root/f \$d/from-guest; done; sync; umount /tmp/a /tmp/b; echo do''ne\n"
expect "done" 100
END
cat >>"$tests_dir/extra" <<'END'
send "(echo hello from the guest | nc -l -p 22 >/tmp/heard); echo forwarded $(cat /tmp/heard); echo do''ne\n"
expect "done" 60
END
# Asks at the forwarded port until the guest listens there.
forward=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
python3 - "$forward" "$tests_dir/answer" <<'END' &
import socket, sys, time
for _ in range(1200):
    try:
        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30)
        s.sendall(b"hello from the host\n")
        answer = s.recv(100)
        if answer:
            open(sys.argv[2], "wb").write(answer)
            break
    except OSError:
        pass
    time.sleep(0.1)
END
client=$!
trap 'kill $host $client 2>/dev/null; rm -rf "$tests_dir"' EXIT

EXTRA_SCRIPT=$tests_dir/extra EXTRA_OUT=$tests_dir/text tests/boot/streams.sh -s 2 -net user,loopback -portfwd "tcp/127.0.0.1:$forward=22" \
    -drive "$disk,cow=$tests_dir/overlay" -append 'root=/dev/vda rw' \
    -share "nine=$tests_dir/nine" -share "vfs=$tests_dir/vfs,fs" >"$tests_dir/streams" 2>&1
cat "$tests_dir/streams" | grep -v ' passed, '
tests_passed=$(grep -c '^ok ' "$tests_dir/streams") tests_failed=$(grep -c '^not ok ' "$tests_dir/streams")

said() { grep -aqx "$1" "$tests_dir/text"; }
http=$(sed -n 's/^get 4194304 [0-9.]* //p' "$tests_dir/log")
check "root is on virtio-blk" said 'root=/dev/vda ext4'
check "64 KiB of entropy" said 65536
check "from virtio-rng" grep -aq '^virtio_rng' "$tests_dir/text"
check "4 MiB by HTTP are intact" said "http $http -"
check "a forwarded port, into the guest" said 'forwarded hello from the host'
check "and out of it" grep -qx 'hello from the guest' "$tests_dir/answer"
check "a file of the host, by 9p and virtio-fs" test "$(grep -acx "shared ${sum%%  *} -" "$tests_dir/text")" -eq 2
for dir in nine vfs; do
    check "$dir: a file of the guest" test "$(sha256sum <"$tests_dir/$dir/from-guest")" = "$http  -"
done
check "the base of the overlay is untouched" test "$(sha256sum <"$disk")" = "$before"
finish
