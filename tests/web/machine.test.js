// SPDX-License-Identifier: MPL-2.0
// Machines with the real engine and the real guest, in Node.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';

import { Machine, RvkitError, attachTerminal } from '../../web/src/index.js';
import { ask, guest, PROMPT, tick, timeout, until, withMachine } from './guest.js';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

const has = (code, pattern = /./) => (error) =>
    error instanceof RvkitError && error.code === code && pattern.test(error.message) &&
    !error.message.includes('\n') || assert.fail(`${error.code}: ${error.message}`);

function states(machine) {
    const seen = [];
    machine.addEventListener('state', ({ detail }) => seen.push(detail));
    return seen;
}

describe('a machine', { concurrency: 1 }, () => {
    for (const worker of [true, false]) {
        it(`boots to a prompt ${worker ? 'in a worker' : 'in this thread'}`, async () => {
            const machine = new Machine({ ...guest, worker, append: 'mark=1' });
            const seen = states(machine);
            const progress = [];
            machine.addEventListener('progress', ({ detail }) => progress.push(detail));
            assert.equal(machine.state, 'new');
            await Promise.all([machine.start(), machine.start()]);
            await machine.expect(PROMPT, { timeout });
            assert.match(await ask(machine, 'uname -sm'), /^Linux riscv32\n/);
            assert.match(await ask(machine, 'cat /proc/cmdline'), /console=ttyS.* mark=1\n/);
            const stats = await machine.stats();
            assert.ok(stats.instructions > 1e6 && stats.guestTime > 0 && stats.wasmMemory >= 2 ** 27);
            await machine.stop();
            await machine.stop();
            assert.deepEqual(seen, ['loading', 'running', 'off']);
            const size = readFileSync(guest.kernel).length;
            assert.deepEqual(progress.filter(({ what }) => what === 'kernel').at(-1),
                { what: 'kernel', loaded: size, total: size });
            await assert.rejects(machine.start(), has('state'));
            await assert.rejects(machine.send('x'), has('off'));
            await assert.rejects(machine.expect('x', { timeout }), has('off'));
        });
    }

    it('takes its files from anywhere, gzipped or not', async () => {
        const kernel = new Blob([gzipSync(readFileSync(guest.kernel))]).stream();
        const initrd = new Blob([readFileSync(guest.initrd)]);
        await withMachine({ kernel, initrd, harts: 2 }, async (machine) => {
            assert.equal(await ask(machine, 'nproc'), '2\n');
        });
    });

    it('takes a paste of 1 MiB, whole', async () => {
        await withMachine({}, async (machine) => {
            const text = randomBytes(1 << 20).toString('base64').slice(0, 1 << 20).replace(/.{63}/g, '$&\n')
                .slice(0, 1 << 20);
            await machine.send('stty -echo; cat >/tmp/paste; sha256sum /tmp/paste; stty echo\n');
            await tick(200);
            await machine.send(`${text}\n\x04`);
            const all = await machine.expect(/[0-9a-f]{64}/, { timeout });
            assert.equal(all.slice(-64), sha256(`${text}\n`));
        });
    });

    it('keeps characters whole, however they are cut', async () => {
        await withMachine({}, async (machine) => {
            const text = '日本語 🐧🦀 ünïcödé'.repeat(15); // a line of the shell has at most 1023 bytes
            await machine.send(`cat <<'EOF'\n${text}\nEOF\n`);
            await machine.expect(`${text}\r\n`, { timeout });
        });
    });

    it('has time that stands still in a pause', async () => {
        await withMachine({}, async (machine) => {
            await machine.pause();
            const { guestTime } = await machine.stats();
            await tick(100);
            assert.equal((await machine.stats()).guestTime, guestTime);
            await machine.start();
            assert.ok((await machine.stats()).guestTime >= guestTime);
        });
    });

    it('pauses and goes on', async () => {
        await withMachine({}, async (machine) => {
            const seen = states(machine);
            // The shell leaves its line editor, in which ^C is a key as others, before it does anything.
            await machine.send('echo be""gun; while :; do :; done\n');
            await machine.expect('begun', { timeout });
            await machine.pause();
            await machine.pause();
            const { instructions } = await machine.stats();
            await tick(50);
            assert.equal((await machine.stats()).instructions, instructions);
            await machine.start();
            await until(async () => (await machine.stats()).instructions > instructions);
            await machine.send('\x03');
            await machine.expect(PROMPT, { timeout });
            assert.deepEqual(seen, ['paused', 'running']);
        });
    });

    it('is reset, and boots again', async () => {
        await withMachine({}, async (machine) => {
            await ask(machine, 'echo was here >/tmp/mark');
            await machine.reset();
            await machine.expect(PROMPT, { timeout });
            assert.match(await ask(machine, 'ls /tmp/mark'), /No such file/);
            await machine.pause();
            await machine.reset();
            assert.equal(machine.state, 'running');
            await machine.expect(PROMPT, { timeout });
        });
    });

    it('tells when the guest powers off, with its last words, and runs again after a reset', async () => {
        await withMachine({}, async (machine) => {
            const exit = new Promise((resolve) => machine.addEventListener('exit', resolve));
            const reading = new Response(machine.consoles[0].readable).text();
            const vain = assert.rejects(machine.expect('never', { timeout }), has('off'));
            await machine.send('poweroff -f\n');
            assert.deepEqual((await exit).detail, { status: null });
            assert.equal(machine.state, 'off');
            assert.match(await reading, /reboot: Power down\r\n$/);
            await vain;
            await assert.rejects(machine.send('x'), has('off'));
            await assert.rejects(machine.start(), has('state', /reset/));
            await machine.reset();
            await machine.expect(PROMPT, { timeout });
            assert.match(await ask(machine, 'echo again'), /^again\n/);
        });
    });

    it('has streams: the guest waits for who reads slowly', async () => {
        await withMachine({}, async (machine) => {
            const [console] = machine.consoles;
            const reader = console.readable.getReader();
            const writer = console.writable.getWriter();
            await writer.write("i=0; while [ $i -lt 6000 ]; do echo line $i of many that are printed; i=$((i+1)); " +
                'done; echo th"e e"nd\n');
            let text = '';
            while (!text.includes('the end')) {
                const { value } = await reader.read();
                text += Buffer.from(value).toString();
                await tick(text.length % 3);
            }
            const lines = [...text.matchAll(/line (\d+) of many that are printed\r\n/g)].map(([, n]) => Number(n));
            assert.deepEqual(lines, Array.from({ length: 6000 }, (_, i) => i));
            await reader.cancel();
            assert.notEqual(console.readable, undefined);
        });
    });

    it('waits for text, in order, and no longer than it is told', async () => {
        await withMachine({}, async (machine) => {
            await machine.send('echo one; echo two; echo three\n');
            const [a, b] = await Promise.all([machine.expect('two\r\n', { timeout }),
                machine.expect(/thr(e+)\r\n/, { timeout })]);
            assert.ok(a.endsWith('two\r\n') && b === 'three\r\n');
            await assert.rejects(machine.expect('never', { timeout: 20 }), has('timeout', /"never"/));
            const controller = new AbortController();
            const waiting = machine.expect('never', { timeout, signal: controller.signal });
            setTimeout(() => controller.abort(), 10);
            await assert.rejects(waiting, has('aborted'));
            assert.match(await ask(machine, 'echo still there'), /^still there\n/);
        });
    });

    it('has streams that may be used again', async () => {
        await withMachine({}, async (machine) => {
            const [console] = machine.consoles;
            for (const word of ['once', 'twice']) {
                await new Blob([`echo $((6*7)) ${word}\n`]).stream().pipeTo(console.writable);
                await machine.expect(`42 ${word}`, { timeout });
            }
            await machine.send('poweroff -f\n');
            await until(() => machine.state === 'off');
            await assert.rejects(console.writable.getWriter().write('x'), has('off'));
            await machine.reset();
            await machine.expect(PROMPT, { timeout });
            await console.writable.getWriter().write('echo $((7*7))\n');
            await machine.expect('49', { timeout });
        });
    });

    it('has a limited number of viewers; who comes too late hears so', async () => {
        await withMachine({}, async (machine) => {
            const ends = [];
            const viewers = Array.from({ length: 40 }, () => machine.consoles[0].attach());
            for (const viewer of viewers) {
                viewer.onend = (error) => ends.push(error);
            }
            await until(() => ends.length);
            assert.ok(ends.every(has('state', /no room/)));
            viewers.forEach((viewer) => viewer.close());
            assert.equal(await ask(machine, 'echo $((6*7))'), '42\n');
        });
    });

    it('is of no use after the end, and says so at once', async () => {
        const machine = new Machine(guest);
        await machine.start();
        await machine.stop();
        const begun = Date.now();
        await assert.rejects(machine.expect('x', { timeout }), has('off'));
        await assert.rejects(new Response(machine.consoles[0].readable).text(), has('off'));
        assert.ok(Date.now() - begun < timeout / 2);
    });

    it('does not wait for what is before in the queue when it is aborted', async () => {
        await withMachine({}, async (machine) => {
            const controller = new AbortController();
            const first = machine.expect('never', { timeout: Infinity });
            first.catch(() => {});
            const second = machine.expect('nor this', { timeout: Infinity, signal: controller.signal });
            setTimeout(() => controller.abort(), 20);
            await assert.rejects(second, has('aborted'));
            await assert.rejects(machine.expect('x', { signal: AbortSignal.abort() }), has('aborted'));
        });
    });

    it('warns of a kernel that looks like none, and runs it', async () => {
        const machine = new Machine({ memory: '16M', kernel: new Uint8Array(4096) });
        const warnings = [];
        machine.addEventListener('warning', ({ detail }) => warnings.push(detail));
        await machine.start();
        assert.equal(machine.state, 'running');
        assert.equal(warnings.length, 1);
        assert.ok(has('flat', /^kernel: is neither/)(warnings[0]));
        await machine.stop();
        await withMachine({}, async (other) => {
            other.addEventListener('warning', () => assert.fail('of a kernel'));
            await other.stats();
        });
    });

    it('has a device tree and a screen as text', async () => {
        await withMachine({}, async (machine) => {
            assert.deepEqual([...(await machine.deviceTree()).subarray(0, 4)], [0xd0, 0x0d, 0xfe, 0xed]);
            await ask(machine, 'clear; echo on the screen');
            assert.match(await machine.consoles[0].screen(), /on the screen/);
        });
    });
});

