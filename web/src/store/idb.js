// SPDX-License-Identifier: MPL-2.0
// An overlay in IndexedDB, for where OPFS has no synchronous handles: docs/web-overlay-format.md.
import { RvkitError } from '../errors.js';
import { BlockMap } from './blocks.js';
import { cowGeometry } from './cow-file.js';
import { checkIdentity, storageError, tagFor } from './packed.js';
import { BLOCK, DATA, ZERO } from './util.js';

const DATABASE = 'rvkit-overlays';

/** Blocks in memory that wait for a flush; with more they are stored earlier. */
const WAITING_MAX = 8192;   // 32 MiB

/** After a failure, milliseconds until a write (not a flush) tries to store them again. */
const RETRY = 5000;

/** Milliseconds in which a database must have opened. */
const OPEN_MAX = 20000;

const requested = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(storageError(request.error));
});

const committed = (transaction) => new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.reason ?? storageError(transaction.error));
});

const blockRange = (name, first = 0, last = Infinity) => IDBKeyRange.bound([name, first], [name, last]);

export async function openDatabase() {
    if (typeof indexedDB === 'undefined') {
        throw new RvkitError('no-storage', 'this browser has nowhere to keep a disk: neither OPFS nor IndexedDB');
    }
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
        const db = request.result;
        db.createObjectStore('overlays', { keyPath: 'name' });
        db.createObjectStore('maps');
        db.createObjectStore('blocks');
    };
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(reject, OPEN_MAX, new Error('IndexedDB does not answer'));
    });
    const opened = requested(request);
    try {
        return await Promise.race([opened, late]);
    } catch (cause) {
        opened.then((db) => db.close(), () => {});
        throw new RvkitError('no-storage', `this browser does not let a page keep a disk: ${cause.message}`, { cause });
    } finally {
        clearTimeout(timer);
    }
}

/** [{ name, stored }] */
export async function listDatabase(db) {
    const transaction = db.transaction(['overlays', 'blocks']);
    const found = await requested(transaction.objectStore('overlays').getAll());
    return Promise.all(found.map(async ({ name }) => ({
        name, stored: await requested(transaction.objectStore('blocks').count(blockRange(name))) * BLOCK,
    })));
}

export const hasInDatabase = async (db, name) =>
    await requested(db.transaction('overlays').objectStore('overlays').count(name)) > 0;

export async function deleteFromDatabase(db, name) {
    const transaction = db.transaction(['overlays', 'maps', 'blocks'], 'readwrite');
    transaction.objectStore('overlays').delete(name);
    transaction.objectStore('maps').delete(blockRange(name));
    transaction.objectStore('blocks').delete(blockRange(name));
    await committed(transaction);
}

/**
 * Blocks that wait in memory until a flush stores them, and the map that names them, in one
 * transaction. Each opening writes a mark of its own; a transaction that finds another mark ends: so
 * two that believe to be alone never mix.
 */
export class DatabaseBlocks {
    wholeBlocks = true;
    #db;
    #name;
    #map;
    #mark;
    #waiting = new Map();   // block → Uint8Array
    #storing = new Map();   // those of the transaction that is under way
    #turn = Promise.resolve();
    #failed;                // { error, time } of the last transaction
    #release;

    /** `release` is called in the end. `base`: see PackedBlocks.open(). */
    static async open(db, base, name, release) {
        const mark = `${Date.now()} ${Math.random()}`;
        const transaction = db.transaction(['overlays', 'maps'], 'readwrite', { durability: 'strict' });
        const overlays = transaction.objectStore('overlays');
        const found = await requested(overlays.get(name));
        const known = found ?? { name, bytes: base?.bytes, tag: '', fingerprint: undefined };
        const error = found || base ? checkIdentity(known, base, name)
            : new RvkitError('not-overlay', `${name}: holds nothing`);
        if (error) {
            transaction.abort();
            throw error;
        }
        const bound = { ...known, ...base && { tag: tagFor(base), fingerprint: base.fingerprint }, mark };
        overlays.put(bound);
        const map = new BlockMap(cowGeometry(known.bytes).blocks);
        const maps = transaction.objectStore('maps');
        const [keys, pages] = await Promise.all(
            [requested(maps.getAllKeys(blockRange(name))), requested(maps.getAll(blockRange(name)))]);
        keys.forEach(([, page], i) => map.page(page).set(pages[i]));
        await committed(transaction);
        return new DatabaseBlocks(db, bound, map, release);
    }

    constructor(db, known, map, release) {
        this.#db = db;
        this.known = known;
        this.#name = known.name;
        this.#mark = known.mark;
        this.#map = map;
        this.#release = release;
    }

    state(block) {
        return this.#map.get(block);
    }

