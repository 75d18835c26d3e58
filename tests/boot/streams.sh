#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# A shell on hvc0, its window size, a channel for programs, the balloon as the host's memory shows it, and
# sockets both ways, in one boot of the guest. tests/boot/virtio.sh adds options, and by EXTRA_SCRIPT lines
# to play before the end; it finds the output at EXTRA_OUT.
cd "$(dirname "$0")/../.." || exit 1
. tests/boot/lib.sh
command -v python3 >/dev/null || { echo "not ok python3 is needed"; exit 1; }

head -c 3000000 /dev/urandom >"$tests_dir/blob"
sum=$(sha256sum <"$tests_dir/blob")
sum=${sum%% *}
ln -s "$tests_dir" "$tests_dir/s" # short enough for a socket's path

cat >"$tests_dir/script" <<'END'
expect "rvkit:~# " 120
send "stty size </dev/hvc0; cat /sys/class/virtio-ports/*/name; vsock cid; (vsock echo 700 &); echo re''ady\n"
expect "ready"
expect "INFLATE" 100
balloon 180M
expect "DEFLATE" 100
balloon 0
expect "NEXT" 100
send "vsock connect 2 900 </dev/null | sha256sum; head -c 1000000 /dev/zero | vsock connect 2 901; vsock connect 2 999 </dev/null; echo st''atus $?\n"
expect "status" 60
send "P=$(grep -l org.test /sys/class/virtio-ports/*/name); P=${P%/name}; read -r L <>/dev/${P##*/}; echo \"got <$L>\"; echo pong >/dev/${P##*/}; echo po''rt\n"
expect "port" 30
sleep 1
END
[ -z "$EXTRA_SCRIPT" ] || cat "$EXTRA_SCRIPT" >>"$tests_dir/script"
printf '%s\n' 'send "poweroff -f\n"' 'off 60' >>"$tests_dir/script"

# The host's part: programs behind the sockets, the window of hvc0, the memory of the process.
cat >"$tests_dir/host.py" <<'END'
import hashlib, os, re, socket, subprocess, sys, threading, time

rvkit, work, command = sys.argv[1], sys.argv[2], sys.argv[3:]
blob = open(work + "/blob", "rb").read()
result = open(work + "/result", "w")

def say(line):
    result.write(line + "\n")
    result.flush()

def listen(port):
    s = socket.socket(socket.AF_UNIX)
    s.bind(work + "/vsock_%d" % port)
    s.listen(1)
    return s

def serve_blob(s):
    c = s.accept()[0]
    c.sendall(blob)
    c.close()

def serve_count(s):
    c = s.accept()[0]
    total = 0
    while True:
        data = c.recv(65536)
        if not data:
            break
        total += len(data)
    say("counted %d" % total)
    c.close()

servers = [threading.Thread(target=f, args=(listen(p),), daemon=True) for f, p in ((serve_blob, 900), (serve_count, 901))]
for s in servers:
    s.start()

def echo():
    c = socket.socket(socket.AF_UNIX)
    c.connect(work + "/vsock")
    c.sendall(b"CONNECT 700\n")
    line = b""
    while not line.endswith(b"\n"):
        line += c.recv(1)
    say("greeting " + line.decode().split()[0])
    def send():
        c.sendall(blob)
        c.shutdown(socket.SHUT_WR)
    t = threading.Thread(target=send)
    t.start()
    got = hashlib.sha256()
    while True:
        data = c.recv(65536)
        if not data:
            break
        got.update(data)
    t.join()
    say("echo " + got.hexdigest())

def refused():
    c = socket.socket(socket.AF_UNIX)
    c.connect(work + "/vsock")
    c.sendall(b"CONNECT 701\n")
    say("refused %d" % len(c.recv(100)))

def rss(pid):
    for line in open("/proc/%d/status" % pid):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024

def wait(test, seconds=40):
    end = time.time() + seconds
    while time.time() < end:
        if test():
            return True
        time.sleep(0.2)
    return False

out = open(work + "/out", "wb")
run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE)
messages = []
def pump():
    for line in run.stderr:
        messages.append(line.decode())
threading.Thread(target=pump, daemon=True).start()
seen = lambda what: what in open(work + "/out", "rb").read()

