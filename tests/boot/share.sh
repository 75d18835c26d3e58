#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Folders of the host in a real guest, by 9p and by virtio-fs: written from both sides with equal checksums,
# a tree with many files, a large file, names, links, permissions, a read-only folder, a folder that goes
# away. How fast 64 MiB go each way is printed.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh

nine=$tests_dir/nine vfs=$tests_dir/vfs fixed=$tests_dir/fixed gone=$tests_dir/gone
mkdir "$nine" "$vfs" "$fixed" "$gone" "$tests_dir/outside"
echo untouched >"$tests_dir/outside/file"
echo fixed >"$fixed/file"
echo gone >"$gone/file"
head -c 67108864 /dev/urandom >"$tests_dir/big"
sum=$(sha256sum <"$tests_dir/big")
sum=${sum%% *}

# A tree of 1000 files in 50 folders, with links.
mkdir "$tests_dir/tree"
for d in $(seq 50); do
    mkdir "$tests_dir/tree/$d"
    for f in $(seq 20); do echo "$d $f" >"$tests_dir/tree/$d/file $f"; done
    ln -s "../$d/file 1" "$tests_dir/tree/$d/link"
done
ln -s /etc/passwd "$tests_dir/tree/absolute"

for dir in "$nine" "$vfs"; do
    cp "$tests_dir/big" "$dir/from-host"
    cp -a "$tests_dir/tree" "$dir/tree"
    ln -s "$tests_dir/outside" "$dir/escape"
    ln -s ../outside "$dir/escape2"
    mkfifo "$dir/fifo"
done

