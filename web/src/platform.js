// SPDX-License-Identifier: MPL-2.0
import { RvkitError } from './errors.js';

export const isNode = typeof process === 'object' && typeof process.versions?.node === 'string' &&
    typeof document === 'undefined';

/* Node 18 has none. */
const EventWithDetail = globalThis.CustomEvent ?? class extends Event {
    constructor(type, { detail }) {
        super(type);
        this.detail = detail;
    }
};

export function makeEvent(type, detail) {
    return new EventWithDetail(type, { detail });
}

/** A module of Node; bundlers for browsers do not look for it. */
export function nodeModule(name) {
    const specifier = `node:${name}`;
    return import(/* webpackIgnore: true */ /* @vite-ignore */ specifier);
}

/** Against which relative URLs are meant. */
export function baseUrl() {
    return globalThis.document?.baseURI ?? globalThis.location?.href;
}

/**
 * Makes `soon(fn)`: fn runs after what waits in the event loop had a turn, without the least delay
 * that timers have. One at a time.
 */
export function makeSoon() {
    if (typeof setImmediate === 'function') {
        return (fn) => void setImmediate(fn);
    }
    const { port1, port2 } = new MessageChannel();
    let next = null;
    port1.onmessage = () => {
        const fn = next;
        next = null;
        fn();
    };
    return (fn) => {
        next = fn;
        port2.postMessage(0);
    };
}

/** A MessagePort-like object as Rpc wants one. */
function wrapPort(port) {
    const wrapped = {
        onmessage: null,
        postMessage: (message, transfer) => port.postMessage(message, transfer),
        close: () => port.close(),
    };
    port.onmessage = (event) => wrapped.onmessage?.(event.data);
    return wrapped;
}

/** The same for a worker thread's end, or a worker, of Node. */
function wrapNodePort(port) {
    const wrapped = {
        onmessage: null,
        postMessage: (message, transfer) => port.postMessage(message, transfer),
        close: () => port.close?.(),
    };
    port.on('message', (data) => wrapped.onmessage?.(data));
    return wrapped;
}

/** Two ends in this thread. */
export function portPair() {
    const { port1, port2 } = new MessageChannel();
    return [wrapPort(port1), wrapPort(port2)];
}

/** In a worker: calls fn with the port to the thread that made it. */
export function onParentPort(fn) {
    if (isNode) {
        nodeModule('worker_threads').then(({ parentPort }) => fn(wrapNodePort(parentPort)));
    } else {
        fn(wrapPort(globalThis));
    }
}

/**
 * Starts worker.js. onfail(error) is called when it cannot be started or dies.
 * @returns {Promise<{port: object, terminate(): void, ref(): void, unref(): void}>}
 */
export async function spawnWorker(onfail) {
    return isNode ? spawnNodeWorker(onfail) : spawnWebWorker(onfail);
}

async function spawnNodeWorker(onfail) {
    const { Worker } = await nodeModule('worker_threads');
    const worker = new Worker(new URL('./worker.js', import.meta.url));
    const port = wrapNodePort(worker);
    let ended = false;
    const fail = (why) => {
        if (!ended) {
            ended = true;
            onfail(new RvkitError('worker', `the machine's worker died: ${why}`));
        }
    };
    worker.on('error', (error) => fail(String(error?.message ?? error).split('\n')[0]));
    worker.on('messageerror', () => fail('a message could not be read'));
    worker.on('exit', (code) => fail(`exit status ${code}`));
    return {
        port,
        terminate: () => {
            ended = true;
            return worker.terminate();
        },
        ref: () => worker.ref(),
        unref: () => worker.unref(),
    };
}

function webWorker() {
    const url = new URL('./worker.js', import.meta.url);
    const origin = globalThis.location?.origin;
    if (!origin || url.origin === origin || url.protocol === 'blob:') {
        // In one piece, so that bundlers see it.
        return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    }
    // A worker's script must be of the page's own origin; what it imports need not.
    const stub = new Blob([`import ${JSON.stringify(url.href)};`], { type: 'text/javascript' });
    return new Worker(URL.createObjectURL(stub), { type: 'module' });
}

function spawnWebWorker(onfail) {
    if (typeof Worker === 'undefined') {
        throw new RvkitError('unsupported', 'this browser has no workers; use the option worker: false');
    }
    const worker = webWorker();
    const port = wrapPort(worker);
    const fail = (why) => onfail(new RvkitError('worker', `the machine's worker died: ${why}`));
    worker.onerror = (event) => {
        event.preventDefault?.();
        fail(event.message || 'its script could not be loaded');
    };
    worker.onmessageerror = () => fail('a message could not be read');
    return { port, terminate: () => worker.terminate(), ref() {}, unref() {} };
}
