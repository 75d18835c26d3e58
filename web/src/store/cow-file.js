// SPDX-License-Identifier: MPL-2.0
// An overlay in the format of native rvkit's `-drive FILE,cow=OVERLAY`: docs/cow-format.md.
import { RvkitError } from '../errors.js';
import { BlockMap } from './blocks.js';
import { BAD, BLOCK, DATA, ZERO, crc32, isZero } from './util.js';

export const MAGIC = 'RVKITCOW';
export const HEADER = 4096;
const DATA_ALIGN = 1 << 20;
const SIZE_MAX = 2 ** 44;

/** For a base of so many bytes: { blocks, pages, data }. */
export function cowGeometry(bytes) {
    if (bytes > SIZE_MAX) {
        throw new RvkitError('too-large', 'the image is too large for an overlay: at most 16 TiB');
    }
    const blocks = Math.ceil(bytes / BLOCK);
    const pages = Math.ceil(blocks / BlockMap.PAGE_BLOCKS);
    return { blocks, pages, data: Math.ceil((HEADER + pages * BlockMap.PAGE) / DATA_ALIGN) * DATA_ALIGN };
}

export function putMagic(view, version) {
    for (let i = 0; i < MAGIC.length; i++) {
        view.setUint8(i, MAGIC.charCodeAt(i));
    }
    view.setUint32(8, version, true);
    view.setUint32(12, BLOCK, true);
}

export const hasMagic = (bytes) => bytes.length >= 8 && String.fromCharCode(...bytes.subarray(0, 8)) === MAGIC;

/** The checksum at the end of a header or page. */
export const crcFits = (bytes) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true) ===
    crc32(bytes.subarray(0, bytes.length - 4));

export function putCrc(bytes) {
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 4,
        crc32(bytes.subarray(0, bytes.length - 4)), true);
}

/** `base`: { bytes, seconds, nanos }, or { bytes, fingerprint } where no file's time is known. */
export function cowHeader(base) {
    const header = new Uint8Array(HEADER), view = new DataView(header.buffer);
    putMagic(view, 1);
    view.setBigUint64(16, BigInt(base.bytes), true);
    if (base.seconds === undefined) {
        view.setUint32(36, 1, true);
        view.setUint32(56, base.fingerprint, true);
    } else {
        view.setBigInt64(24, BigInt(base.seconds), true);
        view.setUint32(32, base.nanos, true);
    }
    view.setBigUint64(40, BigInt(HEADER), true);
    view.setBigUint64(48, BigInt(cowGeometry(base.bytes).data), true);
    putCrc(header);
    return header;
}

/** What a header says: { bytes, seconds, nanos } or { bytes, fingerprint }. */
export function parseCowHeader(header, name) {
    const fail = (why) => new RvkitError('damaged', `${name}: ${why}`);
    if (!hasMagic(header)) {
        throw new RvkitError('not-overlay', `${name}: is not an overlay of rvkit`);
    }
    if (header.length < HEADER || !crcFits(header)) {
        throw fail('is damaged: the checksum of its header is wrong');
    }
    const view = new DataView(header.buffer, header.byteOffset);
    const foreign = view.getUint32(36, true) === 1;
    const bytes = Number(view.getBigUint64(16, true));
    const base = foreign ? { bytes, fingerprint: view.getUint32(56, true) }
        : { bytes, seconds: view.getBigInt64(24, true), nanos: view.getUint32(32, true) };
    if (bytes > SIZE_MAX || cowHeader(base).some((byte, at) => byte !== header[at])) {
        throw new RvkitError('version', `${name}: was made by another version of rvkit`);
    }
    return base;
}

/** NULL: the header's base is this one; else the error. */
export function checkBase(header, base, name) {
    const fail = (why) => new RvkitError('base-changed', `${name}: does not fit: ${why}`);
    if (header.bytes !== base.bytes) {
        return fail('the base image has another size than when the overlay was made');
    }
    if (header.fingerprint !== undefined) {
        return header.fingerprint === base.fingerprint ? null
            : fail('the base image begins otherwise than when the overlay was made');
    }
    return header.seconds === BigInt(base.seconds ?? -1) && header.nanos === base.nanos ? null
        : fail('the base image has changed since the overlay was made');
}

/** Reads or writes all of it through a handle, which may be a FileSystemSyncAccessHandle. */
export function readFully(handle, bytes, at) {
    for (let done = 0; done < bytes.length;) {
        const count = handle.read(bytes.subarray(done), { at: at + done });
        if (!count) {
            throw new RvkitError('damaged', 'the overlay is damaged: it has been cut short');
        }
        done += count;
    }
}

export function writeFully(handle, bytes, at) {
    for (let done = 0; done < bytes.length;) {
        const count = handle.write(bytes.subarray(done), { at: at + done });
        if (!count) {
            throw new RvkitError('quota', 'there is no room left for what the guest writes');
        }
        done += count;
    }
}

/** Blocks in a file, each at its place. */
export class CowFileBlocks {
    wholeBlocks = false;
    #handle;
    #map;
    #data;
    #failed;

    /**
     * `handle` becomes this object's. `base`: as for cowHeader, and `fingerprint` in each case. An empty
     * file, or one whose making was interrupted, becomes a new overlay.
     */
    static open(handle, base, name) {
        const header = new Uint8Array(HEADER);
        const size = handle.getSize();
        handle.read(header, { at: 0 });
        const { data } = cowGeometry(base.bytes);
        if ((size === 0 || size === data) && isZero(header)) {
            handle.truncate(data);
            handle.flush();
            writeFully(handle, cowHeader(base), 0);
            handle.flush();
        } else {
            const error = checkBase(parseCowHeader(header, name), base, name);
            if (error) {
                throw error;
            }
            if (size < data) {
                throw new RvkitError('damaged', `${name}: is damaged: it has been cut short`);
            }
        }
        return new CowFileBlocks(handle, base);
    }

    constructor(handle, base) {
        const { blocks, data } = cowGeometry(base.bytes);
        this.#handle = handle;
        this.#data = data;
        this.#map = new BlockMap(blocks);
        readFully(handle, this.#map.bytes, HEADER);
    }

    state(block) {
        return this.#map.get(block);
    }

    read(at, into) {
        readFully(this.#handle, into, this.#data + at);
    }

    write(at, data) {
        writeFully(this.#handle, data, this.#data + at);
        const last = Math.floor((at + data.length - 1) / BLOCK);
        for (let block = Math.floor(at / BLOCK); block <= last; block++) {
            if (this.#map.get(block) === BAD) {
                throw new RvkitError('damaged', `the overlay is damaged: block ${block} is lost`);
            }
            this.#map.set(block, DATA);
        }
    }

    zero(first, end) {
        for (let block = first; block < end; block++) {
            this.#map.set(block, ZERO);
        }
    }

    /** Data first, then the map that names it. After a sync that failed nothing is promised any more. */
    flush() {
        this.#sync();
        if (this.#map.dirty.size) {
            for (const page of this.#map.dirty) {
                writeFully(this.#handle, this.#map.page(page), HEADER + page * BlockMap.PAGE);
            }
            this.#sync();
            this.#map.dirty.clear();
        }
    }

    #sync() {
        if (this.#failed) {
            throw this.#failed;
        }
        try {
            this.#handle.flush();
        } catch (cause) {
            throw this.#failed = new RvkitError('io', `the overlay cannot be written: ${cause.message}`, { cause });
        }
    }

    changes() {
        return this.#map.changes();
    }

    close() {
        this.#handle.close();
    }
}
