// SPDX-License-Identifier: MPL-2.0
// The first console on this terminal: raw, with keys behind Ctrl-A, as native rvkit has it.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

import { RvkitError } from '../../src/errors.js';

const CTRL_A = 1;
const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'];

const HELP = [
    'Ctrl-A x  exit rvkit             Ctrl-A r    reset the machine',
    'Ctrl-A p  pause, and go on       Ctrl-A l    draw the screen again',
    'Ctrl-A s  screenshot into a file Ctrl-A a    send Ctrl-A (also Ctrl-A Ctrl-A)',
    'Ctrl-A h  this help',
];

/** What programs of the guest may have left on: colours, a hidden cursor, the mouse, bracketed paste. */
const SOBER = '\x1b[0m\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?2004l';

export class Terminal {
    #machine;
    #viewer;
    #keyboard;
    #prefix = false;
    #raw = false;
    #leaving = false; // by Ctrl-A x: the guest's cursor was somewhere in a line
    #quit;
    #fail;
    #onSize = () => this.#size();
    #onSignal = (signal, number) => {
        this.#restore();
        process.removeListener(signal, this.#onSignal);
        this.#quit(128 + number);
    };

    /** keyboard: what is typed (or comes from a pipe) goes to the guest. */
    constructor(machine, { keyboard }) {
        this.#machine = machine;
        this.#keyboard = keyboard;
        /** A promise of the exit status when the person, or a signal, ends it; or of an error. */
        this.quit = new Promise((resolve, reject) => {
            this.#quit = resolve;
            this.#fail = reject;
        });
        this.quit.catch(() => {});
        this.#viewer = machine.consoles[0].attach({ kind: 'terminal' });
        this.#viewer.ondata = (data) => new Promise((resolve) => process.stdout.write(data, () => resolve()));
        /** Ended when the machine is off and everything is written. */
        this.drained = new Promise((resolve) => {
            this.#viewer.onend = () => resolve();
        });
        process.stdout.on('error', (error) =>
            this.#fail(new RvkitError('output', `the output cannot be written: ${error.code ?? error.message}`)));
    }

    start() {
        SIGNALS.forEach((signal) => process.on(signal, this.#onSignal));
        if (process.stdout.isTTY) {
            process.stdout.on('resize', this.#onSize);
            this.#size();
        }
        if (!this.#keyboard) {
            return;
        }
        if (process.stdin.isTTY) {
            process.stdin.setRawMode(true);
            // Node leaves "new line" turned into "carriage return, new line", which is the guest's to say.
            spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
            this.#raw = true;
            process.stdin.on('data', (data) => this.#keys(data));
        } else {
            this.#pipe().catch(() => {}); // the machine is off
        }
    }

    #size() {
        const { columns, rows } = process.stdout;
        if (columns && rows) {
            this.#viewer.resize(columns, rows);
        }
    }

    /** From a file or a pipe: as fast as the guest takes it. */
    async #pipe() {
        for await (const data of process.stdin) {
            await this.#viewer.write(data);
        }
    }

    /** From a keyboard: nothing waits, so that Ctrl-A x is heard when the guest does not read. */
    #keys(data) {
        let from = 0;
        for (let i = 0; i < data.length; i++) {
            if (!this.#prefix && data[i] !== CTRL_A) {
                continue;
            }
            this.#type(data.subarray(from, i));
            from = i + 1;
            if (this.#prefix && this.#command(data[i])) {
                this.#type(Uint8Array.of(CTRL_A));
            }
            this.#prefix = !this.#prefix;
        }
        this.#type(data.subarray(from));
    }

    #type(data) {
        if (data.length) {
            this.#viewer.write(data).catch(() => {}); // the machine is off
        }
    }

    #say(line) {
        process.stdout.write(`\r\n${line}\r\n`);
    }

    /** The byte after Ctrl-A; true when a Ctrl-A goes to the guest. */
    #command(byte) {
        // Ctrl, or Shift, may still be held down.
        const key = String.fromCharCode(byte < 0x20 && byte !== CTRL_A ? byte | 0x60 : byte).toLowerCase();
        const machine = this.#machine;
        const told = (promise) => promise.catch((error) => this.#say(`rvkit: ${error.message}`));
        switch (key) {
        case 'x':
            this.#leaving = true;
            this.#quit(0);
            return false;
        case 'p':
            told(machine.state === 'paused'
                ? machine.start().then(() => this.#say('rvkit: goes on'))
                : machine.pause().then(() => this.#say('rvkit: paused; Ctrl-A p goes on')));
            return false;
        case 'r':
            told(machine.reset());
            this.#say('rvkit: reset');
            return false;
        case 'l':
            this.#viewer.show(false);
            this.#viewer.show(true);
            return false;
        case 's':
            told(this.#screenshot());
            return false;
        case 'h':
        case '?':
            this.#say(HELP.join('\r\n'));
            return false;
        default:
            return key === 'a' || byte === CTRL_A;
        }
    }

    async #screenshot() {
        const [console] = this.#machine.consoles;
        const stamp = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
        const name = `rvkit-${console.name}-${stamp}.ans`;
        writeFileSync(name, await console.screen());
        this.#say(`rvkit: screenshot: ${console.name} is in ${name}`);
    }

    #restore() {
        if (this.#raw) {
            this.#raw = false;
            process.stdin.setRawMode(false);
            process.stdout.isTTY && process.stdout.write(SOBER);
            this.#leaving && process.stderr.write('\n');
        }
    }

    close() {
        process.stdin.pause();
        process.stdout.removeListener('resize', this.#onSize);
        this.#restore();
    }
}
