#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""The host's side of the network tests: one TCP port on 127.0.0.1, whose number is written to PORTFILE.

A client's first line is "GET /MIB ...": an HTTP answer with that many MiB of known bytes, or "PUT": bytes
until the end of the stream, answered with "COUNT SHA256". Each transfer is logged to LOG as one line,
"get|put BYTES SECONDS SHA256". Usage: net_host.py PORTFILE LOG"""
import hashlib
import os
import socket
import sys
import threading
import time

BLOCK = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(32768))


def get(client, log, mib):
    digest = hashlib.sha256()
    client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % (mib << 20))
    start = time.time()
    for _ in range(mib):
        client.sendall(BLOCK)
    client.shutdown(socket.SHUT_WR)
    while client.recv(65536):
        pass
    seconds = time.time() - start
    for _ in range(mib):
        digest.update(BLOCK)
    return "get %d %.3f %s" % (mib << 20, seconds, digest.hexdigest())


def put(client, rest):
    chunks, start = [rest], time.time()
    while True:
        chunk = client.recv(1 << 20)
        if not chunk:
            break
        chunks.append(chunk)
    seconds = time.time() - start
    digest, count = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        count += len(chunk)
    client.sendall(b"%d %s\n" % (count, digest.hexdigest().encode()))
    return "put %d %.3f %s" % (count, seconds, digest.hexdigest())


def serve(client, log):
    try:
        head = b""
        while b"\n" not in head:
            chunk = client.recv(4096)
            if not chunk:
                return
            head += chunk
        line, _, rest = head.partition(b"\n")
        if line.startswith(b"GET /"):
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            result = get(client, log, int(line.split()[1][1:]))
        else:
            result = put(client, rest)
        with open(log, "a") as out:
            out.write(result + "\n")
    except OSError:
        pass
    finally:
        client.close()


def main():
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", 0))
    server.listen(16)
    with open(sys.argv[1] + ".new", "w") as out:
        out.write("%d\n" % server.getsockname()[1])
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    while True:
        client, _ = server.accept()
        threading.Thread(target=serve, args=(client, sys.argv[2]), daemon=True).start()


main()