# What the guest does in a folder; $1 is its name for messages.
cat >"$fixed/run" <<'END'
now() { read -r up rest </proc/uptime; n=${up%.*}${up#*.}; echo "${n#"${n%%[!0]*}"}"; }
say() { echo "$1" "$2"; }
cd "$2"
T0=$(now); dd if=from-host of=/dev/null bs=1M 2>/dev/null; T1=$(now)
echo "$1-read-ms=$(((T1 - T0) * 10))"
T0=$(now); dd if=/dev/zero of=zeros bs=1M count=64 2>/dev/null; sync zeros; T1=$(now)
echo "$1-write-ms=$(((T1 - T0) * 10))"
rm zeros
say "$1-sum" "$(sha256sum <from-host)"
cp from-host from-guest
T0=$(now); mkdir copy && tar cf - -C tree . | tar xf - -C copy && say "$1-tar" done; T1=$(now)
echo "$1-tar-ms=$(((T1 - T0) * 10))"
say "$1-entries" "$(find copy | wc -l)"
dd if=/dev/zero of=large bs=1 count=1 seek=5368709120 2>/dev/null
say "$1-large" "$(stat -c %s large)"
mkdir sub; echo one >sub/one; mv sub/one sub/two; ln sub/two sub/three; ln -s two sub/link
echo append >>sub/two; chmod 640 sub/two; touch -d '2001-02-03 04:05:06' sub/link sub/two
say "$1-names" "$(cat sub/three sub/link | wc -l) $(stat -c '%a %h %Y' sub/two)"
exec 3>nameless; echo text >&3; rm nameless; echo more >&3; exec 3>&- && say "$1-nameless" ok
cat escape/file escape2/file 2>/dev/null || say "$1-escape" refused
rm -r copy/1 && [ ! -e copy/1 ] && say "$1-rm" ok
(flock 9; echo locked) 9>lockfile && say "$1-flock" ok
setfattr -n user.test -v value sub/two 2>/dev/null && say "$1-xattr" set
sync
END

cat >"$tests_dir/script" <<'END'
expect "rvkit:~# " 120
send "stty -echo; mkdir /n /v /f /g /h\n"
send "O=trans=virtio,version=9p2000.L,msize=524288\n"
send "mount -t 9p -o $O nine /n; mount -t virtiofs vfs /v; mount -t 9p -o $O fixed /f\n"
send "mount -t 9p -o $O gone /g; mount -t virtiofs gonefs /h; echo mounted\n"
expect "mounted"
send "sh /f/run nine /n; echo do''ne\n"
expect "done" 280
send "sh /f/run vfs /v; echo do''ne\n"
expect "done" 280
send "touch /f/new || echo ro-create refused; echo x >>/f/file || echo ro-append refused; rm -f /f/file || echo ro-remove refused; cat /f/file\n"
expect "fixed"
send "cat /g/file /h/file; touch /g/go; sleep 3; ls /g/file || echo gone-ls failed; echo x >/g/new || echo gone-write failed; ls /h/file || echo gonefs-ls failed; mkdir /h/new || echo gonefs-write failed; echo al''ive\n"
expect "alive"
send "umount /n /v /g /h /f; echo umounted\n"
expect "umounted"
send "poweroff -f\n"
off 60
END

# Takes the folder away as soon as the guest says so.
(
    for _ in $(seq 2000); do
        [ -e "$gone/go" ] && rm -r "$gone" && break
        sleep 0.1
    done
) &
remover=$!
check "the guest did everything" play "$tests_dir/script" -nonet -share "nine=$nine" -share "vfs=$vfs,fs" \
    -share "fixed=$fixed,ro" -share "gone=$gone" -share "gonefs=$gone,fs"
kill $remover 2>/dev/null
tr -d '\r' <"$tests_dir/out" >"$tests_dir/said"

said() {
    grep -aqx "$1" "$tests_dir/said"
}
for kind in nine vfs; do
    dir=$tests_dir/$kind
    check "$kind: what the host wrote, the guest read" said "$kind-sum $sum  -"
    check "$kind: what the guest wrote, the host reads" cmp "$tests_dir/big" "$dir/from-guest"
    check "$kind: 1000 files in 50 folders were copied" said "$kind-entries 1102"
    rm -r "$tests_dir/tree/1"
    check "$kind: the copy is the same" diff -r --no-dereference "$tests_dir/tree" "$dir/copy"
    cp -a "$dir/tree/1" "$tests_dir/tree/1"
    check "$kind: a folder was removed" said "$kind-rm ok"
    check "$kind: a file of 5 GiB, in the guest" said "$kind-large 5368709121"
    check "$kind: a file of 5 GiB, on the host" test "$(stat -c %s "$dir/large")" = 5368709121
    check "$kind: names, links, modes and times" said "$kind-names 4 640 2 981173106"
    check "$kind: the same on the host" test "$(stat -c '%a %h %Y' "$dir/sub/three")" = "640 2 981173106"
    check "$kind: the link has its text" test "$(readlink "$dir/sub/link")" = two
    check "$kind: a file without a name" said "$kind-nameless ok"
    check "$kind: links lead nowhere" said "$kind-escape refused"
    check "$kind: flock" said "$kind-flock ok"
    for way in read write; do
        ms=$(sed -n "s/^.*$kind-$way-ms=\([0-9]*\)$/\1/p" "$tests_dir/said")
        kbs=$((67108864 / (${ms:-0} > 0 ? ms : 1000000000)))
        echo "# $kind: $way 64 MiB: $kbs KB/s"
    done
    echo "# $kind: tar of the tree: $(sed -n "s/^$kind-tar-ms=//p" "$tests_dir/said") ms"
    if said "$kind-xattr set" && command -v getfattr >/dev/null; then
        check "$kind: the attribute is there" test "$(getfattr --only-values -n user.test "$dir/sub/two")" = value
    fi
done
for what in create append remove; do
    check "read-only: $what is refused" said "ro-$what refused"
done
check "read-only: the file is as it was" test "$(cat "$fixed/file")" = fixed
for what in gone-ls gone-write gonefs-ls gonefs-write; do
    check "a folder that went away: $what fails" said "$what failed"
done
check "the guest lived on" said alive
check "nothing outside was touched" test "$(cat "$tests_dir/outside/file")$(ls "$tests_dir/outside")" = untouchedfile
finish
