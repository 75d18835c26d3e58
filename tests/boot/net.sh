#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# The guest's network: DHCP at boot, HTTP from the host's loopback, 8 MiB each way intact, IPv6, forwarded
# ports, no way to the loopback unless asked, and a socket whose peer ends.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh

python3 tests/boot/net_host.py "$tests_dir/port" "$tests_dir/log" &
host=$!
trap 'kill $host 2>/dev/null; rm -rf "$tests_dir"' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -s "$tests_dir/port" ] && break
    sleep 0.2
done
port=$(cat "$tests_dir/port")
# A port that is free now: ours are not the only tests on this host.
forward=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
script() {
    cat <<END
expect "rvkit:~# " 120
send "until ip a show eth0 | grep -q 10.0.2.15; do sleep 0.1; done; cat /etc/resolv.conf; echo have-lea''se\n"
expect "have-lease" 30
expect "# "
END
}

{
    script
    cat <<END
send "wget -q -O /tmp/f http://10.0.2.2:$port/8; sha256sum </tmp/f; echo do''ne\n"
expect "done" 100
expect "# "
send "(echo PUT; cat /tmp/f) | nc 10.0.2.2 $port; echo do''ne\n"
expect "done" 100
expect "# "
send "ping -c 1 10.0.2.2 | grep -c ' 0% packet'; for i in \$(seq 100); do ip -6 a show eth0 | grep -q 'fec0::' && break; sleep 0.1; done; ip -6 a show eth0 | grep -c 'fec0::'; echo do''ne\n"
expect "done" 30
expect "# "
send "nc -l -p 22 -e sh -c 'cat | sha256sum; echo from-guest' & sleep 0.5; echo rea''dy\n"
expect "ready"
expect "served" 60
send "poweroff -f\n"
off 60
END
} >"$tests_dir/script"
# The forwarded port is used as soon as something listens behind it; the guest prints "served" then.
sed -i 's/echo from-guest/echo from-guest; echo ser\\"\\"ved >\/dev\/console/' "$tests_dir/script"
(
    python3 - "$forward" >"$tests_dir/answer" <<'END'
import hashlib, socket, sys, time
data = b"0123456789abcdef" * 65536
for _ in range(900):
    try:
        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30)
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while True:
            chunk = s.recv(4096)
            if not chunk:
                break
            answer += chunk
        if b"from-guest" in answer:
            print(answer.decode(), hashlib.sha256(data).hexdigest() in answer.decode())
            break
    except OSError:
        pass
    time.sleep(0.2)
END
) &
client=$!
check "a boot with a network" play "$tests_dir/script" -net user,loopback -portfwd "tcp/127.0.0.1:$forward=22"
kill $client 2>/dev/null
check "the name server is told" grep -aq "nameserver 10.0.2.3" "$tests_dir/out"
sum=$(sed -n 's/^get 8388608 [0-9.]* //p' "$tests_dir/log")
check "8 MiB by HTTP are intact" grep -aq "^$sum  -" "$tests_dir/out"
check "and back again" grep -q "^put 8388608 [0-9.]* $sum" "$tests_dir/log"
check "ping and IPv6 address" sh -c "tr -d '\r' <'$tests_dir/out' | grep -a -A1 '^1\$' | grep -acx 1 | grep -q 2"
check "1 MiB through a forwarded port" grep -q "True" "$tests_dir/answer"

{
    script
    cat <<END
send "wget -T 3 -q -O /tmp/f http://10.0.2.2:$port/1 || echo no-w''ay\n"
expect "no-way" 30
send "poweroff -f\n"
off 60
END
} >"$tests_dir/script"
: >"$tests_dir/log"
check "without ,loopback there is no way to the host's loopback" play "$tests_dir/script"
check "and the host noticed nothing" test ! -s "$tests_dir/log"

# Two guests on one cable; the one ends, the other lives on and sees its link go down.
cat >"$tests_dir/one" <<END
expect "rvkit:~# " 120
send "killall udhcpc; ip a add 10.9.0.1/24 dev eth0; ip link set eth0 up; echo re''ady\n"
expect "ready"
send "until ping -c 1 -W 1 10.9.0.2 >/dev/null; do :; done; echo he''ard\n"
expect "heard" 120
send "while [ \$(cat /sys/class/net/eth0/carrier) = 1 ]; do sleep 0.1; done; echo unplu''gged\n"
expect "unplugged" 120
send "ping -c 1 -W 1 10.9.0.2; poweroff -f\n"
off 60
END
cat >"$tests_dir/two" <<END
expect "rvkit:~# " 120
send "killall udhcpc; ip a add 10.9.0.2/24 dev eth0; ip link set eth0 up; echo re''ady\n"
expect "ready"
send "until ping -c 1 -W 1 10.9.0.1 >/dev/null; do :; done; sleep 3; echo he''ard\n"
expect "heard" 120
send "poweroff -f\n"
off 60
END
timeout 300 "$RVKIT" -k "$KERNEL" -initrd "$INITRAMFS" -script "$tests_dir/one" -net "unix=$tests_dir/cable,listen" \
    </dev/null >"$tests_dir/out-one" 2>&1 &
one=$!
sleep 1
check "a guest on a cable to another" play "$tests_dir/two" -net "unix=$tests_dir/cable"
check "which sees it go, and lives on" wait $one
finish
