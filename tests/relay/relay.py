#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Tests of rvkit-relay: who may connect, frames both ways, limits, files. Usage: relay.py PROGRAM FOLDER [WORD]...

FOLDER is an empty one to work in; with words, only tests with one of them in their names run. Each relay must end
with status 0 and nothing on its standard error: a sanitizer's report is a failure."""
import hashlib
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from peer import GATEWAY, Guest, Refused, TIMEOUT, WebSocket, http, request

PROGRAM, FOLDER, WORDS = sys.argv[1], sys.argv[2], sys.argv[3:]
WWW = os.path.join(FOLDER, "www")
BIG = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(65536))  # 2 MiB
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Relay:
    """One that runs, at a free port; the with statement ends it and looks at how it ended."""

    def __init__(self, *options, files=None, stop=signal.SIGTERM, listen="127.0.0.1:0"):
        shell = ["sh", "-c", 'ulimit -n %d && exec "$@"' % files, "sh"] if files else []
        self.stop = stop
        self.process = subprocess.Popen(shell + [PROGRAM, "-listen", listen] + list(options),
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.line = self.process.stdout.readline().decode().strip()
        assert "token=" in self.line, self.process.stderr.read().decode()
        self.token = self.line.split("token=")[1]
        self.port = int(self.line.split("//")[1].split("/")[0].rsplit(":", 1)[1])
        self.errors = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.send_signal(self.stop)
        try:
            out, self.errors = (text.decode("utf-8", "replace") for text in self.process.communicate(timeout=TIMEOUT))
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if kind is None:
            assert self.process.returncode == 0 and not out, (self.process.returncode, out, self.errors)
            assert not self.errors or "warning: -listen" in self.errors, self.errors

    def memory(self):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as f:
            return [int(line.split()[1]) for line in f if line.startswith("VmRSS")][0]

    def guest(self, last=1, **more):
        return Guest(self.port, self.token, last, **more)

    def get(self, path, *args, **more):
        return http(self.port, path, *args, **more)

    def refused(self, path=None, **more):
        """The status that a handshake is refused with; 101: it is not."""
        try:
            WebSocket(self.port, path or "/net?token=" + self.token, **more).close()
            return 101
        except Refused as e:
            return e.args[0]

    def check_alive(self):
        g = self.guest(99)
        assert g.arp() and self.process.poll() is None
        g.close()


def equal(got, want):
    assert got == want, "%r is not %r" % (got, want)


# --- The command line ---

@test
def wrong_options_are_told_in_a_line():
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    for options, status in (
            (["-nonsense"], 2), (["stray"], 2), (["-listen"], 2), (["-listen", "nowhere"], 2), (["-listen", "a:b"], 2),
            (["-listen", "127.0.0.1:65536"], 2), (["-serve", "/nonexistent"], 2), (["-token", "short"], 2),
            (["-token", "with spaces in it that is long"], 2), (["-origin", "ftp://x"], 2),
            (["-origin", "http://x/path"], 2), (["-max", "0"], 2), (["-max", "-1"], 2), (["-max", "1025"], 2),
            (["-max=2x"], 2), (["-ping", "0"], 2), (["-shared=1"], 2), (["-file", "Image=/etc/hostname"], 2),
            (["-file", "/Image"], 2), (["-file", "/Image=/nonexistent"], 2), (["-"], 2), ([""], 2),
            (["-listen", "127.0.0.1:%d" % port], 1), (["-listen", "no.such.host.invalid:0"], 1)):
        done = subprocess.run([PROGRAM] + options, capture_output=True, timeout=TIMEOUT, check=False)
        lines = done.stderr.decode().splitlines()
        assert done.returncode == status and not done.stdout, (options, done)
        assert len(lines) == 1 and lines[0].startswith("rvkit-relay: "), (options, lines)
    taken.close()


@test
def help_and_version():
    for option in ("-h", "--help", "-help"):
        done = subprocess.run([PROGRAM, option], capture_output=True, check=True, timeout=TIMEOUT)
        assert b"-origin URL" in done.stdout and not done.stderr
    done = subprocess.run([PROGRAM, "-version"], capture_output=True, check=True, timeout=TIMEOUT)
    assert done.stdout.startswith(b"rvkit-relay ")


@test
def the_line_that_is_printed():
    with Relay("-serve", WWW) as r:
        equal(r.line, "http://127.0.0.1:%d/#token=%s" % (r.port, r.token))
        assert len(r.token) == 32
        first = r.token
    with Relay() as r:
        equal(r.line, "ws://127.0.0.1:%d/net?token=%s" % (r.port, r.token))
        assert r.token != first
    with Relay("-token", "0123456789abcdef-_XY") as r:
        equal(r.token, "0123456789abcdef-_XY")


@test
def bound_elsewhere_is_told():
    r = Relay(listen="0.0.0.0:0")
    with r:
        assert r.line.startswith("ws://127.0.0.1:")
        r.check_alive()
    assert len(r.errors.splitlines()) == 1 and "other computers" in r.errors


@test
def signals_end_it_with_guests_connected():
    for number in (signal.SIGINT, signal.SIGTERM):
        for options in ([], ["-shared"]):
            with Relay(*options, stop=number) as r:
                guests = [r.guest(i) for i in range(4)]
                for g in guests:
                    g.arp()


# --- Who may connect ---

@test
def tokens():
    with Relay("-serve", WWW) as r:
        equal(r.refused(), 101)
        other = r.token[:-1] + ("0" if r.token[-1] != "0" else "1")
        for path in ("/net", "/net?", "/net?token=", "/net?token=" + other, "/net?token=" + r.token[:-1],
                     "/net?token=" + r.token + "0", "/net?Token=" + r.token, "/net?x=" + r.token,
                     "/net?token=" + "a" * 4000):
            equal((path, r.refused(path)), (path, 403))
        for path in ("/", "/net/?token=" + r.token, "/Net?token=" + r.token, "/index.html?token=" + r.token):
            equal((path, r.refused(path)), (path, 404))
        equal(r.refused("/net?a=b&token=" + r.token), 101)


@test
def origins():
    with Relay("-origin", "http://localhost:5173", "-origin=https://Example.org", "-origin", "null") as r:
        for origin in ("http://127.0.0.1:%d" % r.port, "http://localhost:%d" % r.port, "http://localhost:5173",
                       "https://example.org", "https://example.org:443", "null", "HTTP://x"):
            want = 403 if origin == "HTTP://x" else 101
            equal((origin, r.refused(origin=origin)), (origin, want))
        for origin in ("http://example.org", "https://example.org:8443", "https://example.org.evil.test",
                       "https://evil.test", "http://127.0.0.1", "http://127.0.0.1:%d" % (r.port % 65535 + 1),
                       "https://127.0.0.1:%d" % r.port, "http://localhost:%d.evil.test" % r.port,
                       "http://127.0.0.1:%d@evil.test" % r.port, "http://evil.test#http://127.0.0.1:%d" % r.port,
                       "x", "http://", "file://", "http://[::1]:%d" % r.port, "a" * 2000):
            equal((origin, r.refused(origin=origin)), (origin, 403))
    with Relay() as r:
        equal(r.refused(origin="null"), 403)
        equal(r.refused(origin="http://127.0.0.1:%d" % r.port), 101)
        # What a browser says beyond that.
        more = {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits", "Pragma": "no-cache",
                "Cookie": "a=" + "b" * 6000, "Accept_Encoding": "gzip, deflate, br"}
        g = r.guest(origin="http://localhost:%d" % r.port, **more)
        equal(len(g.arp()), 6)


@test
def hosts():
    with Relay("-serve", WWW, "-origin", "https://proxy.test") as r:
        for host in ("127.0.0.1:%d" % r.port, "localhost:%d" % r.port, "LOCALHOST:%d" % r.port, "proxy.test"):
            equal((host, r.refused(host=host), r.get("/", host=host)[0]), (host, 101, 200))
        for host in ("evil.test", "evil.test:%d" % r.port, "127.0.0.1", "localhost", "127.0.0.1:80", "proxy.test:80",
                     "127.0.0.2:%d" % r.port, "localhost.evil.test:%d" % r.port, "127.0.0.1:%d:1" % r.port, ":",
                     "x" * 900):
            equal((host, r.refused(host=host), r.get("/", host=host)[0]), (host, 403, 403))
        equal(request(r.port, b"GET / HTTP/1.0\r\n\r\n")[0], 403)
        twice = b"GET / HTTP/1.1\r\nHost: evil.test\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % r.port
        assert request(r.port, twice)[0] != 200


@test
def no_more_guests_than_allowed():
    with Relay("-max", "2", "-serve", WWW) as r:
        guests = [r.guest(1), r.guest(2)]
        equal(r.refused(), 503)
        equal(r.get("/")[0], 200)
        guests.pop().close()
        end = time.monotonic() + TIMEOUT
        while r.refused() != 101:
            assert time.monotonic() < end
        guests[0].arp()


# --- Frames ---

@test
def dhcp_and_arp():
    with Relay() as r:
        a, b = r.guest(1), r.guest(2)
        for g in (a, b):  # each has a network of its own, and so the same address
            equal(g.dhcp(), (bytes([10, 0, 2, 15]), GATEWAY))
            equal(len(g.arp()), 6)
            equal(len(g.arp(bytes([10, 0, 2, 3]))), 6)


@test
def guests_see_each_other_only_when_shared():
    for shared in (False, True):
        with Relay(*(["-shared"] if shared else [])) as r:
            a, b, c = (r.guest(i) for i in (1, 2, 3))
            offers = [g.dhcp()[0] for g in (a, b, c)]
            equal(len(set(offers)), 3 if shared else 1)
            for g in (a, b, c):
                g.arp()
            secret, told = b"to b alone" + b"." * 60, b"to all" + b"." * 60
            a.ethernet(0x88B5, secret, b.mac)
            a.ethernet(0x88B5, told)
            a.arp()  # whatever goes to others is there now
            for g, want in ((b, [secret, told]), (c, [told])):
                g.send(g.arp_frame(GATEWAY))
                seen = []
                while True:
                    frame = g.receive()[1]
                    if frame[12:14] == b"\x08\x06" and frame[:6] == g.mac:
                        break
                    if frame[12:14] == b"\x88\xb5":
                        seen.append(frame[14:])
                equal(seen, want if shared else [])


@test
def frames_of_sizes_that_do_not_exist_are_dropped():
    with Relay("-shared") as r:
        a, b = r.guest(1), r.guest(2)
        b.arp()
        sizes = (13, 14, 1514, 1519, 1518, 9000, 12, 60)
        for size in sizes:
            a.send((b.mac + a.mac + b"\x88\xb5" + b"\x5a" * 9000)[:size])
        a.arp()
        got = [len(b.wait_for(lambda f: f[:6] == b.mac and f)) for size in sizes if 14 <= size <= 1518]
        equal(got, [14, 1514, 1518, 60])


class Server:
    """HTTP for guests: one file, BIG, at any address."""

    def __init__(self, address="127.0.0.1"):
        self.socket = socket.create_server((address, 0))
        self.port, self.clients = self.socket.getsockname()[1], 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            client, _ = self.socket.accept()
            self.clients += 1
            with client:
                client.settimeout(TIMEOUT)
                client.recv(4096)
                client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BIG) + BIG)


