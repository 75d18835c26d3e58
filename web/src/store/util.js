// SPDX-License-Identifier: MPL-2.0
// What the stores share.
import { RvkitError } from '../errors.js';

export const SECTOR = 512;

/** Of overlays: bytes in a block, and its states, as in docs/cow-format.md. */
export const BLOCK = 4096;
export const BASE = 0, DATA = 1, ZERO = 2, BAD = 3;

/** The bytes at a disk's beginning that tell one image from another. */
export const FINGERPRINT_BYTES = 65536;

export const alignUp = (n, to) => Math.ceil(n / to) * to;

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) {
        n = n >>> 1 ^ (n & 1 ? 0xEDB88320 : 0);
    }
    return n;
});

/** CRC-32 as in Ethernet and zip; `crc` is that of the bytes before. */
export function crc32(bytes, crc = 0) {
    crc = ~crc;
    for (let i = 0; i < bytes.length; i++) {
        crc = crc >>> 8 ^ crcTable[(crc ^ bytes[i]) & 255];
    }
    return ~crc >>> 0;
}

export function isZero(bytes) {
    for (let i = 0; i < bytes.length; i++) {
        if (bytes[i]) {
            return false;
        }
    }
    return true;
}

export const isPromise = (value) => typeof value?.then === 'function';

/** `next(value)`: at once, or when the promise has ended. */
export const after = (value, next) => isPromise(value) ? value.then(next) : next(value);

/** "12 MiB" */
export function sizeText(bytes) {
    const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
    let unit = 0;
    while (bytes >= 1024 && unit < units.length - 1) {
        bytes /= 1024;
        unit++;
    }
    return `${unit && bytes < 10 ? Math.round(bytes * 10) / 10 : Math.round(bytes)} ${units[unit]}`;
}

/** "128M" or 134217728, as bytes; undefined for what is not a size. */
export function parseSize(size) {
    const [, number, unit] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(String(size)) ?? [];
    const bytes = number * 1024 ** ' KMGT'.indexOf((unit || ' ').toUpperCase());
    return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A request of the contract: whole sectors inside of the store. */
export function checkRange(store, offset, length) {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset % SECTOR || length % SECTOR ||
        offset + length > store.size) {
        throw new RvkitError('range', `${length} bytes at ${offset} are not sectors of this disk`);
    }
}

export function readOnlyError() {
    return new RvkitError('read-only', 'the disk is read-only');
}

export const looksPacked = (bytes) => bytes.length >= 2 && bytes[0] === 0x1F && bytes[1] === 0x8B;

/**
 * The bytes of a stream. `limit`: more than that is the error `too-large`, made by `tooLarge()`.
 * `progress(loaded)` is told now and then.
 */
export async function readStream(stream, limit, tooLarge, progress) {
    const reader = stream.getReader();
    const chunks = [];
    let loaded = 0;
    try {
        for (;;) {
            const { done, value } = await reader.read();
            if (done) {
                break;
            }
            loaded += value.length;
            if (loaded > limit) {
                throw tooLarge();
            }
            chunks.push(value);
            progress?.(loaded);
        }
    } catch (error) {
        reader.cancel(error).catch(() => {});
        throw error;
    }
    return joinBytes(chunks, loaded);
}

export function joinBytes(chunks, length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)) {
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
        bytes.set(chunk, at);
        at += chunk.length;
    }
    return bytes;
}

/** Unpacks gzip. Damaged or cut-off data is the error `damaged`. */
export async function gunzip(stream, limit, name) {
    const tooLarge = () => new RvkitError('too-large',
        `${name}: is packed with gzip, and unpacked larger than ${sizeText(limit)}; ` +
        'unpack it, so that it can be read in parts');
    try {
        return await readStream(stream.pipeThrough(new DecompressionStream('gzip')), limit, tooLarge);
    } catch (error) {
        if (error instanceof RvkitError || error?.name === 'AbortError') {
            throw error;
        }
        throw new RvkitError('damaged', `${name}: cannot be unpacked: the gzip data is damaged or cut short`,
            { cause: error });
    }
}

/** The error for a packed image that is too large to be unpacked into memory. */
export function packedError(name, bytes, limit) {
    return new RvkitError('packed', `${name}: is packed with gzip (${sizeText(bytes)}; up to ` +
        `${sizeText(limit)} would be unpacked into memory): unpack it, so that it can be read in parts`);
}

/**
 * What tells a base from others: { bytes, tag, fingerprint, seconds?, nanos? }. `tag` is "" where it has
 * none; the fingerprint is a checksum of its first bytes.
 */
export async function identify(base) {
    const identity = await base.identity?.() ?? {};
    const bytes = identity.bytes ?? base.size;
    const length = Math.min(bytes, FINGERPRINT_BYTES);
    const head = new Uint8Array(alignUp(length, SECTOR));
    await base.read(0, head);
    return { tag: '', ...identity, bytes, fingerprint: crc32(head.subarray(0, length)) };
}

/** Waits; ends early, with the signal's reason, when it is aborted. */
export function delay(ms, signal) {
    return new Promise((resolve, reject) => {
        const end = () => {
            clearTimeout(timer);
            reject(signal.reason);
        };
        const timer = setTimeout(() => {
            signal?.removeEventListener('abort', end);
            resolve();
        }, ms);
        signal?.aborted ? end() : signal?.addEventListener('abort', end, { once: true });
    });
}
