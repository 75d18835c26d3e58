#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# 1 MiB typed into the guest through the UART arrives intact, raw and line by line, and 4 MiB of its
# output too. How fast is printed, not judged (the aims: 60 KB/s in, 250 KB/s out): machines are busy at times.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh

MIB=1048576
# Lines of 75 letters that do not repeat; the last one makes 1 MiB.
awk 'BEGIN {
    seed = 1
    for (left = 1048576; left > 0; left -= length(line) + 1) {
        line = ""
        while (length(line) < 75) { seed = (seed * 16807) % 2147483647; line = line sprintf("%x", seed) }
        line = substr(line, 1, left > 76 ? 75 : left - 1)
        print line
    }
}' >"$tests_dir/text"
sum=$(sha256sum <"$tests_dir/text")
sum=${sum%% *}

cat >"$tests_dir/script" <<END
expect "rvkit:~# " 120
send "now() { read -r up rest </proc/uptime; u=\${up%.*}\${up#*.}; while [ \"\${u#0}\" != \"\$u\" ]; do u=\${u#0}; done; echo \${u:-0}; }\n"
expect "# "
send "stty raw -echo; echo rea''dy; T0=\$(now); head -c $MIB >/tmp/raw; T1=\$(now); stty sane; echo raw-ms=\$(((T1-T0)*10)); sha256sum /tmp/raw; echo do''ne\n"
expect "ready"
sendfile "$tests_dir/text"
expect "done" 200
send "stty -echo; echo rea''dy; T0=\$(now); cat >/tmp/lines; T1=\$(now); echo lines-ms=\$(((T1-T0)*10)); sha256sum /tmp/lines; stty sane; echo do''ne\n"
expect "ready"
sendfile "$tests_dir/text"
send "\x04"
expect "done" 200
send "stty -onlcr; T0=\$(now); echo; echo STA''RT; cat /tmp/raw /tmp/raw /tmp/raw /tmp/raw; echo E''ND; stty sane; T1=\$(now); echo out-ms=\$(((T1-T0)*10))\n"
expect "out-ms=" 200
expect "# "
send "poweroff -f\n"
off 60
END

# rate NAME KIND BYTES LEAST: KIND-ms=N in the output, as KB/s.
rate() {
    ms=$(tr -d '\r' <"$tests_dir/out" | sed -n "s/^$2-ms=\([0-9]*\)\$/\1/p")
    kbs=$(($3 / (${ms:-0} > 0 ? $ms : 1000000000)))
    echo "# $1: $kbs KB/s (the aim: at least $4)"
}

for harts in 1 2; do
    check "$harts harts: all was sent and received" play "$tests_dir/script" -s $harts
    check "$harts harts: 1 MiB in, raw, intact" grep -aq "^$sum  /tmp/raw" "$tests_dir/out"
    check "$harts harts: 1 MiB in, line by line, intact" grep -aq "^$sum  /tmp/lines" "$tests_dir/out"
    awk '$0 == "START" { on = 1; next } $0 == "END" { on = 0 } on' "$tests_dir/out" >"$tests_dir/got"
    cat "$tests_dir/text" "$tests_dir/text" "$tests_dir/text" "$tests_dir/text" >"$tests_dir/want"
    check "$harts harts: 4 MiB out, intact" cmp "$tests_dir/want" "$tests_dir/got"
    rate "$harts harts: in, raw" raw $MIB 60
    rate "$harts harts: in, line by line" lines $MIB 60
    rate "$harts harts: out" out $((4 * MIB)) 250
done
finish
