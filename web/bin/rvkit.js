#!/usr/bin/env node
// SPDX-License-Identifier: MPL-2.0
// Boots a machine in this terminal: `npx rvkit -k Image -initrd initramfs.cpio`; -h explains.
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';

import { Machine, version } from '../src/index.js';
import { helpText, parseArguments } from './lib/options.js';
import { parseScript, playScript } from './lib/script.js';
import { Terminal } from './lib/terminal.js';

const FAILED = 1, USAGE = 2, VAIN = 3;

function say(line) {
    process.stderr.write(`rvkit: ${line}\n`);
}

function statusOf(error) {
    return error.code === 'vain' ? VAIN : ['usage', 'option'].includes(error.code) ? USAGE : FAILED;
}

function machineOptions(o) {
    return {
        memory: o.memory ?? '256M',
        harts: o.harts ?? 1,
        kernel: o.kernel,
        bios: o.bios,
        initrd: o.initrd,
        dtb: o.dtb,
        cmdline: o.cmdline,
        append: o.append.length ? o.append.join(' ') : undefined,
        drives: o.drives,
        net: o.nonet ? [] : o.nets,
        virtio: o.virtio,
        icount: o.icount,
    };
}

async function readScript(path) {
    const text = await readFile(path === '-' ? '/dev/stdin' : path, 'utf8').catch((error) => {
        throw new Error(`${path}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`);
    });
    return parseScript(text, path === '-' ? '(stdin)' : path);
}

/** Messages: those from while it is loaded come only if it is, since a failure is told in one line. */
class Messages {
    #waiting = [];
    #log;

    constructor(path) {
        this.#log = path ? createWriteStream(path) : process.stderr;
        this.#log.on('error', (error) => process.exitCode ??= error ? FAILED : 0);
    }

    add = (line) => {
        this.#waiting ? this.#waiting.push(line) : this.#log.write(`rvkit: ${line}\n`);
    };

    flow() {
        const waiting = this.#waiting ?? [];
        this.#waiting = null;
        waiting.forEach(this.add);
    }
}

/** A promise of the end: {status}, or an error. */
function whenOver(machine) {
    return new Promise((resolve, reject) => {
        machine.addEventListener('exit', ({ detail }) => resolve(detail.status ?? 0));
        machine.addEventListener('error', ({ detail }) => {
            machine.state === 'failed' ? reject(detail) : say(detail.message);
        });
    });
}

async function run(o) {
    const steps = o.script ? await readScript(o.script) : null;
    const machine = new Machine(machineOptions(o));
    const messages = new Messages(o.log);
    machine.addEventListener('log', ({ detail }) => messages.add(detail));
    machine.addEventListener('net', ({ detail }) => {
        if (!detail.up && detail.why) {
            messages.add(`the network is down: ${detail.why}`);
        }
    });
    const over = whenOver(machine);
    over.catch(() => {});
    const terminal = new Terminal(machine, { keyboard: !steps });
    try {
        await machine.start();
        if (o.dumpdtb) {
            await writeFile(o.dumpdtb, await machine.deviceTree());
        }
        messages.flow();
        o.notes.forEach((line) => say(`note: ${line}`));
        terminal.start();
        const ends = [over, terminal.quit];
        if (steps) {
            ends.push(playScript(steps, machine, over));
        }
        const status = await Promise.race(steps ? ends.slice(1) : ends);
        if (machine.state === 'off') {
            await terminal.drained;
        }
        return status;
    } finally {
        await machine.stop().catch((error) => say(error.message));
        terminal.close();
    }
}

async function main(args) {
    const o = parseArguments(args);
    if (o.help) {
        process.stdout.write(helpText());
    } else if (o.version) {
        process.stdout.write(`rvkit ${version}\n`);
    } else {
        return run(o);
    }
    return 0;
}

main(process.argv.slice(2)).catch((error) => {
    say(error.message);
    return statusOf(error);
}).then((status) => {
    // What was written to a pipe is not lost.
    process.exitCode = status;
    process.stdout.write('', () => process.stderr.write('', () => process.exit(status)));
});
