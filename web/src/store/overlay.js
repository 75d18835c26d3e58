// SPDX-License-Identifier: MPL-2.0
// Copy on write: a disk whose changes go elsewhere.
import { RvkitError } from '../errors.js';
import { cowBlob } from './transfer.js';
import {
    BASE, BLOCK, DATA, ZERO, after, checkRange, identify, isPromise, readOnlyError,
} from './util.js';

/**
 * A BlockStore over `base`, with what was written in `blocks`, which has:
 *   wholeBlocks          true: write() takes whole blocks alone
 *   state(n)             of block n
 *   read(at, into)       bytes of DATA blocks; may give a promise
 *   write(at, data)      the blocks become DATA once the bytes are there; a block that is not DATA is
 *                        written whole (its bytes after the disk's end are zeros)
 *   zero(first, end)     the blocks become ZERO
 *   flush()              all of that is durable when it ends
 *   changes()            how many blocks are not BASE
 *   close()
 * Changes of one block never overlap.
 */
export class OverlayStore {
    #base;
    #blocks;
    #busy = [];     // { first, last, done } of changes that take long
    #onerror;
    #told = new Set();
    #closed = false;

    constructor(base, blocks, { readOnly = false, onerror } = {}) {
        this.size = base.size;
        this.readOnly = readOnly;
        this.#base = base;
        this.#blocks = blocks;
        this.#onerror = onerror;
    }

    /** How many blocks are not as in the base. */
    get changes() {
        return this.#blocks.changes();
    }

    /** What was changed, as a file for native `cow=` and importOverlay(); null: nothing. */
    async exportOverlay(options) {
        const { bytes, fingerprint } = await identify(this.#base);
        return this.changes ? cowBlob(this.#blocks, { bytes, fingerprint }, options) : null;
    }

    /** Passes the error on; tells the page once of each kind. */
    #fail(error) {
        if (error instanceof RvkitError && !this.#told.has(error.code)) {
            this.#told.add(error.code);
            this.#onerror?.(error);
        }
        throw error;
    }

    /** Runs `act`; errors that it throws and those of its promise go through #fail. */
    #guard(act) {
        try {
            if (this.#closed) {
                throw new RvkitError('closed', 'the disk is closed');
            }
            const result = act();
            return isPromise(result) ? result.then(() => {}, (error) => this.#fail(error)) : undefined;
        } catch (error) {
            return this.#fail(error);
        }
    }

    read(offset, into) {
        checkRange(this, offset, into.length);
        return this.#guard(() => this.#read(offset, into));
    }

    write(offset, data) {
        this.#checkChange(offset, data.length);
        return data.length ? this.#change(offset, data.length, () => this.#write(offset, data)) : undefined;
    }

    discard(offset, length) {
        this.#checkChange(offset, length);
        return length ? this.#change(offset, length, () => this.#discard(offset, length)) : undefined;
    }

    flush() {
        return this.readOnly ? undefined : this.#guard(() => this.#blocks.flush());
    }

    /**
     * Closes both. What is under way ends first, with an error where it waits for the base; what was not
     * flushed may be there or not.
     */
    async close() {
        if (this.#closed) {
            return;
        }
        this.#closed = true;
        const base = (async () => this.#base.close())(); // which may be waiting for a network
        base.catch(() => {});
        await Promise.all(this.#busy.map((entry) => entry.done));
        try {
            await this.#blocks.close();
        } finally {
            await base;
        }
    }

    #checkChange(offset, length) {
        if (this.readOnly) {
            throw readOnlyError();
        }
        checkRange(this, offset, length);
    }

    /** Reads runs of blocks of the same state. */
    #read(offset, into) {
        const end = offset + into.length;
        const waits = [];
        for (let at = offset; at < end;) {
            let block = Math.floor(at / BLOCK);
            const state = this.#blocks.state(block);
            do {
                block++;
            } while (block * BLOCK < end && this.#blocks.state(block) === state);
            const next = Math.min(block * BLOCK, end);
            const wait = this.#readRun(state, at, into.subarray(at - offset, next - offset));
            wait && waits.push(wait);
            at = next;
        }
        return waits.length ? Promise.all(waits) : undefined;
    }

    #readRun(state, at, into) {
        switch (state) {
        case BASE: return this.#base.read(at, into);
        case DATA: return this.#blocks.read(at, into);
        case ZERO: return void into.fill(0);
        default: throw new RvkitError('damaged', `the overlay is damaged: block ${Math.floor(at / BLOCK)} is lost`);
        }
    }

    /** Runs `act` when nothing else changes the same blocks. */
    #change(offset, length, act) {
        const first = Math.floor(offset / BLOCK), last = Math.floor((offset + length - 1) / BLOCK);
        const other = this.#busy.find((entry) => entry.first <= last && first <= entry.last);
        if (other) {
            return other.done.then(() => this.#change(offset, length, act));
        }
        const result = this.#guard(act);
        if (!isPromise(result)) {
            return undefined;
        }
        const entry = { first, last };
        const end = () => {
            this.#busy.splice(this.#busy.indexOf(entry), 1);
        };
        entry.done = result.then(end, end);
        this.#busy.push(entry);
        return entry.done.then(() => result);
    }

    /** Whether a block that is written in part must be written whole. */
    #needsWhole(block) {
        return this.#blocks.wholeBlocks || this.#blocks.state(block) !== DATA;
    }

    #write(offset, data) {
        const end = offset + data.length;
        const first = Math.floor(offset / BLOCK), last = Math.floor((end - 1) / BLOCK);
        const from = offset % BLOCK && this.#needsWhole(first) ? first * BLOCK : offset;
        const to = end % BLOCK && this.#needsWhole(last) ? (last + 1) * BLOCK : end;
        if (from === offset && to === end) {
            return this.#blocks.write(offset, data);
        }
        const whole = new Uint8Array(to - from);
        const waits = [];
        const keep = (start, stop) => { // what is there stays
            stop = Math.min(stop, this.size);
            const wait = start < stop && this.#read(start, whole.subarray(start - from, stop - from));
            wait && waits.push(wait);
        };
        keep(from, offset);
        keep(end, to);
        return after(waits.length ? Promise.all(waits) : undefined, () => {
            whole.set(data, offset - from);
            return this.#blocks.write(from, whole);
        });
    }

    /** Whole blocks become zeros; the rest stays. */
    #discard(offset, length) {
        const first = Math.ceil(offset / BLOCK);
        const end = offset + length === this.size ? Math.ceil(this.size / BLOCK)
            : Math.floor((offset + length) / BLOCK);
        return first < end ? this.#blocks.zero(first, end) : undefined;
    }
}
