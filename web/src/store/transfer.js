// SPDX-License-Identifier: MPL-2.0
// Disks and overlays as files: out, and overlays in again.
import { RvkitError } from '../errors.js';
import { BlockMap } from './blocks.js';
import { HEADER, cowGeometry, cowHeader, parseCowHeader } from './cow-file.js';
import { BAD, BLOCK, DATA, ZERO, joinBytes, looksPacked } from './util.js';

const PIECE = 1 << 20;

/** The disk as the guest sees it, as a stream. Changes meanwhile are in it or not. */
export function exportDisk(store, { signal } = {}) {
    let at = 0;
    return new ReadableStream({
        async pull(controller) {
            if (signal?.aborted) {
                throw signal.reason;
            }
            if (at >= store.size) {
                controller.close();
                return;
            }
            const bytes = new Uint8Array(Math.min(PIECE, store.size - at));
            await store.read(at, bytes);
            at += bytes.length;
            controller.enqueue(bytes);
        },
    }, { highWaterMark: 1 });
}

/** The map of an overlay as a file has it. */
function mapOf(blocks, count) {
    const map = new BlockMap(count);
    for (let block = 0; block < count; block++) {
        const state = blocks.state(block);
        if (state === BAD) {
            throw new RvkitError('damaged', `the overlay is damaged: block ${block} is lost`);
        }
        map.set(block, state);
    }
    return map;
}

/** Runs of DATA blocks: [first, end], of at most 1 MiB. */
function* dataRuns(map, count) {
    for (let block = 0; block < count; block++) {
        if (map.get(block) !== DATA) {
            continue;
        }
        const first = block;
        while (block < count && map.get(block) === DATA && block - first < PIECE / BLOCK) {
            block++;
        }
        yield [first, block--];
    }
}

/**
 * The overlay in the format of native rvkit, in pieces: bytes, or a number of zeros. `base`: { bytes,
 * fingerprint }.
 */
export async function* cowPieces(blocks, base) {
    const { blocks: count, data } = cowGeometry(base.bytes);
    const map = mapOf(blocks, count);
    yield cowHeader(base);
    yield map.bytes;
    let at = HEADER + map.bytes.length;
    for (const [first, end] of [...dataRuns(map, count)]) {
        if (data + first * BLOCK > at) {
            yield data + first * BLOCK - at;
        }
        const bytes = new Uint8Array((end - first) * BLOCK);
        await blocks.read(first * BLOCK, bytes);
        yield bytes;
        at = data + end * BLOCK;
    }
    if (at < data) {
        yield data - at;
    }
}

/** The overlay as a Blob; its holes take no memory. With `gzip` it is small, but takes a while. */
export async function cowBlob(blocks, base, { gzip = false } = {}) {
    if (base.fingerprint === undefined) {
        throw new RvkitError('unused', 'the overlay was imported and not used yet: there is nothing new in it');
    }
    const type = gzip ? 'application/gzip' : 'application/octet-stream';
    const zeros = new Uint8Array(PIECE);
    if (gzip) {
        return new Response(piecesStream(cowPieces(blocks, base), zeros)
            .pipeThrough(new CompressionStream('gzip')), { headers: { 'content-type': type } }).blob();
    }
    const parts = [], hole = new Blob([zeros]);
    for await (const piece of cowPieces(blocks, base)) {
        if (typeof piece !== 'number') {
            parts.push(new Blob([piece]));
            continue;
        }
        for (let left = piece; left > 0; left -= PIECE) {
            // Of its own, not a slice of the other: Node 18 loses its place behind parts that are slices.
            parts.push(left >= PIECE ? hole : new Blob([zeros.subarray(0, left)]));
        }
    }
    return new Blob(parts, { type });
}

