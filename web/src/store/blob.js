// SPDX-License-Identifier: MPL-2.0
// A disk in a File or Blob: read-only, read in slices when they are needed.
import { RvkitError } from '../errors.js';
import { BlockCache } from './cache.js';
import { MemoryStore } from './memory.js';
import { SECTOR, alignUp, checkRange, crc32, gunzip, looksPacked, packedError, readOnlyError } from './util.js';

const SAMPLES = 64, SAMPLE = 4096;

async function blobBytes(blob, from, to, name) {
    let bytes;
    try {
        bytes = new Uint8Array(await blob.slice(from, to).arrayBuffer());
    } catch (cause) {
        const why = cause?.name === 'NotReadableError' ? 'has changed, or cannot be read any more'
            : cause?.name === 'NotFoundError' ? 'is gone' : `cannot be read: ${cause?.message}`;
        throw new RvkitError('changed', `${name}: the file ${why}`, { cause });
    }
    if (bytes.length !== to - from) {
        throw new RvkitError('changed', `${name}: the file has become shorter`);
    }
    return bytes;
}

/** A File is known by its time. A Blob has none: pieces of it that are spread evenly are looked at. */
async function blobTag(blob, name) {
    if (Number.isFinite(blob.lastModified)) {
        return `file:${blob.lastModified}`;
    }
    const step = Math.max(Math.floor(blob.size / SAMPLES / SAMPLE), 1) * SAMPLE;
    let crc = 0;
    for (let at = 0; at < blob.size; at += step) {
        crc = crc32(await blobBytes(blob, at, Math.min(at + SAMPLE, blob.size), name), crc);
    }
    return `blob:${crc.toString(16)}`;
}

export class BlobStore {
    #cache;
    #blob;
    #tag;
    #name;

    /** `limits.unpack`: the most that a packed image may have unpacked. */
    static async open(blob, { limits, block = 256 * 1024, capacity = 64 }) {
        const name = blob.name ?? 'the image';
        const head = await blobBytes(blob, 0, Math.min(2, blob.size), name);
        if (!looksPacked(head)) {
            return new BlobStore(blob, name, block, capacity);
        }
        if (blob.size > limits.packed) {
            throw packedError(name, blob.size, limits.packed);
        }
        const tag = `gzip:${await blobTag(blob, name)}`;
        return new MemoryStore(await gunzip(blob.stream(), limits.unpack, name), { readOnly: true, tag });
    }

    constructor(blob, name, block, capacity) {
        this.size = alignUp(blob.size, SECTOR);
        this.bytes = blob.size;
        this.readOnly = true;
        this.#blob = blob;
        this.#name = name;
        this.#cache = new BlockCache((offset, length) => blobBytes(this.#blob, offset, offset + length, name),
            blob.size, { block, capacity, most: 8, streams: 4 });
    }

    async identity() {
        this.#tag ??= await blobTag(this.#blob, this.#name);
        return { bytes: this.bytes, tag: this.#tag };
    }

    read(offset, into) {
        checkRange(this, offset, into.length);
        return this.#cache.read(offset, into);
    }

    write() {
        throw readOnlyError();
    }

    flush() {}

    close() {}
}
