// SPDX-License-Identifier: MPL-2.0
import { Console } from './console.js';
import { Display } from './display.js';
import { Drive, RemoteStores, describeDrive } from './drive.js';
import { RvkitError, throwIfAborted, toRvkitError, unpackError } from './errors.js';
import { Files } from './files.js';
import { Input } from './input.js';
import { parseOptions } from './options.js';
import { isNode, makeEvent, portPair, spawnWorker } from './platform.js';
import { Rpc } from './rpc.js';
import { Streams, describeSource, describeUrl } from './source.js';
import { Watch } from './watch.js';

/** What stop() gives the disks. */
const STOP_MS = 60_000;

/** A machine; see index.d.ts. The engine is on the other side of a port: host/host.js. */
export class Machine extends EventTarget {
    #options;
    #state = 'new';
    #rpc = null;       // while there is a worker
    #link = null;      // the same, from when the machine is built until it is gone
    #worker = null;
    #watch = null;     // of a worker of a browser
    #streams = new Streams();
    #stores = new RemoteStores();
    #nextId = 1;
    #starting = null;
    #error = null;     // why it failed
    #ending = null;
    #hello = null;     // until the worker has said it
    #gone = null;      // an error for those who come too late
    #linked = withResolvers();
    #abort = () => this.#aborted();

