// SPDX-License-Identifier: MPL-2.0
const OSC_CLIPBOARD = 52;

/** xterm's onBinary: each character is one byte. */
function binaryToBytes(text) {
    return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

const HELD_MAX = 64, HELD_MS = 8, PARTS_MS = 250;

/** Where the characters beyond ASCII begin that a chunk ends in; its end when there are none, or very many. */
function tailOf(bytes) {
    let at = bytes.length;
    while (at > 0 && bytes[at - 1] >= 0x80) {
        at--;
    }
    return bytes.length - at > HELD_MAX ? bytes.length : at;
}

/** How long what is held may wait: what is made of several has a sign beyond the BMP, a joiner or a selector in it. */
function patience(held) {
    const ends = held.length >= 3 ? held.subarray(-3).join() : '';
    const parts = held.some((byte) => byte >= 0xF0) || ends === '226,128,141' || ends === '239,184,143';
    return parts ? PARTS_MS : HELD_MS;
}

function join(a, b) {
    const bytes = new Uint8Array(a.length + b.length);
    bytes.set(a);
    bytes.set(b, a.length);
    return bytes;
}

/** What options.clipboard says, as a function. */
function clipboardPolicy(policy = 'ask') {
    if (typeof policy === 'function') {
        return policy;
    }
    if (policy !== 'ask' || typeof globalThis.confirm !== 'function') {
        return () => policy === 'allow';
    }
    return ({ action, text }) => globalThis.confirm(action === 'read'
        ? 'A program in the machine wants to read the clipboard. Let it?'
        : `A program in the machine wants to put this on the clipboard:\n\n${text.slice(0, 200)}`);
}

/**
 * Copies an xterm.js terminal and a console into each other; see index.d.ts.
 *
 * Bytes go to xterm.js as bytes, whose decoder keeps characters whole over the borders of chunks;
 * the next chunk comes when it has worked on the one before. Characters that are made of several
 * (a person, a joiner, a rocket) it wants in one chunk: the last ones wait a moment for what follows.
 */
export function attachTerminal(terminal, console, options = {}) {
    const attached = new Attached(terminal, console, options);
    return { dispose: () => attached.dispose() };
}

class Attached {
    #terminal;
    #console;
    #options;
    #viewer;
    #parts = [];
    #wakeLast = null;
    #held = new Uint8Array(0);
    #timer = null;
    #releasing = null; // while xterm.js works on what was held
    #done = false;

    constructor(terminal, console, options) {
        this.#terminal = terminal;
        this.#console = console;
        this.#options = options;
        const viewer = console.attach({ kind: 'terminal' });
        this.#viewer = viewer;
        viewer.ondata = (data) => this.#write(data);
        viewer.onresize = (cols, rows) => this.#resizeTerminal(cols, rows);
        this.#parts.push(
            terminal.onData((text) => this.#type(text)),
            terminal.onBinary((text) => this.#type(binaryToBytes(text))),
            terminal.onResize(({ cols, rows }) => viewer.resize(cols, rows)),
            this.#listen('title', ({ detail }) => options.onTitle?.(detail)),
            this.#listen('bell', () => options.onBell?.()),
            this.#listen('clipboard', ({ detail }) => this.#toClipboard(detail.text)),
            this.#listen('clipboardrequest', ({ detail }) => this.#fromClipboard(detail)),
            ...this.#ignoreOsc52(),
        );
        options.fit?.fit();
        viewer.resize(terminal.cols, terminal.rows);
        if (console.title) {
            options.onTitle?.(console.title);
        }
    }

    #listen(type, fn) {
        this.#console.addEventListener(type, fn);
        return { dispose: () => this.#console.removeEventListener(type, fn) };
    }

    /** The console says what the guest asks of the clipboard; nobody else is to answer it as well. */
    #ignoreOsc52() {
        const handler = this.#terminal.parser?.registerOscHandler?.(OSC_CLIPBOARD, () => true);
        return handler ? [handler] : [];
    }

    #write(data) {
        if (this.#done) {
            return undefined;
        }
        clearTimeout(this.#timer);
        const bytes = this.#held.length ? join(this.#held, data) : data;
        const end = tailOf(bytes);
        this.#held = bytes.slice(end);
        return new Promise((resolve) => {
            this.#wakeLast = resolve;
            const written = () => {
                if (this.#held.length && !this.#done) {
                    this.#timer = setTimeout(() => this.#release(), patience(this.#held));
                }
                resolve();
            };
            const write = () => this.#done ? resolve() : this.#terminal.write(bytes.subarray(0, end), written);
            this.#releasing ? this.#releasing.then(write) : write();
        });
    }

    #release() {
        clearTimeout(this.#timer);
        const held = this.#held;
        this.#held = new Uint8Array(0);
        if (held.length) {
            this.#releasing = new Promise((resolve) => this.#terminal.write(held, resolve)).then(() => {
                this.#releasing = null;
            });
        }
    }

    #type(data) {
        this.#viewer.write(data).catch(() => {}); // the machine is off
    }

    /** Another viewer has the last word on the size, unless this one fits its window. */
    #resizeTerminal(cols, rows) {
        if (!this.#options.fit && (this.#terminal.cols !== cols || this.#terminal.rows !== rows)) {
            this.#terminal.resize(cols, rows);
        }
    }

    async #toClipboard(text) {
        const policy = clipboardPolicy(this.#options.clipboard);
        try {
            if (await policy({ action: 'write', text }) && !this.#done) {
                await globalThis.navigator?.clipboard?.writeText(text);
            }
        } catch {
            // The browser did not let it.
        }
    }

    async #fromClipboard({ answer }) {
        const policy = clipboardPolicy(this.#options.clipboard);
        let text = '';
        try {
            if (await policy({ action: 'read' })) {
                text = await globalThis.navigator?.clipboard?.readText() ?? '';
            }
        } catch {
            // The browser did not let it: an empty answer.
        }
        if (!this.#done) {
            answer(text);
        }
    }

    dispose() {
        if (!this.#done) {
            this.#done = true;
            this.#release();
            this.#parts.forEach((part) => part.dispose());
            this.#viewer.close();
            this.#wakeLast?.();
        }
    }
}
