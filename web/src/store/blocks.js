// SPDX-License-Identifier: MPL-2.0
// Where an overlay's blocks lie: in memory; and the map of two bits a block that others use.
import { BASE, BLOCK, DATA, ZERO } from './util.js';

/** The map of docs/cow-format.md, and which of its pages have changed since they were taken. */
export class BlockMap {
    static PAGE = 4096;
    static PAGE_BLOCKS = 4096 * 4;

    constructor(blocks) {
        this.pages = Math.ceil(blocks / BlockMap.PAGE_BLOCKS);
        this.bytes = new Uint8Array(this.pages * BlockMap.PAGE);
        this.dirty = new Set();
    }

    get(block) {
        return this.bytes[block >>> 2] >>> (block & 3) * 2 & 3;
    }

    set(block, state) {
        const shift = (block & 3) * 2, old = this.bytes[block >>> 2];
        const now = old & ~(3 << shift) | state << shift;
        if (now !== old) {
            this.bytes[block >>> 2] = now;
            this.dirty.add(Math.floor(block / BlockMap.PAGE_BLOCKS));
        }
    }

    page(number) {
        return this.bytes.subarray(number * BlockMap.PAGE, (number + 1) * BlockMap.PAGE);
    }

    /** How many blocks are not in the base. */
    changes() {
        let count = 0;
        for (const byte of this.bytes) {
            count += byte && !!(byte & 3) + !!(byte & 12) + !!(byte & 48) + !!(byte & 192);
        }
        return count;
    }
}

/** Blocks in memory. They are gone with it. */
export class MemoryBlocks {
    wholeBlocks = false;
    #blocks = new Map();    // number → Uint8Array; null: zeros

    state(block) {
        const bytes = this.#blocks.get(block);
        return bytes ? DATA : bytes === null ? ZERO : BASE;
    }

    read(at, into) {
        for (let done = 0; done < into.length;) {
            const from = (at + done) % BLOCK, count = Math.min(BLOCK - from, into.length - done);
            into.set(this.#blocks.get((at + done - from) / BLOCK).subarray(from, from + count), done);
            done += count;
        }
    }

    write(at, data) {
        for (let done = 0; done < data.length;) {
            const from = (at + done) % BLOCK, count = Math.min(BLOCK - from, data.length - done);
            const part = data.subarray(done, done + count), number = (at + done - from) / BLOCK;
            const old = this.#blocks.get(number);
            old ? old.set(part, from) : this.#blocks.set(number, part.slice());
            done += count;
        }
    }

    zero(first, end) {
        for (let block = first; block < end; block++) {
            this.#blocks.set(block, null);
        }
    }

    flush() {}

    changes() {
        return this.#blocks.size;
    }

    close() {
        this.#blocks.clear();
    }
}