@test
def the_loopback_only_when_asked():
    server = Server()
    with Relay() as r:
        equal(r.guest().fetch(GATEWAY, server.port, "/"), None)
        equal(r.guest().fetch(GATEWAY, r.port, "/"), None)
    equal(server.clients, 0)
    with Relay("-loopback") as r:
        answer = r.guest().fetch(GATEWAY, server.port, "/")
        assert answer.endswith(b"\r\n\r\n" + BIG), len(answer)
    equal(server.clients, 1)


class Doors:
    """All of this host at one port: who comes by TCP and UDP, IPv4 and IPv6."""

    def __init__(self):
        self.tcp = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.udp.bind(("::", self.port))

    def opened(self, guests):
        """Who came when these guests had knocked."""
        for guest in guests:
            guest.arp()  # what was sent before has been worked on
        came = set()
        for s, take in ((self.tcp, self.tcp.accept), (self.udp, lambda: self.udp.recvfrom(64))):
            s.settimeout(0.5)
            try:
                while True:
                    take()
                    came.add("tcp" if s is self.tcp else "udp")
            except TimeoutError:
                pass
        return came


@test
def the_loopback_has_no_other_name():
    doors = Doors()
    names = ["10.0.2.2", "10.0.2.3", "10.0.2.1", "10.0.2.255", "255.255.255.255", "127.0.0.1", "127.1.2.3", "0.0.0.0",
             "0.0.0.1", "fec0::2", "fec0::3", "fec0::1", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.2.2",
             "::ffff:0.0.0.0", "::127.0.0.1", "fe80::2", "fe80::1", "ff02::1"]

    def knock(relay, name):
        g = relay.guest()
        g.gateway = g.arp()
        g.knock(socket.inet_pton(socket.AF_INET6 if ":" in name else socket.AF_INET, name), doors.port)
        return g
    with Relay() as r:
        for some in names[:14], names[14:]:
            guests = [knock(r, name) for name in some]
            equal((some, doors.opened(guests)), (some, set()))
            for g in guests:
                g.close()
    with Relay("-loopback") as r:  # and this would show it
        for name in ("10.0.2.2", "fec0::2"):
            equal(doors.opened([knock(r, name)]), {"tcp", "udp"})


