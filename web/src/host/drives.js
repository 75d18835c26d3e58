// SPDX-License-Identifier: MPL-2.0
/*
 * Drives on the worker's side: the engine's requests go to stores. A store may answer at once or
 * later; its bytes lie in a buffer of their own meanwhile, since the module's memory moves.
 */
import { DRIVE } from '../engine.js';
import { RvkitError, packError, toRvkitError } from '../errors.js';
import { Transfer } from '../rpc.js';
import { readSource } from '../source.js';
import { openStore } from '../store/index.js';

const ZEROS = 1 << 20;
const POOL_BYTES = 4 << 20;

/** Buffers that were used before, by their size. */
export class Pool {
    #free = new Map();
    #bytes = 0;

    /** Of all that wait for use. */
    get bytes() {
        return this.#bytes;
    }

    take(size) {
        const buffer = this.#free.get(size)?.pop();
        this.#bytes -= buffer ? size : 0;
        return buffer ?? new Uint8Array(size);
    }

    give(buffer) {
        if (this.#bytes + buffer.length > POOL_BYTES) { // of sizes that are not used any more, maybe
            this.#free.clear();
            this.#bytes = 0;
        }
        const list = this.#free.get(buffer.length) ?? [];
        this.#free.set(buffer.length, list);
        list.push(buffer);
        this.#bytes += buffer.length;
    }
}

/** A store of the caller, which answers on the other side. */
class RemoteStore {
    #host;
    #id;

    constructor(host, { id, size, readOnly, canDiscard }) {
        this.#host = host;
        this.#id = id;
        this.size = size;
        this.readOnly = readOnly;
        if (canDiscard) {
            this.discard = (offset, length) => this.#call('discard', offset, length);
        }
    }

    #call(...args) {
        return this.#host.call('store', this.#id, ...args);
    }

    async read(offset, into) {
        into.set(await this.#call('read', offset, into.length));
    }

    write(offset, data) {
        return this.#call('write', offset, data);
    }

    flush() {
        return this.#call('flush');
    }

    close() {
        return this.#call('close');
    }
}

export class Drives {
    #host;
    #stores = [];
    #pool = new Pool();
    #closed = false;
    #complained = new Set();

    constructor(host) {
        this.#host = host;
    }

