#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""TCP through the user network beside QEMU's, with the same kernel, guest and kind of card: MB/s and host CPU
seconds per GB, both ways. No test: it prints figures. Usage: tests/boot/net_speed.py [ROUNDS [MIB]]"""
import atexit
import os
import subprocess
import sys
import tempfile
import time

PROMPT = b"rvkit:~# "


def path(what):
    return subprocess.check_output(["guest/build.sh", "path", what], text=True).split()[0]


class Machine:
    """An emulator with the guest's console on its pipes."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.seen = b""
        self.expect(PROMPT)

    def expect(self, text):
        while text not in self.seen:
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                sys.exit("the machine ended: " + self.seen[-500:].decode(errors="replace"))
            self.seen += chunk
        self.seen = self.seen[self.seen.index(text) + len(text):]

    def run(self, command):
        self.process.stdin.write(command.encode() + b"; echo fin''ished\n")
        self.process.stdin.flush()
        self.expect(b"finished\r\n")
        self.expect(PROMPT)

    def cpu(self):
        with open("/proc/%d/stat" % self.process.pid) as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.kill()
        self.process.wait()


def lines(name):
    if not os.path.exists(name):
        return []
    with open(name) as file:
        return file.read().splitlines()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    mib = int(sys.argv[2]) if len(sys.argv) > 2 else 128
    kernel, initrd = path("kernel"), path("initramfs")
    elf = path("opensbi").replace(".bin", ".elf")
    work = tempfile.mkdtemp()
    port_file, log = work + "/port", work + "/log"
    host = subprocess.Popen([sys.executable, "tests/boot/net_host.py", port_file, log])
    atexit.register(host.kill)
    while not os.path.exists(port_file):
        time.sleep(0.05)
    with open(port_file) as file:
        port = int(file.read())
    commands = {
        "rvkit": [os.environ.get("RVKIT", "build/rvkit"), "-k", kernel, "-initrd", initrd, "-net", "user,loopback"],
        "qemu": ["qemu-system-riscv32", "-M", "virt", "-m", "256M", "-nographic", "-bios", elf, "-kernel", kernel,
                 "-initrd", initrd, "-append", "console=ttyS0", "-netdev", "user,id=n",
                 "-device", "virtio-net-device,netdev=n"],
    }
    transfers = {
        "get": "wget -q -O /dev/null http://10.0.2.2:%d/%d" % (port, mib),
        "put": "(echo PUT; dd if=/dev/zero bs=64k count=%d 2>/dev/null) | nc 10.0.2.2 %d >/dev/null" % (mib * 16, port),
    }
    best, done = {}, 0
    for n in range(rounds):
        for name, command in commands.items():
            machine = Machine(command)
            machine.run("until ip a show eth0 | grep -q 10.0.2.15; do sleep 0.1; done")
            for way, transfer in transfers.items():
                cpu = machine.cpu()
                machine.run(transfer)
                cpu = machine.cpu() - cpu
                done += 1
                while len(lines(log)) < done:
                    time.sleep(0.05)
                size, seconds = lines(log)[-1].split()[1:3]
                speed = int(size) / float(seconds) / 1e6
                per_gb = cpu / int(size) * 1e9
                print("%-6s %s %7.1f MB/s %7.2f CPU s/GB" % (name, way, speed, per_gb), flush=True)
                old = best.get((name, way), (0, 1e9))
                best[name, way] = (max(old[0], speed), min(old[1], per_gb))
            machine.end()
    for way in transfers:
        ours, theirs = best["rvkit", way], best["qemu", way]
        print("best of %d, %s: %.2f times as fast as QEMU, %.2f times its CPU per GB" %
              (rounds, way, ours[0] / theirs[0], ours[1] / theirs[1]))


main()