@test
def http_from_another_address_of_this_host():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
            address = s.getsockname()[0]
        except OSError:
            address = "127."
    if address.startswith("127."):
        print("# this host has no other address")
        return
    server = Server(address)
    with Relay() as r:
        answer = r.guest().fetch(socket.inet_aton(address), server.port, "/")
        assert answer and answer.endswith(b"\r\n\r\n" + BIG), answer and len(answer)


@test
def messages_in_pieces_and_of_all_sizes():
    with Relay() as r:
        g = r.guest()
        g.arp()
        whole = g.arp_frame(GATEWAY)
        for at in (0, 1, 13, 14, 59):  # continuation frames, empty ones too
            g.send(whole[:at], 2, False)
            g.send(b"", 0, False)
            g.send(b"ping", 9)
            g.send(whole[at:], 0, True)
            answers = {g.receive()[0], g.receive()[0]}
            equal(answers, {2, 10})
        for size in (0, 1, 13, 14, 1514, 1518, 1519, 16383, 16384, 65535, 65536, 1 << 20):
            g.send((whole + b"\0" * (1 << 20))[:size])
        equal(len(g.arp()), 6)
        g.send(b"\xff" * 3000, 2, False)  # too long in pieces, the last of which would fit
        g.send(b"\xff" * 100, 0, True)
        equal(len(g.arp()), 6)
        raw = g.frame(whole)  # byte by byte
        for i in range(len(raw)):
            g.socket.sendall(raw[i:i + 1])
        equal(g.receive()[0], 2)


