// SPDX-License-Identifier: MPL-2.0
import { makeEvent } from './platform.js';
import { RvkitError } from './errors.js';

const utf8 = new TextEncoder();

/** What expect() remembers of what it has not looked for yet: characters. */
const EXPECT_MAX = 1 << 20;
/** Of those, the newest, in which a regular expression is looked for. */
const REGEXP_MAX = 1 << 16;
const EXPECT_TIMEOUT = 60_000;

function toBytes(data) {
    if (typeof data === 'string') {
        return utf8.encode(data);
    }
    if (data instanceof ArrayBuffer) {
        return new Uint8Array(data.slice(0));
    }
    if (ArrayBuffer.isView(data)) {
        return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    }
    throw new RvkitError('option', 'a text or bytes are needed to be typed');
}

function checkSize(cols, rows) {
    return [cols, rows].map((n) => Math.min(Math.max(Math.trunc(n) || 1, 1), 0xffff));
}

/** One who looks at a console; see index.d.ts. Made by Console.attach(). */
class ConsoleViewer {
    #console;
    #id;
    #ondata = null;
    #waiting = []; // chunks that came before ondata was set
    #ended = false;
    #closed = false;
    #size = null;

    constructor(console, id, { kind, wait }) {
        this.#console = console;
        this.#id = id;
        this.kind = kind;
        this.wait = wait;
        /** Called when the machine is off and everything was delivered; again() when it was reset. */
        this.onend = null;
        this.onagain = null;
        /** Called when another viewer changed the size. */
        this.onresize = null;
    }

    get ondata() {
        return this.#ondata;
    }

    set ondata(fn) {
        this.#ondata = fn;
        while (fn && this.#waiting.length) {
            this.#deliver(this.#waiting.shift());
        }
    }

    get ended() {
        return this.#ended;
    }

    /** @internal */
    receive(data) {
        if (this.#closed) {
            return;
        }
        this.#ondata ? this.#deliver(data) : this.#waiting.push(data);
    }

    async #deliver(data) {
        try {
            await this.#ondata(data);
        } finally {
            // Answered, so that Node does not end before what comes next when the machine is off.
            if (!this.#closed) {
                this.#console.link?.call('ack', [this.#id]).catch(() => {});
            }
        }
    }

    /** @internal */
    end(error) {
        if (!this.#ended && !this.#closed) {
            this.#ended = true;
            this.onend?.(error);
        }
    }

    /** @internal */
    again() {
        this.#ended = false;
        this.onagain?.();
    }

    /** @internal The worker is there. */
    connect() {
        this.#console.link.say('attach', [this.#id, this.#console.index, this.kind, this.wait]);
        if (this.#size) {
            this.#console.link.say('resize', [this.#id, ...this.#size]);
        }
    }

    async write(data) {
        const bytes = toBytes(data);
        await this.#console.whenLinked();
        await this.#console.link.call('type', [this.#id, bytes], [bytes.buffer]);
    }

    resize(cols, rows) {
        this.#size = checkSize(cols, rows);
        this.#console.setSize(...this.#size, this);
        this.#console.link?.say('resize', [this.#id, ...this.#size]);
    }

    show(shown) {
        this.#console.link?.say('show', [this.#id, Boolean(shown)]);
    }

    close() {
        if (!this.#closed) {
            this.#closed = true;
            this.#console.forget(this.#id);
            this.#console.link?.say('detach', [this.#id]);
        }
    }
}

function abortError(signal) {
    return new RvkitError('aborted', 'expect() was aborted', { cause: signal.reason });
}

/** Text of a viewer that comes in pieces, and those who wait for something in it. */
class Expecter {
    #text = '';
    #looked = 0; // so much of it does not hold the beginning of what is waited for
    #waiter = null;
    #queue = Promise.resolve();
    #decoder = new TextDecoder();
    #over = null;

    constructor(viewer) {
        viewer.ondata = (data) => this.#add(this.#decoder.decode(data, { stream: true }));
        viewer.onend = (error) => {
            this.#over = error ?? new RvkitError('off', 'the machine went off');
            this.#waiter?.fail(this.#over);
        };
        viewer.onagain = () => {
            this.#over = null;
        };
    }

