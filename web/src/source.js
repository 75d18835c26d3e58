// SPDX-License-Identifier: MPL-2.0
/*
 * Bytes from anywhere. A Source of the caller becomes a *description* that a worker can be given
 * (describeSource), and there a stream of chunks (openSource) or one array (readSource): fetched,
 * read or pulled, checked to be whole, unpacked when it begins as gzip, with progress.
 *
 *   {kind: 'url', url}  {kind: 'path', path}  {kind: 'blob', blob}  {kind: 'bytes', bytes}
 *   {kind: 'pull', id, total}: the other side has the stream, and gives chunks when it is asked
 */
import { RvkitError, throwIfAborted } from './errors.js';
import { baseUrl, isNode, nodeModule } from './platform.js';

const PROGRESS_MS = 50;
const CHUNK = 1 << 20;

/** So long a server may give nothing. */
const STALL_MS = 30_000;

/** What a person would call it. */
function shortName(text) {
    const path = text.split(/[?#]/)[0];
    return decodeURIComponentSafe(path.slice(path.lastIndexOf('/') + 1)) || text;
}

function decodeURIComponentSafe(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

const HAS_SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/** A string or URL: a URL that is whole, or in Node a file's path. */
export function describeUrl(source, what) {
    const text = String(source);
    if (isNode && (!HAS_SCHEME.test(text) || /^[a-z]:[\\/]/i.test(text))) {
        return { kind: 'path', path: text, name: shortName(text) };
    }
    let url;
    try {
        url = new URL(text, baseUrl());
    } catch (cause) {
        throw new RvkitError('option', `${what}: "${text}" is no URL`, { cause });
    }
    return { kind: 'url', url: url.href, name: shortName(url.href) };
}

/**
 * Describes a source. `keep(stream)` is asked for a number when it is a stream, which the caller
 * then answers pulls of.
 */
export function describeSource(source, what, keep) {
    if (typeof source === 'string' || source instanceof URL) {
        return describeUrl(source, what);
    }
    if (typeof Blob !== 'undefined' && source instanceof Blob) {
        // A File of Node cannot be cloned; a Blob with its bytes can.
        const blob = isNode && source.constructor !== Blob ? source.slice() : source;
        return { kind: 'blob', blob, name: source.name ?? what };
    }
    if (source instanceof ArrayBuffer) {
        return { kind: 'bytes', bytes: new Uint8Array(source), name: what };
    }
    if (ArrayBuffer.isView(source)) {
        const { buffer, byteOffset, byteLength } = source;
        return { kind: 'bytes', bytes: new Uint8Array(buffer, byteOffset, byteLength), name: what };
    }
    if (typeof Response !== 'undefined' && source instanceof Response) {
        return describeResponse(source, what, keep);
    }
    if (typeof source?.getReader === 'function') {
        return { kind: 'pull', id: keep(source), name: what };
    }
    throw new RvkitError('option', `${what}: a URL, File, Blob, ArrayBuffer, ReadableStream or ` +
        'Response is needed');
}

function describeResponse(response, what, keep) {
    checkStatus(response, what);
    if (response.bodyUsed) {
        throw new RvkitError('option', `${what}: the Response's body was read already`);
    }
    const name = response.url ? shortName(response.url) : what;
    const body = response.body ?? new Blob([]).stream();
    return { kind: 'pull', id: keep(body), name, total: bodyLength(response) };
}

function checkStatus(response, name) {
    if (!response.ok) {
        const why = response.type === 'opaque'
            ? 'another origin, which does not allow it (CORS)'
            : `HTTP ${response.status} ${response.statusText}`.trimEnd();
        throw new RvkitError('http', `${name}: ${why}`, { status: response.status, url: response.url });
    }
}

/** The number of bytes that the body has when it is whole, if the server says so. */
function bodyLength(response) {
    const length = response.headers.get('content-length');
    const encoded = response.headers.get('content-encoding');
    return length !== null && /^\d+$/.test(length) && (!encoded || encoded === 'identity')
        ? Number(length)
        : undefined;
}

/* --- Chunks --- */

/** Waits for a server, but not for ever: ends a fetch from which nothing comes for so long. */
class Patience {
    #abort = new AbortController();
    #ms;
    #name;
    #unlink = () => {};
    #stalled = null;

    constructor(ms, name, signal) {
        this.#ms = ms;
        this.#name = name;
        const end = () => this.#abort.abort(signal.reason);
        signal?.addEventListener('abort', end);
        this.#unlink = () => signal?.removeEventListener('abort', end);
        signal?.aborted && end();
    }

    get signal() {
        return this.#abort.signal;
    }

    async wait(promise) {
        const timer = setTimeout(() => {
            this.#stalled = new RvkitError('network',
                `${this.#name}: nothing came for ${this.#ms / 1000} s`);
            this.#abort.abort(this.#stalled);
        }, this.#ms);
        try {
            return await promise;
        } catch (error) {
            throw this.#stalled ?? error;
        } finally {
            clearTimeout(timer);
        }
    }

    end() {
        this.#unlink();
    }
}

async function openUrl({ url, name }, signal, stall = STALL_MS) {
    const patience = new Patience(stall, name, signal);
    let response;
    try {
        response = await patience.wait(fetch(url, { signal: patience.signal }));
    } catch (error) {
        patience.end();
        throwIfAborted(signal, name);
        if (error instanceof RvkitError) {
            throw error;
        }
        const why = error?.cause?.code ?? error?.cause?.message ?? error?.message ?? error;
        throw new RvkitError('network', `${name}: cannot be fetched from ${url} (${why})`,
            { cause: error });
    }
    if (!response.ok) {
        patience.end();
        checkStatus(response, name);
    }
    return {
        chunks: readStream(response.body ?? new Blob([]).stream(), patience), total: bodyLength(response),
    };
}

async function openPath({ path, name }) {
    const { open } = await nodeModule('fs/promises');
    const { fileURLToPath } = await nodeModule('url');
    const words = { ENOENT: 'no such file', EACCES: 'permission denied', EISDIR: 'is a directory' };
    try {
        const file = await open(path.startsWith('file:') ? fileURLToPath(path) : path);
        const stat = await file.stat();
        if (stat.isDirectory()) {
            await file.close();
            throw Object.assign(new Error(), { code: 'EISDIR' });
        }
        return { chunks: readFile(file), total: stat.isFile() ? stat.size : undefined };
    } catch (error) {
        throw new RvkitError('file', `${path}: ${words[error.code] ?? error.message}`,
            { cause: error, name });
    }
}

async function* readFile(file) {
    try {
        for (;;) {
            const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK), 0, CHUNK);
            if (!bytesRead) {
                return;
            }
            yield buffer.subarray(0, bytesRead);
        }
    } finally {
        await file.close();
    }
}

async function* readStream(stream, patience) {
    const reader = stream.getReader();
    try {
        for (;;) {
            const { done, value } = await (patience ? patience.wait(reader.read()) : reader.read());
            if (done) {
                return;
            }
            yield value instanceof Uint8Array ? value : new Uint8Array(value);
        }
    } finally {
        reader.cancel().catch(() => {});
        patience?.end();
    }
}

async function* readPulled(id, pull) {
    let done = false;
    try {
        for (;;) {
            const chunk = await pull(id);
            if (!chunk) {
                done = true;
                return;
            }
            yield chunk;
        }
    } finally {
        if (!done) {
            await pull(id, true).catch(() => {});
        }
    }
}

async function openRaw(source, { signal, pull, stall }) {
    switch (source.kind) {
    case 'url':
        return source.url.startsWith('file:') && isNode
            ? openPath({ ...source, path: source.url })
            : openUrl(source, signal, stall);
    case 'path':
        return openPath(source);
    case 'blob':
        return { chunks: readStream(source.blob.stream()), total: source.blob.size };
    case 'bytes':
        return { chunks: [source.bytes], total: source.bytes.byteLength };
    default:
        return { chunks: readPulled(source.id, pull), total: source.total };
    }
}

/** Passes chunks on, counts them, and says at the end when some are missing. */
async function* checkWhole(chunks, { what, name, total, signal, onprogress }) {
    let loaded = 0;
    let told = -Infinity;
    const tell = (force) => {
        const now = performance.now();
        if (force || now - told >= PROGRESS_MS) {
            told = now;
            onprogress?.({ what, loaded, total });
        }
    };
    tell(true);
    try {
        for await (const chunk of chunks) {
            throwIfAborted(signal, name);
            loaded += chunk.byteLength;
            tell(false);
            yield chunk;
        }
    } catch (error) {
        throwIfAborted(signal, name);
        throw error instanceof RvkitError ? error : new RvkitError('truncated',
            `${name}: broke off after ${loaded} bytes${total === undefined ? '' : ` of ${total}`} ` +
            `(${error?.cause?.message ?? error?.message ?? error})`, { cause: error });
    }
    if (total !== undefined && loaded < total) {
        throw new RvkitError('truncated', `${name}: ends after ${loaded} bytes of ${total}`);
    }
    tell(true);
}

/* --- gzip --- */

/** The chunks again, and whether they begin as gzip. */
async function lookForGzip(chunks) {
    const iterator = (chunks[Symbol.asyncIterator] ?? chunks[Symbol.iterator]).call(chunks);
    const head = [];
    let size = 0;
    while (size < 3) {
        const { done, value } = await iterator.next();
        if (done) {
            break;
        }
        head.push(value);
        size += value.byteLength;
    }
    const start = head.length === 1 ? head[0] : joinChunks(head, size);
    const gzip = size >= 3 && start[0] === 0x1f && start[1] === 0x8b && start[2] === 8;
    async function* again() {
        try {
            yield* head;
            for (;;) {
                const { done, value } = await iterator.next();
                if (done) {
                    return;
                }
                yield value;
            }
        } finally {
            await iterator.return?.();
        }
    }
    return { gzip, chunks: again() };
}

function toStream(chunks) {
    return new ReadableStream({
        async pull(controller) {
            const { done, value } = await chunks.next();
            done ? controller.close() : controller.enqueue(value);
        },
        cancel: () => chunks.return(),
    }, { highWaterMark: 0 });
}

async function* gunzip(chunks, name) {
    if (typeof DecompressionStream === 'undefined') {
        throw new RvkitError('unsupported', `${name}: this browser cannot unpack gzip; give it unpacked`);
    }
    let broken = null;
    async function* watched() {
        try {
            yield* chunks;
        } catch (error) {
            broken = error;
            throw error;
        }
    }
    try {
        yield* readStream(toStream(watched()).pipeThrough(new DecompressionStream('gzip')));
    } catch (error) {
        throw broken ?? new RvkitError('gzip', `${name}: damaged or incomplete gzip data ` +
            `(${error?.cause?.message ?? error?.message ?? error})`, { cause: error });
    }
}

async function* limit(chunks, max, name) {
    let size = 0;
    for await (const chunk of chunks) {
        size += chunk.byteLength;
        if (size > max) {
            throw new RvkitError('too-large', `${name}: larger than the ${max} bytes there is room for`);
        }
        yield chunk;
    }
}

/**
 * Opens a description. Chunks are Uint8Arrays; the last one has come when the loop over them ends
 * without an error.
 *
 * @param {object} source
 * @param {{what?: string, max?: number, gunzip?: boolean, signal?: AbortSignal, stall?: number,
 *          pull?: (id: number, cancel?: boolean) => Promise<Uint8Array|null>,
 *          onprogress?: (progress: {what: string, loaded: number, total?: number}) => void}} options
 * @returns {Promise<{name: string, size?: number, gzip: boolean, chunks: AsyncIterable<Uint8Array>}>}
 *     size: how many bytes come, where that is known. stall: milliseconds that a server may give nothing.
 */
export async function openSource(source, options = {}) {
    const { what = source.name, max = Infinity, signal } = options;
    throwIfAborted(signal, source.name);
    const raw = await openRaw(source, options);
    const whole = checkWhole(raw.chunks, { ...options, what, name: source.name, total: raw.total });
    const { gzip, chunks } = await lookForGzip(whole);
    const unpack = gzip && options.gunzip !== false;
    return {
        name: source.name,
        gzip,
        size: unpack ? undefined : raw.total,
        chunks: limit(unpack ? gunzip(chunks, source.name) : chunks, max, source.name),
    };
}

export function joinChunks(chunks, size) {
    const all = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
        all.set(chunk, at);
        at += chunk.byteLength;
    }
    return all;
}

