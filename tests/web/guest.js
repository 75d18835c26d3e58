// SPDX-License-Identifier: MPL-2.0
// What the tests share that boot the guest of guest/build.sh.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Machine } from '../../web/src/index.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));

if (!existsSync(`${root}/web/src/rvkit.wasm`)) {
    throw new Error('web/src/rvkit.wasm is missing: make web-engine');
}

const path = (part) => execFileSync(`${root}/guest/build.sh`, ['path', part], { encoding: 'utf8' }).trim();

export const guest = { kernel: path('kernel'), initrd: path('initramfs') };
export const PROMPT = '~# ';

/** Longer than anything takes on a busy computer: nothing is measured here. */
export const timeout = 60_000;

export const tick = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(condition) {
    for (const end = Date.now() + timeout; !await condition();) {
        assert.ok(Date.now() < end, `in vain: ${condition}`);
        await tick(10);
    }
}

/** What a command of the guest's shell prints. */
export async function ask(machine, command) {
    // The mark is not in what the shell echoes.
    await machine.send(`${command}; echo "<$((40+2))"\n`);
    const all = await machine.expect('<42', { timeout });
    await machine.expect(PROMPT, { timeout });
    return all.slice(all.indexOf('\n') + 1, -3).replaceAll('\r', '');
}

/** Runs fn with a machine at its prompt. */
export async function withMachine(options, fn) {
    const machine = new Machine({ ...guest, memory: '64M', ...options });
    try {
        await machine.start();
        await machine.expect(PROMPT, { timeout });
        return await fn(machine);
    } finally {
        await machine.stop();
    }
}
