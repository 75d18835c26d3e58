// SPDX-License-Identifier: MPL-2.0
// Guests other than the usual one, and what a machine of a given size takes: in Node.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { Machine } from '../../web/src/index.js';
import { ask, guest, PROMPT, root, timeout, withMachine } from './guest.js';

const MIB = 1 << 20;

/* --- Firmware alone: tests/boot/small_os.c --- */

describe('an operating system that is firmware', { concurrency: 1 }, () => {
    const os = 'build/tests/boot/small_os.elf';
    execFileSync('make', ['--no-print-directory', '-s', os], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });

    /** What small_os makes of 1 KiB. */
    const sum = (bytes) => bytes.reduce((all, byte) => (Math.imul(all, 31) + byte) >>> 0, 0).toString(16);

    for (const [worker, harts] of [[true, 1], [false, 2]]) {
        it(`drives a legacy disk and the UART by interrupts, ${worker ? 'in a worker' : 'here, with two harts'}`,
            async () => {
                const image = randomBytes(64 * 1024);
                const machine = new Machine({ bios: `${root}/${os}`, drives: [{ source: new Uint8Array(image),
                    ephemeral: true }], virtio: 'legacy', memory: '16M', worker, harts });
                const exit = new Promise((resolve) => machine.addEventListener('exit', resolve));
                try {
                    await machine.start();
                    const said = (await machine.expect('$ ', { timeout })).replaceAll('\r', '');
                    const block = (n) => image.subarray(1024 * n, 1024 * (n + 1));
                    const turned = block(0).map((byte) => 255 - byte);
                    assert.equal(said, `small_os\npaging: Sv32\nblock 1: ${sum(block(1))}\n` +
                        `block 0: ${sum(block(0))}\nblock 5: ${sum(turned)}\nticking\n$ `);
                    const { drives: [{ reads, writes, errors }] } = await machine.stats();
                    assert.deepEqual([reads, writes, errors], [3, 1, 0]);
                    const whole = Buffer.from(await new Response(machine.drives[0].export()).arrayBuffer());
                    turned.copy(image, 5 * 1024);
                    assert.ok(whole.equals(image), 'block 5 is written, and nothing else');
                    await machine.send('hello\r');
                    assert.match(await machine.expect('$ ', { timeout }), /^hello\r\nyou typed 5: hello\r\n/);
                    await machine.send('off\r');
                    await exit;
                    assert.equal(machine.state, 'off');
                } finally {
                    await machine.stop();
                }
            });
    }
});

/* --- Sizes --- */

describe('a machine of a size', { concurrency: 1 }, () => {
    it('has four harts that take turns', () => withMachine({ memory: '64M', harts: 4 }, async (machine) => {
        await ask(machine, 'stty cols 999'); // so that no line is broken where it is typed
        assert.equal(await ask(machine, 'nproc'), '4\n');
        assert.equal(await ask(machine, 'for i in 0 1 2 3; do taskset $((1 << i)) ' +
            "awk '{print $39}' /proc/self/stat; done"), '0\n1\n2\n3\n');
        // All four have something to do, and the shell answers.
        await ask(machine, 'for i in 1 2 3 4; do (while :; do :; done) & done; sleep 2');
        assert.equal(await ask(machine, "grep -c '^cpu[0-9] [0-9]..' /proc/stat"), '4\n');
        assert.equal(await ask(machine, "dmesg | grep -iE 'rcu.*(stall|self-det)|lockup|hung'"), '');
    }));

    it('takes its RAM and less than 40 MiB more', () => withMachine({ memory: '128M' }, async (machine) => {
        await ask(machine, 'dd if=/dev/zero of=/tmp/full bs=1M count=90 2>/dev/null; rm /tmp/full');
        const { wasmMemory } = await machine.stats();
        assert.ok(wasmMemory >= 128 * MIB && wasmMemory < 168 * MIB, `${wasmMemory}`);
    }));
});