@test
def nonsense_in_frames():
    dice = random.Random(6)
    with Relay() as r:
        g = r.guest()
        g.arp()
        kinds = [b"\x08\0", b"\x86\xdd", b"\x08\x06", b"\0\0", b"\x81\0"]
        for i in range(20000):
            data = bytearray(dice.randbytes(dice.randrange(14, 200)))
            data[12:14] = dice.choice(kinds)
            if i & 1 and len(data) > 34:
                data[14:16] = b"\x45\0"
                data[16:18] = struct.pack(">H", dice.choice([len(data) - 14, dice.randrange(65536)]))
                data[23] = dice.choice([1, 6, 17])
                data[30:34] = dice.choice([GATEWAY, b"\x7f\0\0\1", b"\0\0\0\0", b"\xff\xff\xff\xff"])
            g.send(bytes(data))
        # Answers may fill the way back; the relay goes on reading all the same.
        r.check_alive()


@test
def messages_that_are_no_frames_end_the_connection():
    with Relay() as r:
        g = r.guest()
        g.send(b"hello", 1)
        equal(g.ended(), 1003)
        for first in (b"\x83\x80\0\0\0\0", b"\x8f\x80\0\0\0\0", b"\xf2\x80\0\0\0\0", b"\x80\x80\0\0\0\0",
                      b"\x89\xfe\x01\0\0\0\0\0" + b"x" * 256, b"\x82\xff" + b"\xff" * 12):
            g = r.guest()
            g.socket.sendall(first)
            g.socket.shutdown(socket.SHUT_WR)
            g.ended()
            g.close()
        dice = random.Random(7)
        for i in range(100):
            g = r.guest()
            try:
                g.socket.sendall(dice.randbytes(dice.randrange(1, 400)))
                g.socket.shutdown(socket.SHUT_WR)
                g.ended()
            except TimeoutError:
                raise
            except OSError:  # it is hung up on at the first bytes
                pass
            g.close()
        r.check_alive()
        g = r.guest()
        g.send(struct.pack(">H", 1000), 8)
        equal(g.ended(), 1000)


