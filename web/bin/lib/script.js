// SPDX-License-Identifier: MPL-2.0
// Scripts, as native rvkit's -script plays them: expect, send, sendfile, paste, sleep, off, quit.
import { readFile } from 'node:fs/promises';

import { RvkitError } from '../../src/errors.js';

const SECONDS = 60;
const ESCAPES = {
    n: 10, r: 13, t: 9, a: 7, b: 8, e: 27, '\\': 92, '"': 34,
};

/* What follows a command. */
const COMMANDS = {
    expect: 'text seconds?', send: 'text', sendfile: 'text', paste: 'text', sleep: 'seconds',
    off: 'seconds?', quit: 'status?',
};

/** The bytes of what is between double quotes. */
function unescape(text) {
    const bytes = [];
    const pattern = /\\x([0-9a-fA-F]{1,2})|\\([0-7]{1,3})|\\(.)|([^\\])/gsu;
    for (const [, hex, octal, letter, plain] of text.matchAll(pattern)) {
        if (plain !== undefined) {
            bytes.push(...Buffer.from(plain));
        } else if (letter !== undefined) {
            if (!(letter in ESCAPES)) {
                throw new Error(`\\${letter} is no escape`);
            }
            bytes.push(ESCAPES[letter]);
        } else {
            bytes.push(parseInt(hex ?? octal, hex ? 16 : 8) & 255);
        }
    }
    return Buffer.from(bytes);
}

function parseLine(line) {
    const match = /^\s*(\w+)\s*(?:"((?:[^"\\]|\\.)*)"\s*)?([\d.]+)?\s*(?:#.*)?$/.exec(line);
    const [, command, text, number] = match ?? [];
    const shape = Object.hasOwn(COMMANDS, command ?? '') ? COMMANDS[command] : null;
    if (!shape) {
        throw new Error(`not a command: ${line.trim()}`);
    }
    const wantsNumber = /seconds|status/.test(shape);
    if (shape.startsWith('text') !== (text !== undefined) || (number !== undefined && !wantsNumber) ||
        (number === undefined && shape === 'seconds') || Number.isNaN(Number(number ?? 0))) {
        throw new Error(`${command}: give it as "${command} ${shape.replace('text', '"TEXT"')}"`);
    }
    return { command, text: text === undefined ? null : unescape(text), number: number && Number(number) };
}

/** Steps of a script's text; an RvkitError with code 'usage' says which line is wrong. */
export function parseScript(text, name) {
    const steps = [];
    for (const [i, line] of text.split(/\r?\n/).entries()) {
        if (/^\s*(#|$)/.test(line)) {
            continue;
        }
        try {
            steps.push({ ...parseLine(line), line: i + 1 });
        } catch (error) {
            throw new RvkitError('usage', `${name}:${i + 1}: ${error.message}`);
        }
    }
    return steps;
}

/** As a terminal pastes it: lines end in carriage returns. */
function asPasted(latin1) {
    return Buffer.from(latin1.replace(/\r?\n/g, '\r'), 'latin1');
}

function wait(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Plays it on a machine's first console. Gives the exit status. off: a promise of the machine's end. */
export async function playScript(steps, machine, off) {
    const [console] = machine.consoles;
    for (const { command, text, number, line } of steps) {
        const timeout = 1000 * (number ?? SECONDS);
        try {
            switch (command) {
            case 'expect':
                await console.expect(text.toString(), { timeout });
                break;
            case 'send':
                await console.write(text);
                break;
            case 'sendfile':
                await console.write(await readFile(text.toString()));
                break;
            case 'paste':
                await console.write(asPasted(await readFile(text.toString(), 'latin1')));
                break;
            case 'sleep':
                await wait(1000 * number);
                break;
            case 'off':
                await Promise.race([off, wait(timeout).then(() => {
                    throw new RvkitError('timeout', `the guest did not power off in ${timeout / 1000} seconds`);
                })]);
                break;
            default:
                return number ?? 0;
            }
        } catch (error) {
            if (error.code === 'timeout' || error.code === 'off') {
                error.message = `script, line ${line}: ${error.message}`;
                error.code = 'vain';
            }
            throw error;
        }
    }
    return 0;
}