/* --- Terminals --- */

/** What attachTerminal() uses of xterm.js. write() is as slow as `delay` says. */
class FakeTerminal {
    cols = 90;
    rows = 30;
    text = '';
    delay = 0;
    waiting = 0;
    most = 0;
    listeners = {};
    parser = { registerOscHandler: (code) => this.#on(`osc${code}`) };
    onData = (fn) => this.#on('data', fn);
    onBinary = (fn) => this.#on('binary', fn);
    onResize = (fn) => this.#on('resize', fn);
    #decoder = new TextDecoder();

    #on(type, fn) {
        this.listeners[type] = fn ?? true;
        return { dispose: () => delete this.listeners[type] };
    }

    write(data, done) {
        assert.ok(data instanceof Uint8Array && data.length <= 65536);
        this.most = Math.max(this.most, ++this.waiting);
        setTimeout(() => {
            this.waiting--;
            this.text += this.#decoder.decode(data, { stream: true });
            done();
        }, this.delay);
    }

    resize(cols, rows) {
        Object.assign(this, { cols, rows });
        this.listeners.resize?.({ cols, rows });
    }
}

describe('a terminal', { concurrency: 1 }, () => {
    it('is copied into the console and back, no faster than it can', async () => {
        const machine = new Machine({ ...guest, memory: '64M' });
        const terminal = new FakeTerminal();
        terminal.delay = 3;
        const attached = attachTerminal(terminal, machine.consoles[0]);
        try {
            await machine.start();
            await until(() => terminal.text.includes(PROMPT));
            terminal.listeners.data('P=$(printf "\\360\\237\\220\\247"); i=0; while [ $i -lt 3000 ]; ' +
                'do echo $P $i; i=$((i+1)); done; echo fin""ished\r');
            await until(() => terminal.text.includes('finished\r\n'));
            const lines = [...terminal.text.matchAll(/^🐧 (\d+)\r\n/gmu)].map(([, n]) => Number(n));
            assert.deepEqual(lines, Array.from({ length: 3000 }, (_, i) => i), terminal.text.slice(-500));
            assert.equal(terminal.most, 1, 'chunks on the way');
            terminal.listeners.data('stty -echo raw; head -c 3 | od -An -tx1; stty sane\r');
            await tick(300);
            terminal.listeners.binary('\xff\x80\x01');
            await until(() => terminal.text.includes(' ff 80 01'));
        } finally {
            attached.dispose();
            assert.deepEqual(Object.keys(terminal.listeners), []);
            await machine.stop();
        }
    });

    it('has a title, a bell, the clipboard and a size', async () => {
        const machine = new Machine({ ...guest, memory: '64M', consoles: ['serial', 'virtio'] });
        const [serial, hvc] = machine.consoles;
        const terminal = new FakeTerminal();
        const other = new FakeTerminal();
        const titles = [];
        const asked = [];
        let bells = 0;
        const ends = [attachTerminal(terminal, serial, {
            onTitle: (title) => titles.push(title),
            onBell: () => bells++,
            clipboard: (request) => {
                asked.push(request);
                return false;
            },
        }), attachTerminal(other, hvc)];
        try {
            await machine.start();
            await machine.expect(PROMPT, { timeout });
            await machine.send("printf '\\033]2;a t\\303\\257tle\\a\\a\\033]52;c;aMOp\\a\\033]52;c;?\\a'\n");
            await until(() => titles.length && bells && asked.length === 2);
            assert.deepEqual(titles, ['a tïtle']);
            assert.equal(serial.title, 'a tïtle');
            assert.deepEqual(asked.sort((a, b) => a.action < b.action ? -1 : 1),
                [{ action: 'read' }, { action: 'write', text: 'hé' }]);
            await machine.expect(PROMPT, { timeout });
            other.resize(101, 37);
            await until(async () => (await ask(machine, 'stty size </dev/hvc0')) === '37 101\n');
            hvc.resize(66, 22);
            await until(() => other.cols === 66 && other.rows === 22);
            await until(async () => (await ask(machine, 'stty size </dev/hvc0')) === '22 66\n');
            assert.deepEqual([hvc.cols, hvc.rows], [66, 22]);
        } finally {
            ends.forEach((end) => end.dispose());
            await machine.stop();
        }
    });
});

