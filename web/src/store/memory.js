// SPDX-License-Identifier: MPL-2.0
// Disks in memory: bytes that are there, and blank disks that take memory where they are written.
import { RvkitError } from '../errors.js';
import { SECTOR, alignUp, checkRange, crc32, readOnlyError } from './util.js';

const CHUNK = 65536;

/** A disk in an ArrayBuffer or Uint8Array, which changes with it when its length is whole sectors. */
export class MemoryStore {
    #bytes;
    #tag;

    /** `tag`: what tells this image from others; default: a checksum of all bytes. */
    constructor(source, { readOnly = false, tag } = {}) {
        const bytes = ArrayBuffer.isView(source)
            ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
            : new Uint8Array(source);
        this.size = alignUp(bytes.length, SECTOR);
        this.readOnly = readOnly;
        this.bytes = bytes.length;
        this.#bytes = bytes;
        this.#tag = tag;
        if (this.size !== bytes.length) {
            this.#bytes = new Uint8Array(this.size);
            this.#bytes.set(bytes);
        }
    }

    identity() {
        this.#tag ??= `crc:${crc32(this.#bytes.subarray(0, this.bytes)).toString(16)}`;
        return { bytes: this.bytes, tag: this.#tag };
    }

    read(offset, into) {
        checkRange(this, offset, into.length);
        into.set(this.#bytes.subarray(offset, offset + into.length));
    }

    write(offset, data) {
        if (this.readOnly) {
            throw readOnlyError();
        }
        checkRange(this, offset, data.length);
        this.#bytes.set(data, offset);
    }

    flush() {}

    discard(offset, length) {
        if (this.readOnly) {
            throw readOnlyError();
        }
        checkRange(this, offset, length);
        this.#bytes.fill(0, offset, offset + length);
    }

    close() {
        this.#bytes = new Uint8Array(0);
        this.size = 0;
    }
}

/** A disk of zeros that takes memory in pieces of 64 KiB where it is written. */
export class BlankStore {
    #chunks = new Map();

    constructor(size, { readOnly = false } = {}) {
        if (!Number.isSafeInteger(size) || size < 0) {
            throw new RvkitError('size', `a blank disk needs a size, not ${size}`);
        }
        this.size = this.bytes = alignUp(size, SECTOR);
        this.readOnly = readOnly;
    }

    identity() {
        return { bytes: this.bytes, tag: 'blank' };
    }

    /** Calls `each(chunk number, offset in it, position, length)` for the pieces of a range. */
    #pieces(offset, length, each) {
        for (let done = 0; done < length;) {
            const at = (offset + done) % CHUNK;
            const count = Math.min(CHUNK - at, length - done);
            each((offset + done - at) / CHUNK, at, done, count);
            done += count;
        }
    }

    read(offset, into) {
        checkRange(this, offset, into.length);
        this.#pieces(offset, into.length, (number, at, done, count) => {
            const chunk = this.#chunks.get(number);
            chunk ? into.set(chunk.subarray(at, at + count), done) : into.fill(0, done, done + count);
        });
    }

    write(offset, data) {
        if (this.readOnly) {
            throw readOnlyError();
        }
        checkRange(this, offset, data.length);
        this.#pieces(offset, data.length, (number, at, done, count) => {
            let chunk = this.#chunks.get(number);
            if (!chunk) {
                this.#chunks.set(number, chunk = new Uint8Array(CHUNK));
            }
            chunk.set(data.subarray(done, done + count), at);
        });
    }

    flush() {}

    discard(offset, length) {
        if (this.readOnly) {
            throw readOnlyError();
        }
        checkRange(this, offset, length);
        this.#pieces(offset, length, (number, at, done, count) => {
            count === CHUNK ? this.#chunks.delete(number)
                : this.#chunks.get(number)?.fill(0, at, at + count);
        });
    }

    /** Bytes of memory that it takes. */
    get used() {
        return this.#chunks.size * CHUNK;
    }

    close() {
        this.#chunks.clear();
    }
}