try:
    wait(lambda: any("console at" in m for m in messages), 10)
    pts = re.search(r"console at (\S+)", "".join(messages)).group(1)
    fd = os.open(pts, os.O_RDWR | os.O_NOCTTY)
    import fcntl, struct, termios, select
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
    heard = b""
    def hear():
        global heard
        while select.select([fd], [], [], 0)[0]:
            heard += os.read(fd, 65536)
        return heard
    say("shell %d" % wait(lambda: b"rvkit:~# " in hear(), 60))
    def ask(text, want):
        global heard
        hear()
        heard = b""
        os.write(fd, text)
        return wait(lambda: want in hear(), 20)
    time.sleep(1) # windows are looked at four times a second
    say("size %d" % ask(b"stty size\r", b"50 132"))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    time.sleep(1)
    say("resize %d" % ask(b"stty size\r", b"33 77"))
    wait(lambda: seen(b"ready"))
    echo()
    refused()
    def fill():
        ask(b"dd if=/dev/zero of=/tmp/fill bs=1M count=100 2>/dev/null; echo fi''lled\r", b"filled")
        return rss(run.pid)
    def total():
        return ask(b"free; echo o''k\r", b"ok") and int(re.search(rb"Mem: +(\d+) +(\d+)", heard).group(2))
    # The pages of a file that was removed are free; the guest reports that two seconds later.
    say("full %d" % fill())
    ask(b"rm /tmp/fill; echo o''k\r", b"ok")
    wait(lambda: rss(run.pid) < 60, 8)
    say("reported %d" % rss(run.pid))
    # The balloon takes them sooner.
    say("full2 %d" % fill())
    began = time.time()
    ask(b"rm /tmp/fill; echo INFLA''TE >/dev/ttyS0; echo o''k\r", b"ok")
    say("inflated %d" % wait(lambda: rss(run.pid) < 70, 10))
    say("seconds %.1f" % (time.time() - began))
    # 180 MB are in use then, beside what the guest has for itself.
    say("taken %d" % wait(lambda: total() > 184320))
    say("held %d" % rss(run.pid))
    ask(b"echo DEFLA''TE >/dev/ttyS0; echo o''k\r", b"ok")
    say("deflated %d" % wait(lambda: total() < 60000))
    say("again %d" % fill())
    ask(b"echo NE''XT >/dev/ttyS0; echo o''k\r", b"ok")
    # A program of the host at the other end of a channel.
    c = socket.socket(socket.AF_UNIX)
    c.connect(work + "/port")
    c.sendall(b"ping\n")
    c.settimeout(60)
    say("port " + c.recv(100).decode().strip())
    run.wait(120)
except Exception as e:
    say("error %r" % e)
    run.kill()
say("status %s" % run.poll())
open(work + "/err", "w").write("".join(messages))
END

timeout 400 python3 "$tests_dir/host.py" "$RVKIT" "$tests_dir" "$RVKIT" -k "$KERNEL" -initrd "$INITRAMFS" \
    -console pty -port "org.test=unix:$tests_dir/port" -vsock "$tests_dir/vsock,cid=42" -balloon 0 \
    -script "$tests_dir/script" "$@"
touch "$tests_dir/out" "$tests_dir/result"
tr -d '\r' <"$tests_dir/out" >"$tests_dir/text"
[ -z "$EXTRA_OUT" ] || cp "$tests_dir/text" "$EXTRA_OUT"

has() { grep -aqx "$1" "$tests_dir/result"; }
number() { sed -n "s/^$1 \([0-9]*\)\$/\1/p" "$tests_dir/result"; }
full=$(number full) reported=$(number reported) held=$(number held) again=$(number again)
seconds=$(sed -n 's/^seconds //p' "$tests_dir/result")
: "${full:=0}" "${reported:=9999}" "${held:=9999}" "${again:=0}"

check "hvc0 has a shell" has 'shell 1'
check "its window's size" has 'size 1'
check "a resize of the window" has 'resize 1'
check "the guest's CID" grep -aqx 42 "$tests_dir/text"
check "a program of the host reaches the guest" has 'greeting OK'
check "3 MB echoed by the guest" has "echo $sum"
check "a port nobody listens on in the guest" has 'refused 0'
check "3 MB from the host" grep -aq "^$sum  -" "$tests_dir/text"
check "1 MB to the host" has 'counted 1000000'
check "a port nobody listens on in the host" grep -aq '^vsock: connecting: Connection reset' "$tests_dir/text"
check "a channel's name" grep -aqx org.test "$tests_dir/text"
check "a channel to the guest" grep -aq '^got <ping>' "$tests_dir/text"
check "a channel to the host" has 'port pong'
check "free pages go back: $full MB in use, $reported MB when they are free" test $((full - reported)) -ge 60
check "the balloon is in the host's memory after $seconds s" has 'inflated 1'
check "the guest gave up 180 MB; the host holds $held MB" has 'taken 1'
check "and has them back" has 'deflated 1'
check "and uses them: $again MB" test $((again - held)) -ge 60
check "powers off" has 'status 0'
[ "$tests_failed" -eq 0 ] || { sed 's/^/# /' "$tests_dir/result" "$tests_dir/err"; tail -n 25 "$tests_dir/text" | sed 's/^/# /'; }
finish