/* --- Displays --- */

class FakeCanvas {
    width = 1;
    height = 1;
    rects = [];
    getContext = () => ({
        putImageData: (image, x, y) => this.rects.push({ x, y, width: image.width, height: image.height }),
        clearRect: () => {},
    });
}

describe('a display', { concurrency: 1 }, () => {
    it('comes as rectangles, first all of it, and as a picture', async () => {
        const display = { type: 'framebuffer', width: 640, height: 480 };
        await withMachine({ display, append: 'console=tty0' }, async (machine) => {
            const [screen] = machine.displays;
            const modes = [];
            const canvas = new FakeCanvas();
            screen.addEventListener('mode', ({ detail }) => modes.push(detail));
            const detach = screen.attach(canvas);
            await until(() => canvas.rects.length);
            assert.deepEqual(modes, [{ width: 640, height: 480 }]);
            assert.deepEqual([canvas.width, canvas.height], [640, 480]);
            const area = canvas.rects.reduce((sum, { width, height }) => sum + width * height, 0);
            assert.ok(area >= 640 * 480);
            await ask(machine, 'dd if=/dev/urandom of=/dev/fb0 bs=2560 count=480 2>/dev/null');
            await until(async () => { // the screen is looked at now and then
                const { data, width, height } = await screen.screenshot();
                assert.deepEqual([width, height, data.length], [640, 480, 640 * 480 * 4]);
                return new Set(data).size > 200;
            });
            const late = new FakeCanvas();
            detach();
            screen.attach(late);
            await until(() => late.rects.length);
        });
    });
});