/** All of it, in an array of its own. */
export async function readSource(source, options = {}) {
    const { chunks } = await openSource(source, options);
    const parts = [];
    let size = 0;
    for await (const chunk of chunks) {
        parts.push(chunk);
        size += chunk.byteLength;
    }
    return joinChunks(parts, size);
}

/** Keeps streams on this side, and answers pulls of them; for describeSource() and readPulled(). */
export class Streams {
    #readers = new Map();
    #next = 1;

    keep = (stream) => {
        if (stream.locked) {
            throw new RvkitError('option', 'the ReadableStream is locked by another reader');
        }
        this.#readers.set(this.#next, stream.getReader());
        return this.#next++;
    };

    /** The next chunk as an array of its own, null at the end. */
    pull = async (id, cancel = false) => {
        const reader = this.#readers.get(id);
        if (!reader) {
            return null;
        }
        if (cancel) {
            this.#readers.delete(id);
            reader.cancel().catch(() => {});
            return null;
        }
        const { done, value } = await reader.read();
        if (done) {
            this.#readers.delete(id);
            return null;
        }
        if (typeof value === 'string') {
            throw new RvkitError('option', 'the ReadableStream gives texts, not bytes');
        }
        return ArrayBuffer.isView(value)
            ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice()
            : new Uint8Array(value).slice();
    };

    close() {
        for (const reader of this.#readers.values()) {
            reader.cancel().catch(() => {});
        }
        this.#readers.clear();
    }
}