    /** Opens all; gives what the engine and the other side want to know of each. */
    async open(drives) {
        const opened = await Promise.allSettled(drives.map((drive, i) => this.#open(drive, i)));
        this.#stores = opened.filter(({ value }) => value).map(({ value }) => value);
        const wrong = opened.find(({ status }) => status === 'rejected');
        if (wrong) {
            throw toRvkitError(wrong.reason, 'disk', 'a disk cannot be opened: ');
        }
        return this.#stores.map((store, i) => ({
            size: store.size,
            readOnly: store.readOnly,
            canDiscard: typeof store.discard === 'function' && !store.readOnly,
            serial: drives[i].serial,
        }));
    }

    async #open({ source, ...options }, index) {
        const what = `drive ${index}`;
        const onprogress = (progress) => this.#host.say('progress', [{ ...progress, what }]);
        const context = {
            signal: this.#host.signal,
            onprogress,
            onerror: (error) => this.#complain(index, error),
        };
        const given = await this.#source(source, { ...context, what });
        return openStore({ ...options, source: given }, context);
    }

    /** What openStore() takes, of a description. */
    async #source(source, context) {
        switch (source.kind) {
        case 'path':
            return source.path;
        case 'url':
            return source.url;
        case 'blob':
            return source.blob;
        case 'bytes':
            return source.bytes;
        case 'store':
            return new RemoteStore(this.#host, source);
        case 'pull':
            return readSource(source, {
                ...context, pull: (id, cancel) => this.#host.call('pull', id, cancel),
            });
        default:
            throw new RvkitError('option', 'a drive of no known kind');
        }
    }

    /** A drive's first error of a kind is told; the guest gets an I/O error each time. */
    #complain(index, error) {
        const why = toRvkitError(error, 'disk', `drive ${index}: `);
        const key = `${index} ${why.code} ${why.message}`;
        if (!this.#complained.has(key) && this.#complained.size < 100) {
            this.#complained.add(key);
            this.#host.say('error', [packError(why)]);
        }
    }

    /* --- Requests --- */

    /** From within the engine: only driveBuffer() and driveDone() may be called. */
    request(index, token, op, offset, length) {
        let answer;
        try {
            answer = this.#start(this.#stores[index], token, op, offset, length);
        } catch (error) {
            this.#complain(index, error);
            this.#host.engine.driveDone(token, false);
            return;
        }
        if (typeof answer?.then !== 'function') {
            this.#host.engine.driveDone(token, true);
            return;
        }
        answer.then(() => this.#done(token, true), (error) => {
            this.#complain(index, error);
            this.#done(token, false);
        });
    }

    #done(token, ok) {
        if (!this.#closed) {
            this.#host.engine.driveDone(token, ok);
            this.#host.kick();
        }
    }

    #start(store, token, op, offset, length) {
        if (op === DRIVE.READ) {
            return this.#read(store, token, offset, length);
        }
        if (op !== DRIVE.FLUSH && store.readOnly) {
            throw new RvkitError('disk', 'the guest writes to a drive that is read-only');
        }
        if (op === DRIVE.WRITE) {
            const bytes = this.#host.engine.driveBuffer(token, length);
            if (!bytes) {
                throw new RvkitError('disk', 'a request without bytes');
            }
            const data = this.#pool.take(length);
            data.set(bytes);
            return this.#after(store.write(offset, data), () => this.#pool.give(data));
        }
        if (op === DRIVE.FLUSH) {
            return store.flush();
        }
        return op === DRIVE.DISCARD && store.discard
            ? store.discard(offset, length) : writeZeros(store, offset, length);
    }

    #read(store, token, offset, length) {
        const into = this.#pool.take(length);
        return this.#after(store.read(offset, into), () => {
            if (!this.#closed) {
                this.#host.engine.driveBuffer(token, length)?.set(into);
            }
            this.#pool.give(into);
        });
    }

    #after(answer, then) {
        return typeof answer?.then === 'function' ? answer.then(then) : then();
    }

    /* --- For the other side --- */

    read(index, offset, length) {
        const store = this.#stores[index];
        const size = Math.min(length, store.size - offset);
        const into = new Uint8Array(size);
        return this.#after(size > 0 ? store.read(offset, into) : undefined,
            () => new Transfer(into, [into.buffer]));
    }

    async exportOverlay(index) {
        const store = this.#stores[index];
        return store.exportOverlay ? store.exportOverlay() : null;
    }

    stats() {
        return this.#stores.map((store, i) => this.#host.engine.driveStats(i));
    }

    async flush() {
        await Promise.all(this.#stores.filter(({ readOnly }) => !readOnly).map((store) => store.flush()));
    }

    /** Flushes and closes all; the first error is thrown at the end. */
    async close() {
        this.#closed = true;
        const errors = [];
        for (const [index, store] of this.#stores.entries()) {
            try {
                if (!store.readOnly) {
                    await store.flush();
                }
            } catch (error) {
                errors.push(toRvkitError(error, 'disk', `drive ${index}: `));
            }
            try {
                await store.close();
            } catch (error) {
                errors.push(toRvkitError(error, 'disk', `drive ${index}: `));
            }
        }
        this.#stores = [];
        if (errors.length) {
            throw errors[0];
        }
    }
}

async function writeZeros(store, offset, length) {
    const zeros = new Uint8Array(Math.min(length, ZEROS));
    for (let at = 0; at < length; at += zeros.length) {
        const part = Math.min(zeros.length, length - at);
        await store.write(offset + at, zeros.subarray(0, part));
    }
}