/* --- Disks --- */

describe('disks', { concurrency: 1 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'rvkit-machine-'));
    after(() => rmSync(folder, { recursive: true }));

    async function read(stream) {
        return Buffer.from(await new Response(stream).arrayBuffer());
    }

    it('are written and read back, by guest and page', async () => {
        const image = randomBytes(1 << 20);
        const drives = ['blank:4M', { source: new Uint8Array(image), readOnly: true }];
        await withMachine({ drives }, async (machine) => {
            assert.equal(await ask(machine, 'sha256sum </dev/vdb'), `${sha256(image)}  -\n`);
            await ask(machine, 'dd if=/dev/vdb of=/dev/vda bs=64k seek=16; sync');
            const whole = await read(machine.drives[0].export());
            assert.equal(whole.length, 4 << 20);
            assert.ok(whole.subarray(1 << 20, 2 << 20).equals(image));
            assert.deepEqual(machine.drives.map(({ readOnly }) => readOnly), [false, true]);
            const { drives: [stats] } = await machine.stats();
            assert.ok(stats.bytesWritten >= 1 << 20 && stats.errors === 0);
        });
    });

    it('keep changes beside the image, for the next machine', async () => {
        const source = join(folder, 'base.img');
        const persist = join(folder, 'changes.cow');
        writeFileSync(source, randomBytes(1 << 20));
        const before = sha256(readFileSync(source));
        await withMachine({ drives: [{ source, persist }] }, async (machine) => {
            await ask(machine, 'echo kept across machines | dd of=/dev/vda conv=notrunc 2>/dev/null; sync');
        });
        assert.equal(sha256(readFileSync(source)), before);
        await withMachine({ drives: [{ source, persist }] }, async (machine) => {
            assert.match(await ask(machine, 'head -n 1 /dev/vda'), /^kept across machines/);
        });
    });

    it('may be a store of the caller, which is slow, and fails', async () => {
        const bytes = new Uint8Array(1 << 20);
        const store = {
            size: bytes.length, readOnly: false, calls: 0, broken: false, closed: false,
            async read(offset, into) {
                this.calls++;
                await tick(1);
                if (this.broken) {
                    throw new Error('it is broken');
                }
                into.set(bytes.subarray(offset, offset + into.length));
            },
            async write(offset, data) {
                await tick(1);
                bytes.set(data, offset);
            },
            async flush() {
                return () => 'nobody can be sent this';
            },
            close() {
                this.closed = true;
            },
        };
        const errors = [];
        await withMachine({ drives: [store] }, async (machine) => {
            machine.addEventListener('error', ({ detail }) => errors.push(detail));
            await ask(machine, 'echo hello >/tmp/x; dd if=/tmp/x of=/dev/vda conv=sync 2>/dev/null; sync');
            assert.equal(Buffer.from(bytes.subarray(0, 5)).toString(), 'hello');
            store.broken = true;
            assert.match(await ask(machine, 'dd if=/dev/vda of=/dev/null bs=4k skip=200 count=1'), /I\/O error/);
            assert.equal(machine.state, 'running');
        });
        assert.ok(store.calls > 0 && store.closed);
        assert.equal(errors.length, 1);
        assert.ok(has('disk', /it is broken/)(errors[0]));
    });

    it('do not keep a machine from ending', async () => {
        const store = {
            size: 1 << 20, readOnly: false, read() {}, write() {}, close() {},
            flush: () => new Promise(() => {}),
        };
        const machine = new Machine({ ...guest, drives: [store] });
        await machine.start();
        const late = assert.rejects(machine.stop({ timeout: 200 }), has('timeout', /did not finish within 0.2 s/));
        await assert.rejects(machine.reset(), has('state'));
        await assert.rejects(machine.start(), has('state'));
        await assert.rejects(machine.pause(), has('state'));
        await late;
        assert.equal(machine.state, 'off');
        await assert.rejects(machine.stats(), has('off'));
    });

    it('are let go of by a machine in this thread that failed', async () => {
        const source = join(folder, 'locked.img');
        writeFileSync(source, new Uint8Array(1 << 20));
        const failing = new Machine({ ...guest, worker: false, kernel: '/does/not/exist', drives: [source] });
        await assert.rejects(failing.start(), has('file'));
        const stopped = new Machine({ ...guest, worker: false, drives: [source] });
        const starting = assert.rejects(stopped.start(), has('aborted'));
        await stopped.stop();
        await starting;
        await withMachine({ drives: [source] }, async (machine) => {
            assert.equal(await ask(machine, 'head -c 1 /dev/vda | wc -c'), '1\n');
        });
    });

    it('say why they cannot be opened', async () => {
        const machine = new Machine({ ...guest, drives: [join(folder, 'nothing.img')] });
        await assert.rejects(machine.start(), (error) =>
            error instanceof RvkitError && /nothing\.img/.test(error.message));
        assert.equal(machine.state, 'failed');
    });
});