@test
def a_flood_is_dropped_not_kept():
    with Relay() as r:
        g = r.guest()
        g.gateway = g.arp()
        sent = []
        g.send = lambda data: sent.append(WebSocket.frame(data))
        echo = b"\x08\0\0\0" + b"\0" * 1468
        g.ipv4(1, GATEWAY, echo[:2] + struct.pack(">H", 0xF7FF) + echo[4:], mac=g.gateway)
        del g.send
        flood, before, most = sent[0] * 100, r.memory(), 0
        for i in range(1000):  # 100000 echo requests, 150 MB; none of the answers is read
            g.socket.sendall(flood)
            if i % 50 == 0:
                most = max(most, r.memory())
        most = max(most, r.memory())
        print("# memory: %d KiB before, %d KiB at most" % (before, most))
        assert most - before < 32 << 10, (before, most)
        equal(r.guest(2).dhcp()[0], bytes([10, 0, 2, 15]))
        equal(len(g.arp()), 6)  # behind what was kept of the answers
        echoes = [0]

        def count(f):
            echoes[0] += f[23] == 1
            return f[12:14] == b"\x08\x06"
        g.send(g.arp_frame(GATEWAY))
        g.wait_for(count)


@test
def abrupt_ends():
    with Relay("-max", "8", "-serve", WWW) as r:
        for i in range(60):
            try:
                g = r.guest(i)
            except Refused as e:  # those before are not noticed yet
                assert e.args[0] in (0, 503)
                continue
            if i % 3 == 0:
                g.send(g.arp_frame(GATEWAY))
            elif i % 3 == 1:
                g.socket.sendall(g.frame(g.arp_frame(GATEWAY))[:i])
            g.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", i & 1, 0))
            g.close()
        for i in range(20):
            s = socket.create_connection(("127.0.0.1", r.port))
            s.sendall(b"GET /big.bin HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n"[:10 + 3 * i] % (() if i < 11 else r.port)
                      if i < 8 else b"GET /big.bin HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % r.port)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", i & 1, 0))
            s.close()
        end = time.monotonic() + TIMEOUT
        while True:
            try:
                r.check_alive()
                break
            except Refused:
                assert time.monotonic() < end


@test
def a_peer_that_is_silent_is_asked_and_dropped():
    with Relay("-ping", "3") as r:
        deaf, live = r.guest(1), r.guest(2)
        pings, ended = [0], []

        def listen():
            while not ended:
                head = live.take(2)
                live.take(head[1] & 127)
                if head[0] & 15 == 9:
                    pings[0] += 1
                    live.send(b"", 10)
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            while deaf.socket.recv(100):  # pings, that get no answer
                pass
        except ConnectionResetError:
            pass
        ended.append(True)
        live.send(live.arp_frame(GATEWAY))  # an answer ends the thread's wait
        thread.join(TIMEOUT)
        assert not thread.is_alive() and pings[0] >= 1, pings


