// SPDX-License-Identifier: MPL-2.0
// A cache of blocks over something that is read in ranges, with read-ahead.
import { after } from './util.js';

/**
 * Holds the blocks used last. What is on its way is asked for once, neighbours are asked for together,
 * and after a few sequential reads the next blocks are fetched early.
 */
export class BlockCache {
    #fetch;
    #bytes;
    #block;
    #capacity;
    #most;
    #streams;
    #running = 0;
    #queue = [];
    #blocks = new Map();    // number → Uint8Array, the one used last at the end
    #coming = new Map();    // number → promise of it
    #next = -1;             // where a sequential read would go on
    #ahead = 0;             // blocks to be fetched early

    /**
     * `fetch(offset, length)` gives a promise of exactly these bytes, inside of `bytes`. `block`: bytes
     * in a block; `capacity`: blocks held; `most`: blocks asked for in one fetch; `streams`: fetches
     * at a time.
     */
    constructor(fetch, bytes, { block, capacity, most, streams }) {
        this.#fetch = fetch;
        this.#bytes = bytes;
        this.#block = block;
        this.#capacity = Math.max(capacity, 1);
        this.#most = Math.max(most, 1);
        this.#streams = streams;
    }

    /** Puts bytes in that are known already: whole blocks from 0 on, or all there is. */
    prime(bytes) {
        for (let at = 0; at < bytes.length; at += this.#block) {
            const part = bytes.subarray(at, at + this.#block);
            if (part.length === this.#block || at + part.length === this.#bytes) {
                this.#keep(at / this.#block, part.slice());
            }
        }
    }

    /** Fills `into`, zeros after the end: at once when all of it is there, else a promise. */
    read(offset, into) {
        const end = Math.min(offset + into.length, this.#bytes);
        const filled = Math.max(end - offset, 0);
        into.fill(0, filled);
        if (!filled) {
            return undefined;
        }
        const first = Math.floor(offset / this.#block), last = Math.floor((end - 1) / this.#block);
        this.#request(first, last);
        const waits = [];
        for (let number = first; number <= last; number++) {
            const start = number * this.#block;
            const from = Math.max(offset, start), to = Math.min(end, start + this.#block);
            const copied = after(this.#find(number), (bytes) =>
                into.set(bytes.subarray(from - start, to - start), from - offset));
            copied && waits.push(copied);
        }
        this.#readAhead(offset, end, last);
        return waits.length ? Promise.all(waits).then(() => {}) : undefined;
    }

    #find(number) {
        const bytes = this.#blocks.get(number);
        if (bytes) { // the one used last goes to the end
            this.#blocks.delete(number);
            this.#blocks.set(number, bytes);
        }
        return bytes ?? this.#coming.get(number);
    }

    #keep(number, bytes) {
        this.#blocks.delete(number);
        this.#blocks.set(number, bytes);
        if (this.#blocks.size > this.#capacity) {
            this.#blocks.delete(this.#blocks.keys().next().value);
        }
    }

    /** Asks for those of the blocks that are neither there nor on their way. */
    #request(first, last) {
        for (let number = first; number <= last; number++) {
            let end = number;
            while (end <= last && end - number < this.#most &&
                !this.#blocks.has(end) && !this.#coming.has(end)) {
                end++;
            }
            if (end > number) {
                this.#start(number, end);
                number = end - 1;
            }
        }
    }

    #start(first, end) {
        const offset = first * this.#block;
        const all = this.#turn(() => this.#fetch(offset, Math.min(end * this.#block, this.#bytes) - offset));
        for (let number = first; number < end; number++) {
            const at = (number - first) * this.#block;
            const one = all.then((bytes) => {
                const part = end - first === 1 ? bytes : bytes.slice(at, at + this.#block);
                this.#coming.delete(number);
                this.#keep(number, part);
                return part;
            }, (error) => {
                this.#coming.delete(number);
                throw error;
            });
            one.catch(() => {}); // of read-ahead nobody asks
            this.#coming.set(number, one);
        }
    }

    /** Runs when fewer than `streams` others run. */
    async #turn(run) {
        if (this.#running >= this.#streams) {
            await new Promise((resolve) => this.#queue.push(resolve)); // the turn is handed over
        } else {
            this.#running++;
        }
        try {
            return await run();
        } finally {
            const next = this.#queue.shift();
            next ? next() : this.#running--;
        }
    }

    #readAhead(offset, end, last) {
        this.#ahead = offset === this.#next ? Math.min(Math.max(this.#ahead * 2, 1), this.#most) : 0;
        this.#next = end;
        const limit = Math.min(last + this.#ahead, Math.ceil(this.#bytes / this.#block) - 1);
        let from = last + 1;
        while (from <= limit && (this.#blocks.has(from) || this.#coming.has(from))) {
            from++;
        }
        // Not one block at a time, and not before what was asked for.
        if (from <= limit && this.#running < this.#streams &&
            (limit - from + 1) * 2 >= Math.min(this.#ahead, limit - last)) {
            this.#request(from, limit);
        }
    }
}