    /** Always whole runs of DATA blocks; those in memory at once. */
    read(at, into) {
        const last = Math.floor((at + into.length - 1) / BLOCK);
        let first = -1;
        const missing = [];
        for (let block = Math.floor(at / BLOCK); block <= last; block++) {
            const bytes = this.#waiting.get(block) ?? this.#storing.get(block);
            if (bytes) {
                this.#copy(block, bytes, at, into);
                first = -1;
            } else if (first < 0) {
                missing.push([first = block, block]);
            } else {
                missing.at(-1)[1] = block;
            }
        }
        return missing.length ? this.#fetch(missing, at, into) : undefined;
    }

    #copy(block, bytes, at, into) {
        const start = block * BLOCK, from = Math.max(at, start);
        const to = Math.min(at + into.length, start + BLOCK);
        into.set(bytes.subarray(from - start, to - start), from - at);
    }

    async #fetch(missing, at, into) {
        const blocks = this.#db.transaction('blocks').objectStore('blocks');
        await Promise.all(missing.map(async ([first, last]) => {
            const found = await requested(blocks.getAll(blockRange(this.#name, first, last)));
            if (found.length !== last - first + 1) {
                throw new RvkitError('damaged', `the overlay is damaged: block ${first} is lost`);
            }
            found.forEach((bytes, i) => this.#copy(first + i, bytes, at, into));
        }));
    }

    write(at, data) {
        if (this.#waiting.size >= WAITING_MAX) {
            if (this.#failed && Date.now() - this.#failed.time < RETRY) {
                throw this.#failed.error;
            }
            return this.flush().then(() => this.#put(at, data));
        }
        return this.#put(at, data);
    }

    #put(at, data) {
        for (let done = 0; done < data.length; done += BLOCK) {
            const block = (at + done) / BLOCK;
            this.#waiting.set(block, data.slice(done, done + BLOCK));
            this.#map.set(block, DATA);
        }
    }

    zero(first, end) {
        for (let block = first; block < end; block++) {
            this.#waiting.delete(block);
            this.#map.set(block, ZERO);
        }
    }

    flush() {
        const turn = this.#turn.then(() => this.#store());
        this.#turn = turn.catch(() => {});
        return turn;
    }

    async #store() {
        const pages = [...this.#map.dirty];
        if (!this.#waiting.size && !pages.length) {
            return;
        }
        this.#storing = this.#waiting;
        this.#waiting = new Map();
        this.#map.dirty.clear();
        try {
            await this.#commit(pages);
            this.#storing = new Map();
            this.#failed = undefined;
        } catch (cause) {
            this.#takeBack(pages);
            const error = storageError(cause);
            this.#failed = { error, time: Date.now() };
            throw error;
        }
    }

    /** The transaction fails as a whole, and the blocks wait on. */
    #takeBack(pages) {
        for (const [block, bytes] of this.#storing) {
            this.#map.get(block) === DATA && !this.#waiting.has(block) && this.#waiting.set(block, bytes);
        }
        this.#storing = new Map();
        pages.forEach((page) => this.#map.dirty.add(page));
    }

    async #commit(pages) {
        const transaction = this.#db.transaction(['overlays', 'maps', 'blocks'], 'readwrite', { durability: 'strict' });
        const done = committed(transaction);
        const blocks = transaction.objectStore('blocks'), maps = transaction.objectStore('maps');
        // The pages are those of now: what changes while this is stored is stored the next time.
        transaction.objectStore('overlays').get(this.#name).onsuccess = ({ target }) => {
            if (target.result?.mark !== this.#mark) {
                transaction.reason = new RvkitError('lost', `${this.#name}: was opened or deleted elsewhere; ` +
                    'nothing more is stored here');
                transaction.abort();
            }
        };
        pages.forEach((page) => maps.put(this.#map.page(page).slice(), [this.#name, page]));
        this.#storing.forEach((bytes, block) => blocks.put(bytes, [this.#name, block]));
        this.#deleteZeros(pages, blocks);
        await done;
    }

    /** Blocks that have become zeros take no room. */
    #deleteZeros(pages, blocks) {
        for (const page of pages) {
            let first = -1;
            const start = page * BlockMap.PAGE_BLOCKS;
            for (let block = start; block <= start + BlockMap.PAGE_BLOCKS; block++) {
                const zero = block < start + BlockMap.PAGE_BLOCKS && this.#map.get(block) === ZERO;
                if (zero && first < 0) {
                    first = block;
                } else if (!zero && first >= 0) {
                    blocks.delete(blockRange(this.#name, first, block - 1));
                    first = -1;
                }
            }
        }
    }

    /** After an import: whose it is, as PackedBlocks.bind(). */
    async bind({ bytes, tag, fingerprint }) {
        const transaction = this.#db.transaction('overlays', 'readwrite', { durability: 'strict' });
        this.known = { ...this.known, bytes, tag: tagFor({ tag }), fingerprint };
        transaction.objectStore('overlays').put(this.known);
        await committed(transaction);
    }

    changes() {
        return this.#map.changes();
    }

    async close() {
        await this.#turn;
        this.#db.close();
        this.#release?.();
    }
}
