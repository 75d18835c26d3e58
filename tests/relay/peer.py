# SPDX-License-Identifier: MPL-2.0
"""What the relay's tests talk to it with: HTTP, a WebSocket client, and a guest that makes its frames by hand.

All waits end: a peer that says nothing for TIMEOUT seconds (RELAY_TIMEOUT sets them) is an error."""
import base64
import hashlib
import os
import socket
import struct

TIMEOUT = float(os.environ.get("RELAY_TIMEOUT", 60))
GATEWAY, GUEST = bytes([10, 0, 2, 2]), bytes([10, 0, 2, 15])
GUEST6 = socket.inet_pton(socket.AF_INET6, "fec0::15")


class Refused(Exception):
    """The handshake was answered by something else than a WebSocket; args[0] is the status, 0 for a hang-up."""


def request(port, text, close=True):
    """Sends the bytes of a request; returns (status, headers, body) of one answer, read to the connection's end."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as s:
        s.sendall(text)
        got = b""
        try:
            while True:
                head, end, body = got.partition(b"\r\n\r\n")
                if end and not close:
                    length = headers_of(head).get("content-length")
                    if length is None or len(body) >= int(length):
                        break
                more = s.recv(1 << 20)
                if not more:
                    break
                got += more
        except ConnectionResetError:
            pass
    head, _, body = got.partition(b"\r\n\r\n")
    line = head.split(b"\r\n")[0].split(b" ")
    return (int(line[1]) if len(line) > 1 else 0), headers_of(head), body


def headers_of(head):
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def http(port, path, method="GET", host=None, **headers):
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: %s" % (host or "127.0.0.1:%d" % port), "Connection: close"]
    lines += ["%s: %s" % (name.replace("_", "-"), value) for name, value in headers.items()]
    return request(port, ("\r\n".join(lines) + "\r\n\r\n").encode())


class WebSocket:
    """RFC 6455, the client's side."""

    def __init__(self, port, path, host=None, origin=None, **headers):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.rest = b""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ["GET %s HTTP/1.1" % path, "Host: %s" % (host or "127.0.0.1:%d" % port), "Upgrade: websocket",
                 "Connection: Upgrade", "Sec-WebSocket-Key: " + key, "Sec-WebSocket-Version: 13"]
        lines += ["Origin: " + origin] if origin is not None else []
        lines += ["%s: %s" % (name.replace("_", "-"), value) for name, value in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        try:
            while b"\r\n\r\n" not in self.rest:
                more = self.socket.recv(4096)
                if not more:
                    break
                self.rest += more
        except ConnectionResetError:
            pass
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1]) if head.startswith(b"HTTP/") else 0
        wanted = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        if status != 101:
            self.socket.close()
            raise Refused(status)
        assert headers_of(head)["sec-websocket-accept"] == wanted.decode()

    @staticmethod
    def frame(data, opcode=2, final=True):
        size, mask = len(data), os.urandom(4)
        head = bytes([(0x80 if final else 0) | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", size)
        whole = int.from_bytes(data, "big") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        return head + mask + whole.to_bytes(size, "big")

    def send(self, data, opcode=2, final=True):
        self.socket.sendall(self.frame(data, opcode, final))

    def take(self, size):
        while len(self.rest) < size:
            more = self.socket.recv(1 << 16)
            if not more:
                raise EOFError
            self.rest += more
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

    def receive(self):
        """(opcode, data) of the next frame; pings are answered. EOFError: the connection has ended."""
        try:
            while True:
                head = self.take(2)
                size = head[1] & 127
                if size == 126:
                    size = struct.unpack(">H", self.take(2))[0]
                elif size == 127:
                    size = struct.unpack(">Q", self.take(8))[0]
                data = self.take(size)
                if head[0] & 15 != 9:
                    return head[0] & 15, data
                self.send(data, 10)
        except ConnectionResetError:
            raise EOFError from None

    def ended(self):
        """Reads up to the end; returns the code of the close frame, 0 without one."""
        try:
            while True:
                opcode, data = self.receive()
                if opcode == 8:
                    return struct.unpack(">H", data[:2])[0] if len(data) >= 2 else 0
        except EOFError:
            return 0

    def close(self):
        self.socket.close()


def checksum(data):
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


class Guest(WebSocket):
    """A card with an address, and just enough of a stack."""

    def __init__(self, port, token, last=1, **more):
        super().__init__(port, "/net?token=" + token, **more)
        self.mac = bytes([2, 0, 0, 0, 0, last])
        self.gateway = None
        self.ip = GUEST

    def ethernet(self, kind, data, to=b"\xff" * 6):
        frame = to + self.mac + struct.pack(">H", kind) + data
        self.send(frame + b"\0" * (60 - len(frame)))

    def wait_for(self, what):
        """The first true what(frame)."""
        while True:
            opcode, data = self.receive()
            assert opcode == 2, "not a binary message"
            found = what(data)
            if found:
                return found

    def arp_frame(self, ip):
        return b"\xff" * 6 + self.mac + b"\x08\x06" + struct.pack(">HHBBH", 1, 0x800, 6, 4, 1) + self.mac + \
            self.ip + b"\0" * 6 + ip + b"\0" * 18

    def arp(self, ip=GATEWAY):
        """The hardware address of a neighbour."""
        self.send(self.arp_frame(ip))
        return self.wait_for(lambda f: f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2" and f[28:32] == ip and f[22:28])

    def ipv4(self, protocol, to, data, source=None, mac=b"\xff" * 6):
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 64, protocol, 0) + (source or self.ip) + to
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        self.ethernet(0x800, head + data, mac)

    def dhcp(self):
        """Discover; returns (the address offered, the server's address)."""
        text = struct.pack(">BBBBIHH", 1, 1, 6, 0, 0x12345678, 0, 0x8000) + b"\0" * 16 + self.mac + b"\0" * 202 + \
            b"\x63\x82\x53\x63" + b"\x35\x01\x01" + b"\xff"
        text = struct.pack(">HHHH", 68, 67, 8 + len(text), 0) + text
        self.ipv4(17, b"\xff" * 4, text, b"\0" * 4)

        def offer(f):
            if f[12:14] != b"\x08\0" or f[23] != 17 or f[36:38] != b"\0\x44" or f[70:76] != self.mac or \
                    b"\x35\x01\x02" not in f[282:]:
                return None
            return f[42 + 16:42 + 20], f[26:30]
        return self.wait_for(offer)

    def segment(self, to, port, source, seq, ack, flags, data=b""):
        head = struct.pack(">HHIIBBHHH", source, port, seq, ack, 0x50, flags, 60000, 0, 0)
        pseudo = self.ip + to + struct.pack(">BBH", 0, 6, len(head) + len(data))
        head = head[:16] + struct.pack(">H", checksum(pseudo + head + data)) + head[18:]
        self.ipv4(6, to, head + data, mac=self.gateway)

    def knock(self, to, port):
        """The beginning of a connection, and a datagram, to an address of either kind; nothing is waited for."""
        source = struct.pack(">HH", 0x8000 | int.from_bytes(os.urandom(2), "big") >> 1, port)
        syn = source + struct.pack(">IIBBHHH", 1000, 0, 0x50, 2, 60000, 0, 0)
        datagram = source + struct.pack(">HH", 13, 0) + b"knock"
        for protocol, data, at in ((6, syn, 16), (17, datagram, 6)):
            if len(to) == 4:
                pseudo = self.ip + to + struct.pack(">BBH", 0, protocol, len(data))
            else:
                pseudo = GUEST6 + to + struct.pack(">II", len(data), protocol)
            data = data[:at] + struct.pack(">H", checksum(pseudo + data)) + data[at + 2:]
            if len(to) == 4:
                self.ipv4(protocol, to, data, mac=self.gateway)
            else:
                head = struct.pack(">IHBB", 6 << 28, len(data), protocol, 64) + GUEST6 + to
                self.ethernet(0x86dd, head + data, self.gateway)

    def fetch(self, to, port, path):
        """HTTP/1.0 over hand-made TCP. The answer up to its end, or None: no connection."""
        self.gateway = self.gateway or self.arp()
        source = 0x8000 | int.from_bytes(os.urandom(2), "big") >> 1

        def tcp(f):
            if f[12:14] == b"\x08\0" and f[23] == 1 and f[34] == 3:  # ICMP: unreachable
                return 0, 0, 4, b""
            if f[12:14] != b"\x08\0" or f[23] != 6 or f[36:38] != struct.pack(">H", source) or f[26:30] != to:
                return None
            seq, ack = struct.unpack(">II", f[38:46])
            return seq, ack, f[47], f[34 + (f[46] >> 4) * 4:14 + struct.unpack(">H", f[16:18])[0]]
        self.segment(to, port, source, 1000, 0, 2)
        seq, ack, flags, data = self.wait_for(tcp)
        if flags & 4:
            return None
        assert flags & 0x12 == 0x12
        at, ours, got = seq + 1, ack, b""
        ask = b"GET %s HTTP/1.0\r\n\r\n" % path.encode()
        self.segment(to, port, source, ours, at, 0x18, ask)
        ours += len(ask)
        while True:
            seq, ack, flags, data = self.wait_for(tcp)
            if seq == at:
                got += data
                at += len(data) + (flags & 1)
            self.segment(to, port, source, ours, at, 0x10)
            if flags & 5:
                return got