    /** What came before a reset is not looked at any more. */
    forget() {
        this.#text = '';
        this.#looked = 0;
    }

    #add(text) {
        this.#text += text;
        if (this.#text.length > EXPECT_MAX) {
            const cut = this.#text.length - EXPECT_MAX / 2;
            this.#text = this.#text.slice(cut);
            this.#looked = Math.max(0, this.#looked - cut);
        }
        this.#waiter?.look();
    }

    /** The place behind the match, or -1. */
    #find(what) {
        if (typeof what === 'string') {
            const at = this.#text.indexOf(what, this.#looked);
            this.#looked = Math.max(0, this.#text.length - what.length + 1);
            return at < 0 ? -1 : at + what.length;
        }
        const from = Math.max(0, this.#text.length - REGEXP_MAX);
        const match = new RegExp(what.source, what.flags.replace(/[gy]/g, ''))
            .exec(from ? this.#text.slice(from) : this.#text);
        return match ? from + match.index + match[0].length : -1;
    }

    /** One after the other; who is aborted does not wait for that. */
    expect(what, options = {}) {
        const { signal } = options;
        if (signal?.aborted) {
            return Promise.reject(abortError(signal));
        }
        const result = this.#queue.then(() => this.#expect(what, options));
        this.#queue = result.catch(() => {});
        if (!signal) {
            return result;
        }
        return new Promise((resolve, reject) => {
            const aborted = () => reject(abortError(signal));
            signal.addEventListener('abort', aborted);
            result.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
        });
    }

    async #expect(what, { timeout = EXPECT_TIMEOUT, signal } = {}) {
        if (signal?.aborted) {
            throw abortError(signal);
        }
        return new Promise((resolve, reject) => {
            let timer = null;
            const finish = (settle, value) => {
                clearTimeout(timer);
                signal?.removeEventListener('abort', aborted);
                this.#waiter = null;
                settle(value);
            };
            const fail = (error) => finish(reject, error);
            const aborted = () => fail(abortError(signal));
            const look = () => {
                const end = this.#find(what);
                if (end >= 0) {
                    const text = this.#text.slice(0, end);
                    this.#text = this.#text.slice(end);
                    this.#looked = 0;
                    finish(resolve, text);
                }
            };
            this.#looked = 0;
            this.#waiter = { look, fail };
            look();
            if (!this.#waiter) {
                return;
            }
            if (this.#over) {
                fail(this.#over);
                return;
            }
            signal?.addEventListener('abort', aborted);
            if (timeout !== Infinity) {
                timer = setTimeout(() => fail(new RvkitError('timeout',
                    `waited ${timeout} ms in vain for ${what instanceof RegExp ? what : JSON.stringify(what)}; ` +
                    `the last output: ${JSON.stringify(this.#text.slice(-200))}`)), timeout);
            }
        });
    }
}

/** A console; see index.d.ts. */
export class Console extends EventTarget {
    #machine;
    #viewers = new Map();
    #readable = null;
    #writable = null;
    #expecter = null;
    #size = null;
    #closed = null; // why nothing comes any more
    cols = 80;
    rows = 24;
    title = '';

    /** @internal machine: {link, whenLinked(), nextId()} */
    constructor(machine, index, name) {
        super();
        this.#machine = machine;
        this.index = index;
        this.name = name;
    }

    /** @internal The calls to the worker; null before it is there and after it has gone. */
    get link() {
        return this.#machine.link;
    }

    /** @internal */
    whenLinked() {
        return this.#machine.whenLinked();
    }