/* --- Shares --- */

describe('a share', { concurrency: 1 }, () => {
    for (const fs of ['9p', 'virtiofs']) {
        it(`has the same files in the guest and here (${fs})`, async () => {
            const shares = [{ tag: 'here', fs, limit: '16M' }];
            await withMachine({ shares }, async (machine) => {
                const [files] = machine.files;
                const options = fs === '9p' ? '-t 9p -o trans=virtio,version=9p2000.L' : '-t virtiofs';
                await ask(machine, `mkdir -p /tmp/m; mount ${options} here /tmp/m; cd /tmp/m; PS1='~# '`);
                const data = randomBytes(3_000_000);
                const told = [];
                await files.mkdir('dir');
                await files.write('dir/data.gz', new Blob([gzipSync(data)]), {
                    mode: 0o600, onprogress: (progress) => told.push(progress),
                });
                assert.ok(told.at(-1).loaded > 3_000_000);
                assert.equal(await ask(machine, 'zcat dir/data.gz | sha256sum'), `${sha256(data)}  -\n`);
                let changes = 0;
                files.addEventListener('change', () => changes++);
                await ask(machine, 'zcat dir/data.gz | head -c 2000000 >dir/b; echo hi >"a b"; ln -s dir link; sync');
                await until(() => changes);
                assert.equal(sha256(await files.read('dir/b')), sha256(data.subarray(0, 2_000_000)));
                const list = (await files.list()).map(({ name, path, type, size }) => [name, path, type, size]);
                assert.deepEqual(list.find(([name]) => name === 'a b'), ['a b', 'a b', 'file', 3]);
                assert.deepEqual(list.map(([, , type]) => type).sort(), ['directory', 'file', 'symlink']);
                const { path, mode, mtime, size } = await files.stat('/dir//data.gz');
                assert.deepEqual([path, mode], ['dir/data.gz', 0o600]);
                assert.ok(Math.abs(mtime - Date.now()) < 3.6e6 && size > 3_000_000);
                await files.write('dir/data.gz', 'data:,ho');
                assert.equal((await files.stat('dir/data.gz')).mode, 0o600);
                await files.rename('a b', 'dir/c');
                assert.equal(await ask(machine, 'cat dir/c dir/data.gz'), 'hi\nho');
                const no = (errno) => (error) => has('file')(error) && error.errno === errno;
                await assert.rejects(files.read('nothing'), no('ENOENT'));
                await assert.rejects(files.read('dir'), no('EISDIR'));
                await assert.rejects(files.list('dir/b'), no('ENOTDIR'));
                await assert.rejects(files.remove('dir'), no('ENOTEMPTY'));
                await assert.rejects(files.mkdir('dir'), no('EEXIST'));
                await assert.rejects(files.write('../x', new Blob(['x'])), no('EINVAL'));
                await assert.rejects(files.write('big', new Blob([new Uint8Array(20 << 20).fill(1)])), no('ENOSPC'));
                assert.equal((await files.list()).length, 2, 'nothing is left of what did not fit');
                await files.remove('dir', { recursive: true });
                assert.equal(await ask(machine, 'ls | cat'), 'link\n');
                assert.equal((await files.space()).limit, 16 << 20);
                // A guest that remembers a file by its node has its room until it forgets it.
                await ask(machine, 'cd /; echo 3 >/proc/sys/vm/drop_caches');
                await until(async () => (await files.space()).used < 1 << 20);
            });
        });
    }
});