function piecesStream(pieces, zeros) {
    let hole = 0;
    return new ReadableStream({
        async pull(controller) {
            if (!hole) {
                const { done, value } = await pieces.next();
                if (done) {
                    controller.close();
                    return;
                }
                if (typeof value !== 'number') {
                    controller.enqueue(value);
                    return;
                }
                hole = value;
            }
            const bytes = zeros.slice(0, Math.min(hole, PIECE));
            hole -= bytes.length;
            controller.enqueue(bytes);
        },
    }, { highWaterMark: 1 });
}

/** Reads forwards: slices of a Blob, or what comes out of gzip. */
class ForwardReader {
    #blob;
    #reader;
    #chunk = new Uint8Array(0);
    #at = 0;

    static async open(blob) {
        const head = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
        return new ForwardReader(blob, looksPacked(head));
    }

    constructor(blob, packed) {
        this.#blob = blob;
        this.#reader = packed ? blob.stream().pipeThrough(new DecompressionStream('gzip')).getReader() : null;
    }

    /** Bytes; Infinity: not known before they were read. */
    get size() {
        return this.#reader ? Infinity : this.#blob.size;
    }

    /** Up to `length` bytes from `at` on; fewer at the end. */
    async read(at, length) {
        if (!this.#reader) {
            return new Uint8Array(await this.#blob.slice(at, at + length).arrayBuffer());
        }
        const chunks = [];
        let missing = length;
        for (let skip = at - this.#at; missing && (this.#chunk.length || await this.#more());) {
            const skipped = Math.min(skip, this.#chunk.length);
            const taken = Math.min(this.#chunk.length - skipped, missing);
            chunks.push(this.#chunk.subarray(skipped, skipped + taken));
            this.#chunk = this.#chunk.subarray(skipped + taken);
            this.#at += skipped + taken;
            skip -= skipped;
            missing -= taken;
        }
        return joinBytes(chunks);
    }

    async #more() {
        try {
            const { done, value } = await this.#reader.read();
            this.#chunk = done ? this.#chunk : value;
            return !done;
        } catch (cause) {
            throw new RvkitError('damaged', 'the file cannot be unpacked: it is damaged or cut short', { cause });
        }
    }

    close() {
        this.#reader?.cancel().catch(() => {});
    }
}

/**
 * Puts the overlay in `blob` into new blocks: `make({ bytes, fingerprint })` gives them. They are
 * flushed; `name` is for messages.
 */
export async function importCow(blob, make, name, { onprogress, signal } = {}) {
    const reader = await ForwardReader.open(blob);
    try {
        const base = parseCowHeader(await reader.read(0, HEADER), name);
        const { blocks: count, pages, data } = cowGeometry(base.bytes);
        const short = () => new RvkitError('damaged', `${name}: is damaged: it has been cut short`);
        if (reader.size < HEADER + pages * BlockMap.PAGE) { // before there is memory for what it claims
            throw short();
        }
        const map = new BlockMap(count);
        const bytes = await reader.read(HEADER, map.bytes.length);
        if (bytes.length < map.bytes.length) {
            throw short();
        }
        map.bytes.set(bytes);
        const blocks = await make({ bytes: base.bytes, fingerprint: base.fingerprint });
        await putZeros(map, count, blocks);
        for (const [first, end] of dataRuns(map, count)) {
            signal?.throwIfAborted();
            const part = new Uint8Array((end - first) * BLOCK);
            const got = await reader.read(data + first * BLOCK, part.length);
            if (got.length < part.length && end * BLOCK < base.bytes) {
                throw short();
            }
            part.set(got);
            await blocks.write(first * BLOCK, part);
            onprogress?.({ what: name, loaded: end * BLOCK, total: base.bytes });
        }
        await blocks.flush();
        return blocks;
    } finally {
        reader.close();
    }
}

async function putZeros(map, count, blocks) {
    for (let block = 0; block < count; block++) {
        const first = block;
        while (block < count && map.get(block) === ZERO) {
            block++;
        }
        if (block > first) {
            await blocks.zero(first, block);
        }
        if (block < count && map.get(block) === BAD) {
            throw new RvkitError('damaged', `the overlay is damaged: block ${block} is lost`);
        }
    }
}