    /** @internal The machine is built. */
    connect() {
        if (this.#size) {
            this.link.say('resizeConsole', [this.index, ...this.#size]);
        }
        this.#viewers.forEach((viewer) => viewer.connect());
    }

    /** @internal */
    forget(id) {
        this.#viewers.delete(id);
    }

    /** @internal `by`: the viewer that did it, which needs not be told. */
    setSize(cols, rows, by = null) {
        if (cols !== this.cols || rows !== this.rows) {
            this.cols = cols;
            this.rows = rows;
            for (const viewer of this.#viewers.values()) {
                if (viewer !== by) {
                    viewer.onresize?.(cols, rows);
                }
            }
            this.#emit('resize', { cols, rows });
        }
    }

    #emit(type, detail) {
        this.dispatchEvent(makeEvent(type, detail));
    }

    /** @internal A message for a viewer: data, end, again. */
    toViewer(id, method, ...args) {
        this.#viewers.get(id)?.[method](...args);
    }

    /** @internal */
    told(event, detail) {
        switch (event) {
        case 'resize':
            this.setSize(detail.cols, detail.rows);
            break;
        case 'title':
            this.title = detail.title;
            this.#emit('title', detail.title);
            break;
        case 'clipboard':
            this.#emit('clipboard', { which: detail.which, text: fromBase64(detail.base64) });
            break;
        case 'clipboardrequest':
            this.#emit('clipboardrequest', {
                which: detail.which,
                answer: (text) => this.link?.say('answer', [this.index, detail.which, toBase64(text)]),
            });
            break;
        default:
            this.#emit(event, detail);
        }
    }

    /** @internal The machine was reset. */
    restart() {
        this.#expecter?.forget();
    }

    /** @internal The machine is gone: nothing comes any more. */
    close(error) {
        this.#closed = error;
        this.#viewers.forEach((viewer) => viewer.end(error));
    }

    attach({ kind = 'terminal', wait = true } = {}) {
        if (kind !== 'terminal' && kind !== 'bytes') {
            throw new RvkitError('option', `a viewer's kind is "terminal" or "bytes", not "${kind}"`);
        }
        const id = this.#machine.nextId();
        const viewer = new ConsoleViewer(this, id, { kind, wait });
        this.#viewers.set(id, viewer);
        if (this.link) {
            viewer.connect();
        } else if (this.#closed) {
            queueMicrotask(() => viewer.end(this.#closed)); // when it is known whom to tell
        }
        return viewer;
    }

    get readable() {
        this.#readable ??= this.#makeReadable();
        return this.#readable;
    }

    #makeReadable() {
        const viewer = this.attach({ kind: 'bytes' });
        let taken = () => {};
        const stream = new ReadableStream({
            start: (controller) => {
                viewer.ondata = (data) => {
                    controller.enqueue(data);
                    return new Promise((resolve) => {
                        taken = resolve;
                    });
                };
                viewer.onend = (error) => {
                    error ? controller.error(error) : controller.close();
                    viewer.close(); // after a reset there is another stream
                    this.#readable = null;
                };
            },
            pull: () => taken(),
            cancel: () => {
                viewer.close();
                taken();
                this.#readable = null;
            },
        }, { highWaterMark: 0 });
        return stream;
    }

    get writable() {
        this.#writable ??= this.#makeWritable();
        return this.#writable;
    }

    /** One that ended (pipeTo() closes it) or failed (the machine was off) is followed by another. */
    #makeWritable() {
        const end = () => {
            this.#writable = null;
        };
        return new WritableStream({
            write: async (data) => {
                try {
                    await this.write(data);
                } catch (error) {
                    end();
                    throw error;
                }
            },
            close: end,
            abort: end,
        });
    }

    async write(data) {
        const bytes = toBytes(data);
        await this.whenLinked();
        await this.link.call('typeConsole', [this.index, bytes], [bytes.buffer]);
    }

    resize(cols, rows) {
        this.#size = checkSize(cols, rows);
        this.setSize(...this.#size);
        this.link?.say('resizeConsole', [this.index, ...this.#size]);
    }

    async expect(what, options) {
        if (typeof what !== 'string' && !(what instanceof RegExp)) {
            throw new RvkitError('option', 'expect() needs a text or a RegExp');
        }
        this.#expecter ??= new Expecter(this.attach({ kind: 'bytes' }));
        return this.#expecter.expect(what, options);
    }

    send(text) {
        return this.write(text);
    }

    async screen({ above = 0 } = {}) {
        await this.whenLinked();
        return this.link.call('draw', [this.index, above]);
    }
}

export function fromBase64(base64) {
    try {
        const binary = atob(base64);
        return new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0)));
    } catch {
        return '';
    }
}

export function toBase64(text) {
    let binary = '';
    for (const byte of utf8.encode(text)) {
        binary += String.fromCharCode(byte);
    }
    return btoa(binary);
}