    constructor(options) {
        super();
        this.#options = parseOptions(options);
        const seen = {
            whenLinked: () => this.#whenLinked(),
            nextId: () => this.#nextId++,
        };
        Object.defineProperty(seen, 'link', { get: () => this.#link });
        const { consoles, displays, shares, drives } = this.#options;
        this.consoles = consoles.map(({ name }, i) => new Console(seen, i, name));
        this.displays = displays.map((display, i) => new Display(seen, i));
        this.input = new Input(seen);
        this.files = shares.map(({ tag }, i) => new Files(seen, i, tag, this.#streams));
        this.drives = drives.map((drive, i) => new Drive(seen, i));
        this.#linked.promise.catch(() => {});
        this.#options.signal?.addEventListener('abort', this.#abort);
    }

    get state() {
        return this.#state;
    }

    /** Why the state is 'failed'. */
    get error() {
        return this.#error;
    }

    #emit(type, detail) {
        this.dispatchEvent(makeEvent(type, detail));
    }

    #setState(state) {
        if (this.#state !== state) {
            this.#state = state;
            this.#emit('state', state);
        }
    }

    /* --- The other side --- */

    #whenLinked() {
        return this.#link ? Promise.resolve()
            : this.#gone ? Promise.reject(this.#gone) : this.#linked.promise;
    }

    async #spawn() {
        const hello = withResolvers();
        this.#hello = hello;
        const onfail = (error) => {
            hello.reject(error);
            this.#fail(error);
        };
        const handlers = this.#handlers(hello.resolve);
        if (this.#options.worker) {
            const worker = await spawnWorker(onfail);
            if (this.#gone) {
                worker.terminate();
                throw this.#gone;
            }
            this.#worker = worker;
            this.#rpc = new Rpc(this.#worker.port, handlers, onfail);
        } else {
            const { Host } = await import('./host/host.js');
            if (this.#gone) {
                throw this.#gone;
            }
            const [here, there] = portPair();
            const host = new Host(there);
            this.#worker = {
                port: here,
                terminate: () => {
                    [here, there].forEach((port) => port.close());
                    host.abandon();
                },
                ref() {},
                unref() {},
            };
            this.#rpc = new Rpc(here, handlers, onfail);
            host.hello();
        }
        this.#rpc.onpending = () => this.#hold();
        const lock = await hello.promise;
        if (this.#options.worker && !isNode && !this.#gone) { // Node tells of the end of its workers
            this.#watch = new Watch({
                lock,
                ping: () => this.#rpc.call('ping'),
                ongone: (why) => onfail(new RvkitError('worker', `the machine's worker died: ${why}`)),
            });
        }
    }

    /** Node ends by itself when the machine is off and nobody waits for anything of it. */
    #hold() {
        this.#state === 'off' && !this.#rpc?.pending ? this.#worker?.unref() : this.#worker?.ref();
    }

    #handlers(hello) {
        return {
            hello,
            pull: (id, cancel) => this.#streams.pull(id, cancel),
            store: (...args) => this.#stores.run(...args),
            log: (line) => this.#emit('log', line),
            progress: (progress) => this.#emit('progress', progress),
            error: (error) => this.#emit('error', unpackError(error)),
            failed: (error) => this.#fail(unpackError(error)),
            warning: (error) => this.#emit('warning', unpackError(error)),
            state: (state) => this.#setState(state),
            off: (status) => this.#off(status),
            leds: (leds) => this.#emit('leds', leds),
            sound: (message) => this.#emit('sound', message),
            data: (id, data) => this.#toViewer(id, 'receive', data),
            end: (id, error) => this.#toViewer(id, 'end', error && unpackError(error)),
            again: (id) => this.#toViewer(id, 'again'),
            console: (index, event, detail) => this.consoles[index].told(event, detail),
            frame: (index, frame) => this.displays[index].receive(frame),
            files: (index) => this.files[index].changed(),
            fileProgress: (id, progress) => this.files.forEach((files) => files.progress(id, progress)),
            netState: (index, up, why) => this.#emit('net', { index, up, why }),
            net: (index, what, frame) => this.#net(index, what, frame),
        };
    }

    #toViewer(id, method, ...args) {
        this.consoles.forEach((console) => console.toViewer(id, method, ...args));
    }

    /** A link of the caller's own. */
    async #net(index, what, frame) {
        const { link } = this.#options.nets[index];
        try {
            if (what === 'open') {
                let out = 0;
                await link.open((bytes) => {
                    if (!this.#link || out >= 256) {
                        return false;
                    }
                    out++;
                    const copy = bytes.slice();
                    this.#link.call('netReceive', [index, copy], [copy.buffer])
                        .catch(() => {}).finally(() => out--);
                    return true;
                }, (up, why) => this.#rpc?.say('netUp', [index, Boolean(up), why]));
            } else if (what === 'send') {
                if (link.send(frame) === false) {
                    this.#link?.say('netDropped', [index]);
                }
            } else {
                link.close();
            }
        } catch (error) {
            this.#emit('error', toRvkitError(error, 'network', 'the network: '));
        }
    }

    /* --- Life --- */

    async start() {
        this.#checkNotEnding();
        switch (this.#state) {
        case 'new':
            this.#starting = this.#begin();
            return this.#starting;
        case 'loading':
            return this.#starting;
        case 'running':
            return undefined;
        case 'paused':
            await this.#rpc.call('start');
            return this.#setState('running');
        case 'failed':
            throw this.#error;
        default:
            throw new RvkitError('state', this.#link
                ? 'the machine is off; reset() runs it again' : 'the machine was stopped');
        }
    }

    async #begin() {
        const { signal } = this.#options;
        this.#setState('loading');
        try {
            throwIfAborted(signal);
            const files = this.#options.files.map(([what, source]) =>
                [what, describeSource(source, what, this.#streams.keep)]);
            const options = this.#describe();
            await this.#spawn();
            const { drives } = await this.#rpc.call('create', [options]);
            throwIfAborted(signal);
            drives.forEach((info, i) => Object.assign(this.drives[i], info));
            this.#connect();
            await Promise.all(files.map(([what, source]) =>
                this.#rpc.call('load', [what, source, this.#options.memory])));
            await this.#rpc.call('cmdline', [this.#options.cmdline, this.#options.append]);
            await this.#rpc.call('start');
        } catch (error) {
            this.#fail(toRvkitError(error, 'engine'));
            throw this.#error;
        }
        this.#setState('running');
    }

    /** What the worker gets of the options. */
    #describe() {
        const o = this.#options;
        const page = globalThis.document?.baseURI ?? globalThis.location?.href;
        return {
            memory: o.memory,
            harts: o.harts,
            virtio: o.virtio,
            icount: o.icount,
            consoles: o.consoles,
            displays: o.displays,
            shares: o.shares,
            input: o.input,
            sound: o.sound,
            drives: o.drives.map((drive, i) =>
                describeDrive(drive, i, this.#streams.keep, this.#stores)),
            nets: o.nets.map(({ type, mac, url, protocols, channel }) => ({
                type, mac, protocols, channel,
                url: url === undefined ? undefined : webSocketUrl(url, page),
            })),
            wasm: typeof o.wasm === 'string' || o.wasm instanceof URL
                ? describeUrl(o.wasm, 'wasm') : o.wasm,
        };
    }

    #connect() {
        this.#link = this.#rpc;
        this.consoles.forEach((console) => console.connect());
        this.displays.forEach((display) => display.connect());
        this.#linked.resolve();
    }

    async pause() {
        if (this.#state === 'loading') {
            await this.#starting;
        }
        this.#checkNotEnding();
        if (this.#state === 'running') {
            await this.#rpc.call('pause');
        } else if (this.#state !== 'paused') {
            throw new RvkitError('state', `the machine is ${this.#state}: it cannot be paused`);
        }
    }

    async reset() {
        if (this.#state === 'loading') {
            await this.#starting;
        }
        this.#checkNotEnding();
        if (!this.#link) {
            throw this.#error ?? new RvkitError('state', 'the machine does not run: it cannot be reset');
        }
        await this.#link.call('reset');
        this.consoles.forEach((console) => console.restart());
        this.#setState('running');
        this.#hold();
    }

    /** The guest powered off. */
    #off(status) {
        this.#setState('off');
        this.#hold();
        this.#emit('exit', { status });
    }

    /** What stop() has begun with is not to be run any more. */
    #checkNotEnding() {
        if (this.#ending && this.#state !== 'failed') {
            throw new RvkitError('state', 'the machine was stopped');
        }
    }

    stop({ timeout = STOP_MS } = {}) {
        this.#ending ??= this.#stop(timeout);
        return this.#ending;
    }

    async #stop(timeout) {
        const gone = new RvkitError('off', 'the machine was stopped');
        if (this.#state === 'failed') {
            return;
        }
        const was = this.#state;
        try {
            if (this.#state === 'loading') {
                // What is still being loaded is not waited for.
                this.#fail(new RvkitError('aborted', 'the machine was stopped while it was loading'));
            } else if (this.#rpc) {
                await within(timeout, this.#rpc.call('stop'), () => new RvkitError('timeout',
                    `the machine's disks did not finish within ${timeout / 1000} s: what was not ` +
                    'flushed before may be lost'));
            }
        } finally {
            this.#end(gone);
            if (this.#state !== 'failed') {
                this.#setState('off');
                if (was !== 'off' && was !== 'new') {
                    this.#emit('exit', { status: null });
                }
            }
        }
    }

    #aborted() {
        const error = new RvkitError('aborted', 'the machine was aborted',
            { cause: this.#options.signal.reason });
        if (this.#state === 'new' || this.#state === 'loading') {
            this.#fail(error);
        } else {
            this.stop().catch((why) => this.#emit('error', toRvkitError(why, 'disk')));
        }
    }

    /** The worker is let go; who waits for it is told. */
    #end(error) {
        if (this.#gone) {
            return;
        }
        this.#gone = error;
        this.#options.signal?.removeEventListener('abort', this.#abort);
        this.#link = null;
        this.#hello?.promise.catch(() => {});
        this.#hello?.reject(error);
        this.#rpc?.close(error);
        this.#watch?.close();
        this.#worker?.terminate();
        this.#rpc = this.#worker = null;
        this.#linked.reject(error);
        this.#streams.close();
        this.consoles.forEach((console) => console.close(error));
    }

    #fail(error) {
        if (this.#state === 'failed' || (this.#state === 'off' && !this.#rpc)) {
            return;
        }
        this.#error = error;
        this.#end(error);
        this.#setState('failed');
        this.#emit('error', error);
    }

    /* --- The rest --- */

    async stats() {
        await this.#whenLinked();
        return this.#link.call('stats');
    }

    /** The device tree as the guest gets it. */
    async deviceTree() {
        await this.#whenLinked();
        return this.#link.call('dtb');
    }

    /** Sound goes through this MessagePort instead of `sound` events; see host/sound.js. */
    async connectSound(port) {
        await this.#whenLinked();
        this.#link.say('soundPort', [port], [port]);
    }

    /** Bytes from a microphone, for a stream whose 'open' message said `capture`. */
    recordSound(stream, bytes) {
        this.#link?.say('soundRecord', [stream, bytes]);
    }

    expect(what, options) {
        return this.#mainConsole().expect(what, options);
    }

    send(text) {
        return this.#mainConsole().send(text);
    }

    #mainConsole() {
        if (!this.consoles.length) {
            throw new RvkitError('option', 'the machine has no console');
        }
        return this.consoles[0];
    }
}

function withResolvers() {
    const made = {};
    made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
    return made;
}

/** The promise, or, when it takes longer, the error. */
async function within(ms, promise, late) {
    let timer;
    const limit = new Promise((_, reject) => {
        timer = ms === Infinity ? null : setTimeout(() => reject(late()), ms);
    });
    try {
        return await Promise.race([promise, limit]);
    } finally {
        clearTimeout(timer);
    }
}

/** Relative ones are of the page's server. */
function webSocketUrl(url, page) {
    let whole;
    try {
        whole = new URL(url, page);
    } catch (cause) {
        throw new RvkitError('option', `net: "${url}" is no URL`, { cause });
    }
    whole.protocol = whole.protocol.replace(/^http/, 'ws');
    return whole.href;
}