/* --- Networks --- */

describe('networks', { concurrency: 1 }, () => {
    it('join two machines over a channel', async () => {
        const net = { type: 'broadcast', channel: `test-${process.pid}` };
        await withMachine({ net }, async (a) => {
            await withMachine({ net }, async (b) => {
                await ask(a, 'ifconfig eth0 10.9.0.1 netmask 255.255.255.0 up');
                await ask(b, 'ifconfig eth0 10.9.0.2 netmask 255.255.255.0 up');
                assert.match(await ask(a, 'ping -c 3 -w 60 10.9.0.2'), / 3 packets received/);
                const [stats] = (await a.stats()).net;
                assert.ok(stats.up && stats.rxFrames >= 3 && stats.txFrames >= 3);
            });
        });
    });

    it('may be a link of the caller', async () => {
        let receive;
        let setUp;
        const sent = [];
        const link = {
            open: (take, up) => {
                receive = take;
                setUp = up;
            },
            send: (frame) => {
                sent.push(frame);
                return frame[12] !== 8 || frame[13] !== 6; // ARP is dropped
            },
            close: () => sent.push('closed'),
        };
        await withMachine({ net: { type: 'custom', link, mac: '02:00:00:00:00:77' } }, async (machine) => {
            const told = [];
            machine.addEventListener('net', ({ detail }) => told.push(detail));
            assert.equal(await ask(machine, 'cat /sys/class/net/eth0/address'), '02:00:00:00:00:77\n');
            await ask(machine, 'ifconfig eth0 10.9.1.1 up');
            setUp(true);
            await until(async () => (await ask(machine, 'cat /sys/class/net/eth0/carrier')) === '1\n');
            assert.deepEqual(told, [{ index: 0, up: true, why: undefined }]);
            await machine.send('ping -c 1 -w 1 10.9.1.2\n');
            await until(() => sent.some((frame) => frame[12] === 8 && frame[13] === 6)); // ARP
            receive(new Uint8Array(60).fill(0xff, 0, 6));
            await until(async () => (await machine.stats()).net[0].rxFrames === 1);
            assert.ok((await machine.stats()).net[0].dropped >= 1);
        });
        await until(() => sent.at(-1) === 'closed');
    });
});