@test
def malformed_handshakes():
    dice = random.Random(86)
    with Relay("-serve", WWW) as r:
        good = ["GET /net?token=%s HTTP/1.1" % r.token, "Host: 127.0.0.1:%d" % r.port, "Upgrade: websocket",
                "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"]

        def text(lines):
            return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        bad = [text(good[:i] + good[i + 1:]) for i in (0, 1, 2)]
        bad += [text(good[:5] + ["Sec-WebSocket-Version: 7"]), text([good[0].replace("GET", "POST")] + good[1:]),
                text([good[0].replace("HTTP/1.1", "HTTP/9.9 x")] + ["Host: evil.test"] + good[2:]),
                text(good[:2] + ["Upgrade: nonsense"] + good[3:]),
                text(good[:2] + ["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk"]),
                text(good + ["Sec-WebSocket-Protocol: nonsense"]),
                text(good + ["Sec-WebSocket-Protocol: " + "a," * 500]),
                text(good[:1] + ["X: " + "y" * 70000] + good[1:]),
                text(["GET /" + "z" * 70000 + " HTTP/1.1"] + good[1:]),
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
                b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"\0" * 200,
                b"\0" * 1000, b"\r\n" * 1000, b"GET", b"GET /\r\n\r\n", b"GET /%00 HTTP/1.1\r\n\r\n",
                text(["CONNECT 127.0.0.1:80 HTTP/1.1"] + good[1:]), text(["OPTIONS * HTTP/1.1"] + good[1:2]),
                text(["GET http://127.0.0.1:%d/ HTTP/1.1" % r.port] + good[1:2]), text(["FROB / HTTP/1.1"] + good[1:2])]
        for i in range(200):
            data = bytearray(text(good))
            for _ in range(dice.randrange(1, 8)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            bad.append(bytes(data))
        for i, data in enumerate(bad):
            with socket.create_connection(("127.0.0.1", r.port), TIMEOUT) as s:
                got = b""
                try:
                    s.sendall(data)
                    s.shutdown(socket.SHUT_WR)
                    while True:
                        more = s.recv(65536)
                        if not more:
                            break
                        got += more
                except TimeoutError:
                    raise
                except OSError:  # it is hung up on, in the middle
                    pass
                if i < 23:
                    assert b" 101 " not in got, (data[:200], got[:200])
        r.check_alive()
        equal(r.get("/")[0], 200)


@test
def crowds():
    crowds_at(60, 40)  # more than there are descriptors
    crowds_at(200, None)  # more than are taken


def crowds_at(size, files):
    with Relay("-serve", WWW, files=files) as r:
        g = r.guest() if not files else None
        crowd = [socket.create_connection(("127.0.0.1", r.port), TIMEOUT) for _ in range(size)]
        crowd[-1].settimeout(TIMEOUT)
        try:
            equal(crowd[-1].recv(1), b"")  # sent away, not left waiting
        except ConnectionResetError:
            pass
        if g:
            g.arp()
        for s in crowd:
            s.close()
        end = time.monotonic() + TIMEOUT
        while r.get("/")[0] != 200:
            assert time.monotonic() < end


# --- Files ---

@test
def types_of_files():
    with Relay("-serve", WWW) as r:
        for name, want in (("a.wasm", "application/wasm"), ("a.js", "text/javascript"), ("a.mjs", "text/javascript"),
                           ("a.css", "text/css; charset=utf-8"), ("index.html", "text/html; charset=utf-8"),
                           ("a.json", "application/json"), ("a.svg", "image/svg+xml"), ("a.png", "image/png"),
                           ("a.webmanifest", "application/manifest+json"), ("a.gz", "application/gzip"),
                           ("a.unknown", "application/octet-stream")):
            status, headers, body = r.get("/" + name)
            equal((name, status, headers["content-type"]), (name, 200, want))
            equal(body, b"this is " + name.encode())
            equal(headers["content-length"], str(len(body)))
            equal(headers["cache-control"], "no-cache")
            assert "content-encoding" not in headers and "etag" in headers


@test
def folders_have_an_index():
    with Relay("-serve", WWW) as r:
        for path, want in (("/", b"this is index.html"), ("/sub/", b"this is sub/index.html"),
                           ("/?query=1", b"this is index.html"), ("/sub/a%20b.txt", b"this is sub/a b.txt")):
            equal((path, r.get(path)[::2]), (path, (200, want)))
        status, headers, _ = r.get("/sub")
        equal((status, headers["location"]), (301, "/sub/"))
        equal(r.get("/empty/")[0], 404)


@test
def ranges():
    with Relay("-serve", WWW) as r:
        size = len(BIG)
        for text, first, last in (("0-0", 0, 0), ("0-1", 0, 1), ("512-1023", 512, 1023),
                                  ("%d-" % (size - 1), size - 1, size - 1), ("5-", 5, size - 1), ("-1", size - 1, size - 1), ("-%d" % (2 * size), 0, size - 1),
                                  ("100-99999999999", 100, size - 1), ("0-%d" % (size - 1), 0, size - 1)):
            status, headers, body = r.get("/big.bin", Range="bytes=" + text)
            equal((text, status, headers["content-range"]), (text, 206, "bytes %d-%d/%d" % (first, last, size)))
            assert body == BIG[first:last + 1] and headers["content-length"] == str(len(body)), text
        for text in ("bytes=%d-" % size, "bytes=-0", "bytes=99999999999-99999999999"):
            status, headers, _ = r.get("/big.bin", Range=text)
            equal((text, status, headers["content-range"]), (text, 416, "bytes */%d" % size))
        for text in ("bytes=5-4", "bytes=", "bytes=-", "bytes=a-b", "bytes=1-2,4-5", "bytes=1-2x", "lines=1-2",
                     "bytes=-5-", "bytes=99999999999999999999-", "bytes=1-99999999999999999999", "bytes= 1-2"):
            status, headers, body = r.get("/big.bin", Range=text)
            equal((text, status), (text, 200))
            assert body == BIG and headers["accept-ranges"] == "bytes"
        equal(r.get("/empty.bin", Range="bytes=0-0")[0], 416)
        equal(r.get("/empty.bin")[::2], (200, b""))
        etag = r.get("/big.bin", "HEAD")[1]["etag"]
        equal(r.get("/big.bin", Range="bytes=1-2", If_Range=etag)[::2], (206, BIG[1:3]))
        equal(r.get("/big.bin", Range="bytes=1-2", If_Range='"other"')[0], 200)


@test
def heads_and_other_methods():
    with Relay("-serve", WWW) as r:
        for path, want in (("/big.bin", 200), ("/", 200), ("/none", 404), ("/sub", 301)):
            status, headers, body = r.get(path, "HEAD")
            equal((path, status, body), (path, want, b""))
            assert int(headers["content-length"]) > 0
        equal(r.get("/big.bin", "HEAD")[1]["content-length"], str(len(BIG)))
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            status, headers, _ = r.get("/", method, Content_Length="0")
            equal((method, status, headers.get("allow")), (method, 405, "GET, HEAD"))
        equal(r.get("/", "POST", Content_Length="1000000")[0], 405)
        status, headers, body = r.get("/none")
        assert status == 404 and body.startswith(b"404") and body.count(b"\n") == 1


@test
def edits_show():
    path = os.path.join(WWW, "edited.txt")
    with Relay("-serve", WWW) as r:
        with open(path, "wb") as f:
            f.write(b"one")
        etag = r.get("/edited.txt")[1]["etag"]
        status, headers, body = r.get("/edited.txt", If_None_Match=etag)
        equal((status, headers["etag"], body), (304, etag, b""))
        with open(path + ".new", "wb") as f:
            f.write(b"two")
        os.utime(path + ".new", (1, 1))
        os.rename(path + ".new", path)
        equal(r.get("/edited.txt", If_None_Match=etag)[::2], (200, b"two"))
        os.unlink(path)
        equal(r.get("/edited.txt")[0], 404)


@test
def nothing_outside_of_the_folder():
    with Relay("-serve", WWW) as r:
        for path in ("/../secret.txt", "/sub/../../secret.txt", "/%2e%2e/secret.txt", "/%2E%2E%2Fsecret.txt",
                     "/..%2fsecret.txt", "/sub/%2e%2e/%2e%2e/secret.txt", "//../secret.txt", "/./../secret.txt",
                     "/..\\secret.txt", "/%252e%252e/secret.txt", "/link.txt", "/linked/secret.txt", "/linked/",
                     "/.hidden", "/%2ehidden", "/.git/config", "/sub/.hidden", "/index.html/", "/index.html/x",
                     "/index.html%00.png", "//etc/hostname", "/pipe", "/" + "a" * 300, "/" + "a/" * 1000,
                     "/..;/secret.txt", "/%c0%ae%c0%ae/secret.txt", "/....//secret.txt"):
            status, _, body = r.get(path)
            assert status in (403, 404, 0) and b"SECRET" not in body, (path, status, body)
        equal(r.get("/sub/../index.html")[0], 200)
        r.check_alive()


@test
def single_files():
    image = os.path.join(FOLDER, "secret.txt")
    link = os.path.join(FOLDER, "link-to-it")
    os.symlink(image, link)
    with Relay("-serve", WWW, "-file", "/guest/Image=" + image, "-file=/guest/a.gz=" + link) as r:
        status, headers, body = r.get("/guest/Image")
        equal((status, headers["content-type"], body), (200, "application/octet-stream", b"SECRET"))
        status, headers, body = r.get("/guest/a.gz", Range="bytes=1-2")
        equal((status, headers["content-type"], body), (206, "application/gzip", b"EC"))
        for path in ("/guest/", "/guest", "/guest/Image/", "/guest/Imag", "/guest/../secret.txt"):
            equal((path, r.get(path)[0]), (path, 404))
    with Relay("-file", "/Image=" + image) as r:
        equal(r.get("/Image")[::2], (200, b"SECRET"))
        equal(r.get("/")[0], 404)


@test
def connections_are_kept():
    with Relay("-serve", WWW) as r:
        ask = "%s /%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n"
        asks = [("GET", "a.css"), ("HEAD", "big.bin"), ("GET", "none"), ("GET", "a.js"), ("GET", "a.json")]
        for together in (False, True):
            with socket.create_connection(("127.0.0.1", r.port), TIMEOUT) as s:
                stream = s.makefile("rb")
                if together:
                    s.sendall("".join(ask % (method, name, r.port) for method, name in asks).encode())
                for method, name in asks:
                    if not together:
                        s.sendall((ask % (method, name, r.port)).encode())
                    lines = iter(stream.readline, b"\r\n")
                    head = b"".join(lines).decode()
                    equal((name, head.split()[1]), (name, "404" if name == "none" else "200"))
                    length = int(head.lower().split("content-length: ")[1].split()[0])
                    if method == "GET":
                        body = stream.read(length)
                        assert name == "none" or body == b"this is " + name.encode(), body


@test
def a_file_that_shrinks_is_not_taken_for_whole():
    path = os.path.join(WWW, "shrinks.bin")
    with open(path, "wb") as f:
        f.truncate(64 << 20)
    with Relay("-serve", WWW) as r:
        with socket.create_connection(("127.0.0.1", r.port), TIMEOUT) as s:
            s.sendall(b"GET /shrinks.bin HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % r.port)
            got = len(s.recv(1000))
            os.truncate(path, 1000)
            try:
                while True:
                    more = len(s.recv(1 << 20))
                    got += more
                    if not more:
                        break
            except ConnectionResetError:
                pass
        assert got < 64 << 20
        r.check_alive()
    os.unlink(path)


def prepare():
    os.makedirs(os.path.join(WWW, "sub"))
    os.makedirs(os.path.join(WWW, "empty"))
    os.makedirs(os.path.join(WWW, ".git"))
    names = ["a." + end for end in "wasm js mjs css json svg png webmanifest gz unknown".split()]
    for name in names + ["index.html", "sub/index.html", "sub/a b.txt"]:
        with open(os.path.join(WWW, name), "w", encoding="ascii") as f:
            f.write("this is " + name)
    for name in (".hidden", "sub/.hidden", ".git/config", "../secret.txt"):
        with open(os.path.join(WWW, name), "w", encoding="ascii") as f:
            f.write("SECRET")
    for name, data in (("big.bin", BIG), ("empty.bin", b"")):
        with open(os.path.join(WWW, name), "wb") as f:
            f.write(data)
    os.symlink("../secret.txt", os.path.join(WWW, "link.txt"))
    os.symlink("..", os.path.join(WWW, "linked"))
    os.mkfifo(os.path.join(WWW, "pipe"))


def main():
    prepare()
    failed = ran = 0
    for function in TESTS:
        if WORDS and not any(word in function.__name__ for word in WORDS):
            continue
        ran += 1
        try:
            function()
            print("ok " + function.__name__, flush=True)
        except Exception as e:  # noqa: whatever it is, it is told
            failed += 1
            trace, lines = e.__traceback__, []
            while trace:
                lines.append(str(trace.tb_lineno))
                trace = trace.tb_next
            print("# lines %s: %s: %s" % (" ".join(lines), type(e).__name__, str(e)[:2000].replace("\n", "\n# ")))
            print("not ok " + function.__name__, flush=True)
    print("%d passed, %d failed" % (ran - failed, failed))
    return 1 if failed or not ran else 0


sys.exit(main())