/* --- What goes wrong --- */

describe('a machine that cannot be', { concurrency: 1 }, () => {
    let server;
    let base;

    before(async () => {
        const kernel = readFileSync(guest.kernel);
        server = createServer((request, response) => {
            if (request.url === '/short') {
                response.setHeader('content-length', kernel.length);
                response.write(kernel.subarray(0, 1 << 20));
                setTimeout(() => response.destroy(), 20);
            } else if (request.url === '/slow') {
                response.setHeader('content-length', kernel.length);
                response.write(kernel.subarray(0, 1000));
            } else {
                response.statusCode = 404;
                response.end();
            }
        });
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        base = `http://127.0.0.1:${server.address().port}`;
    });

    after(() => {
        server.closeAllConnections();
        server.close();
    });

    /** start() and whoever waits are told the same; nothing hangs. */
    async function fails(options, check) {
        const machine = new Machine({ ...guest, ...options });
        const errors = [];
        machine.addEventListener('error', ({ detail }) => errors.push(detail));
        const waiting = assert.rejects(machine.expect(PROMPT, { timeout }), (error) => error instanceof RvkitError);
        // What was typed for a machine that is there already was taken, even if it never runs.
        const writing = machine.send('x').catch((error) => assert.ok(error instanceof RvkitError));
        await assert.rejects(machine.start(), check);
        await Promise.all([waiting, writing]);
        assert.equal(machine.state, 'failed');
        assert.equal(errors.length, 1);
        assert.equal(machine.error, errors[0]);
        await assert.rejects(machine.start(), check);
        await machine.stop();
        assert.equal(machine.state, 'failed');
    }

    const gzip = gzipSync(readFileSync(guest.initrd));
    const truncatedElf = readFileSync(guest.kernel).subarray(0, 64);
    truncatedElf.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
    const emptyModule = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const cases = {
        'a file is not there': [{ kernel: '/does/not/exist' }, 'file', /no such file/],
        'a server has none': [() => ({ kernel: `${base}/nothing` }), 'http', /HTTP 404/],
        'a download breaks off': [() => ({ kernel: `${base}/short` }), 'truncated', /short/],
        'gzip data is incomplete': [{ initrd: new Blob([gzip.subarray(0, 1e5)]) }, 'gzip'],
        'the kernel is a script': [{ kernel: new Blob(['#!/bin/sh\nexit\n'.repeat(20)]) }, 'load'],
        'the kernel is a broken ELF': [{ kernel: new Uint8Array(truncatedElf) }, 'load'],
        'the initrd is larger than the RAM': [{ memory: '1M', kernel: new Uint8Array(4096),
            initrd: new Uint8Array(2 << 20) }, 'too-large'],
        'the initrd does not fit beside the kernel': [{ memory: '8M' }, 'load'],
        'the kernel is a web page': [{ kernel: new Blob(['\n<!doctype html>\n', 'x'.repeat(9999)]) }, 'load', /web page/],
        'the engine is not there': [{ wasm: '/does/not/exist.wasm' }, 'wasm'],
        'the engine is no WebAssembly': [{ wasm: new Uint8Array(100).buffer }, 'wasm'],
        'the engine is another program': [{ wasm: emptyModule.buffer }, 'wasm', /does not fit/],
        'the network is no address': [{ net: { type: 'websocket', url: 'http://[' } }, 'option'],
    };
    for (const [name, [options, code, pattern]] of Object.entries(cases)) {
        it(`fails with one line when ${name}`, async () => {
            await fails(typeof options === 'function' ? options() : options, has(code, pattern));
        });
    }

    it('is aborted while it is loaded', async () => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), 100);
        await fails({ kernel: `${base}/slow`, signal: controller.signal }, has('aborted'));
    });

    it('is stopped while it is loaded', async () => {
        const machine = new Machine({ ...guest, kernel: `${base}/slow` });
        const starting = assert.rejects(machine.start(), has('aborted'));
        await tick(100);
        await machine.stop();
        await starting;
        assert.equal(machine.state, 'failed');
    });

    it('is aborted while it runs: it stops', async () => {
        const controller = new AbortController();
        const machine = new Machine({ ...guest, signal: controller.signal });
        await machine.start();
        controller.abort();
        await until(() => machine.state === 'off');
    });

    it('says that its worker died', async () => {
        const { postMessage } = Worker.prototype;
        let worker;
        Worker.prototype.postMessage = function (...args) {
            worker = this;
            return postMessage.apply(this, args);
        };
        try {
            const machine = new Machine(guest);
            await machine.start();
            const waiting = machine.expect('never', { timeout });
            const stats = machine.stats();
            const reading = new Response(machine.consoles[0].readable).text();
            worker.terminate();
            await assert.rejects(waiting, has('worker', /died/));
            await stats.catch(has('worker'));
            await assert.rejects(reading);
            assert.equal(machine.state, 'failed');
            await assert.rejects(machine.reset(), has('worker'));
            await machine.stop();
        } finally {
            Worker.prototype.postMessage = postMessage;
        }
    });

    it('leaves nothing behind that keeps Node alive', async () => {
        // What the machines of this file left would keep this process from ending; the runner waits for it.
        const machine = new Machine(guest);
        await machine.start();
        await machine.stop();
        assert.equal(machine.state, 'off');
    });
});
