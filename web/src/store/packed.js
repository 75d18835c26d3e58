// SPDX-License-Identifier: MPL-2.0
// An overlay in a file that grows with what is written: docs/web-overlay-format.md.
import { RvkitError } from '../errors.js';
import { HEADER, cowGeometry, crcFits, hasMagic, putCrc, putMagic, readFully, writeFully } from './cow-file.js';
import { BAD, BASE, BLOCK, DATA, ZERO, isZero } from './util.js';

const VERSION = 2;
const TABLE = 2 * HEADER;
const PAGE = 4096;
const PAGE_ENTRIES = 1020;
const TAG_BYTES = 2048;
const READ_BYTES = 1 << 20;

/* An entry of the table: these, or the number of a slot + FIRST. */
const ENTRY_BASE = 0, ENTRY_ZERO = 1, FIRST = 2, ENTRY_BAD = 0xFFFFFFFF;

function geometry(bytes) {
    const { blocks } = cowGeometry(bytes); // refuses what is too large
    const pages = Math.ceil(blocks / PAGE_ENTRIES);
    return { blocks, pages, data: TABLE + pages * 2 * PAGE };
}

function makeHeader(base, sequence) {
    const header = new Uint8Array(HEADER), view = new DataView(header.buffer);
    const tag = new TextEncoder().encode(base.tag).subarray(0, TAG_BYTES);
    putMagic(view, VERSION);
    view.setBigUint64(16, BigInt(base.bytes), true);
    view.setUint32(24, base.fingerprint ?? 0, true);
    view.setUint32(28, base.fingerprint === undefined ? 0 : 1, true);
    view.setBigUint64(32, BigInt(geometry(base.bytes).data), true);
    view.setUint32(40, sequence, true);
    view.setUint32(44, tag.length, true);
    header.set(tag, 48);
    putCrc(header);
    return header;
}

/** undefined: not a whole header. */
function parseHeader(header, name) {
    if (!hasMagic(header) || !crcFits(header)) {
        return undefined;
    }
    const view = new DataView(header.buffer, header.byteOffset);
    const bytes = Number(view.getBigUint64(16, true)), tagLength = view.getUint32(44, true);
    if (view.getUint32(8, true) !== VERSION || view.getUint32(12, true) !== BLOCK || tagLength > TAG_BYTES ||
        Number(view.getBigUint64(32, true)) !== geometry(bytes).data) {
        throw new RvkitError('version', `${name}: was made by another version of rvkit`);
    }
    return {
        bytes,
        fingerprint: view.getUint32(28, true) ? view.getUint32(24, true) : undefined,
        tag: new TextDecoder().decode(header.subarray(48, 48 + tagLength)),
        sequence: view.getUint32(40, true),
    };
}

/** The tag while an import is not complete. */
export const IMPORTING = '!importing';

/** Whether an overlay of `known` fits `base`; null, or the error. What is not known fits. */
export function checkIdentity(known, base, name) {
    if (known.tag === IMPORTING && base?.tag !== IMPORTING) {
        return new RvkitError('damaged', `${name}: its import was interrupted: import it again, or delete it`);
    }
    if (!base) {
        return null;
    }
    const why = known.bytes !== base.bytes ? 'the base image has another size than when the overlay was made'
        : (known.tag && known.tag !== tagFor(base)) || (known.fingerprint !== undefined &&
            known.fingerprint !== base.fingerprint) ? 'the base image has changed since the overlay was made' : '';
    return why ? new RvkitError('base-changed', `${name}: does not fit: ${why}`) : null;
}

/** As it is stored: not longer than the header has room for. */
export const tagFor = ({ tag }) =>
    new TextDecoder().decode(new TextEncoder().encode(tag).subarray(0, TAG_BYTES));

/** What the guest sees as an I/O error, and the page as a code. */
export function storageError(cause) {
    if (cause instanceof RvkitError) {
        return cause;
    }
    return cause?.name === 'QuotaExceededError'
        ? new RvkitError('quota', 'the browser gives no more room for what the guest writes', { cause })
        : new RvkitError('io', `the overlay cannot be read or written: ${cause?.message}`, { cause });
}

function storing(act) {
    try {
        return act();
    } catch (error) {
        throw storageError(error);
    }
}

/**
 * Blocks in slots of a file, in the order in which they were written first; a table says where. The
 * handle is a FileSystemSyncAccessHandle, or what has the same calls. A page of the table has two
 * places that are written in turns, so one of them is whole at all times.
 */
export class PackedBlocks {
    wholeBlocks = false;
    #handle;
    #table;         // entries
    #data;
    #sequences;     // of each page, of the place that counts
    #places;        // which one that is
    #dirty = new Set();
    #slots = 0;     // in the file
    #free = [];     // slots that nothing names, in the file neither
    #freed = [];    // slots that the table in the file may name until the next flush
    #failed;

    /** { bytes, tag, fingerprint } of an overlay in a file; undefined: a new one, or not whole. */
    static examine(handle, name) {
        const both = new Uint8Array(TABLE);
        handle.read(both, { at: 0 });
        const headers = [both.subarray(0, HEADER), both.subarray(HEADER)].map((h) => parseHeader(h, name));
        const [a, b] = headers;
        const known = !b || a?.sequence > b.sequence ? a : b;
        if (known) {
            known.place = known === a ? 0 : 1;
        } else if (!isZero(both) && !this.#holdsNothing(handle)) {
            throw hasMagic(both) || hasMagic(both.subarray(HEADER))
                ? new RvkitError('damaged', `${name}: is damaged: the checksum of its header is wrong`)
                : new RvkitError('not-overlay', `${name}: is not an overlay of rvkit`);
        }
        return known;
    }

    /** Whether nothing was ever flushed: what is torn is the first header, see #create(). */
    static #holdsNothing(handle) {
        const bytes = new Uint8Array(READ_BYTES);
        for (let at = HEADER, count; (count = handle.read(bytes, { at })) > 0; at += count) {
            if (!isZero(bytes.subarray(0, count))) {
                return false;
            }
        }
        return true;
    }

    /** `base`: { bytes, tag, fingerprint }; undefined: the one that the overlay names, unchecked. */
    static open(handle, base, name) {
        return storing(() => {
            let known = this.examine(handle, name);
            if (!known && !base) {
                throw new RvkitError('not-overlay', `${name}: holds nothing`);
            }
            if (!known) {
                known = this.#create(handle, base);
            }
            const error = checkIdentity(known, base, name);
            if (error) {
                throw error;
            }
            const blocks = new PackedBlocks(handle, known, name);
            if (base && (known.tag !== tagFor(base) || known.fingerprint !== base.fingerprint)) {
                blocks.bind(base); // it was imported: from now on it belongs to this base
            }
            return blocks;
        });
    }

    static #create(handle, base) {
        handle.truncate(0); // what a making that was interrupted left
        handle.truncate(geometry(base.bytes).data);
        handle.flush();
        writeFully(handle, makeHeader(base, 1), 0);
        handle.flush();
        return { ...base, tag: tagFor(base), sequence: 1, place: 0 };
    }

    constructor(handle, known, name) {
        const { pages, data } = geometry(known.bytes);
        this.known = known;
        this.#handle = handle;
        this.#data = data;
        this.#table = new Uint32Array(pages * PAGE_ENTRIES);
        this.#sequences = new Uint32Array(pages);
        this.#places = new Uint8Array(pages);
        this.#load(pages, name);
        this.#findFree(name);
    }

    /** Writes whose overlay it is, at the place of the header that does not count. */
    bind({ bytes, tag, fingerprint }) {
        const { sequence, place } = this.known;
        const known = { bytes, fingerprint, tag: tagFor({ tag }), sequence: sequence + 1, place: 1 - place };
        writeFully(this.#handle, makeHeader(known, known.sequence), known.place * HEADER);
        this.#handle.flush();
        this.known = known;
    }

    #load(pages, name) {
        const bytes = new Uint8Array(Math.min(READ_BYTES, pages * 2 * PAGE));
        for (let page = 0; page < pages;) {
            const count = Math.min(pages - page, READ_BYTES / PAGE / 2);
            readFully(this.#handle, bytes.subarray(0, count * 2 * PAGE), TABLE + page * 2 * PAGE);
            for (let i = 0; i < count; i++) {
                this.#loadPage(page + i, bytes.subarray(i * 2 * PAGE, (i + 1) * 2 * PAGE), name);
            }
            page += count;
        }
    }

    /** Takes the newer one of the two that is whole. */
    #loadPage(page, both, name) {
        let best = -1;
        for (const place of [0, 1]) {
            const bytes = both.subarray(place * PAGE, (place + 1) * PAGE);
            const view = new DataView(bytes.buffer, bytes.byteOffset, PAGE);
            const sequence = view.getUint32(PAGE - 8, true);
            if (!isZero(bytes) && (!crcFits(bytes) || view.getUint32(PAGE - 12, true) !== page)) {
                continue;
            }
            if (best < sequence) {
                best = this.#sequences[page] = sequence;
                this.#places[page] = place;
                for (let i = 0; sequence && i < PAGE_ENTRIES; i++) {
                    this.#table[page * PAGE_ENTRIES + i] = view.getUint32(i * 4, true);
                }
            }
        }
        if (best < 0) {
            throw new RvkitError('damaged', `${name}: is damaged: page ${page} of its table is lost`);
        }
    }

    /** Slots that nothing names, and the end of those that are named. */
    #findFree(name) {
        const size = this.#handle.getSize();
        const slots = Math.max(Math.ceil((size - this.#data) / BLOCK), 0);
        const used = new Uint8Array(slots);
        for (let block = 0; block < this.#table.length; block++) {
            const slot = this.#table[block] - FIRST;
            if (slot >= slots) { // was cut off
                this.#table[block] = ENTRY_BAD;
            } else if (slot >= 0 && used[slot]++) {
                throw new RvkitError('damaged', `${name}: is damaged: two blocks in one place`);
            }
        }
        this.#slots = used.lastIndexOf(1) + 1;
        for (let slot = this.#slots - 1; slot >= 0; slot--) {
            used[slot] || this.#free.push(slot);
        }
        if (size > this.#data + this.#slots * BLOCK) {
            this.#handle.truncate(this.#data + this.#slots * BLOCK);
        }
    }

    state(block) {
        const entry = this.#table[block];
        return entry === ENTRY_BASE ? BASE : entry === ENTRY_ZERO ? ZERO : entry === ENTRY_BAD ? BAD : DATA;
    }

    read(at, into) {
        storing(() => {
            this.#runs(at, into.length, (n) => this.#table[n] - FIRST, (place, done, length) =>
                readFully(this.#handle, into.subarray(done, done + length), place));
        });
    }

    /**
     * Calls `each(place in the file, position, length, first block, blocks)` for pieces of the range that
     * lie together. slotOf: gives a block's slot.
     */
    #runs(at, length, slotOf, each) {
        const end = at + length;
        let block = Math.floor(at / BLOCK), slot = slotOf(block);
        for (let from = at; from < end;) {
            const first = block, start = slot;
            do {
                block++;
                slot = block * BLOCK < end ? slotOf(block) : -1;
            } while (slot === start + block - first);
            const to = Math.min(block * BLOCK, end);
            each(this.#data + start * BLOCK + from % BLOCK, from - at, to - from, first, block - first);
            from = to;
        }
    }

    write(at, data) {
        const fresh = new Map(); // block → slot
        const slotOf = (block) => {
            const entry = this.#table[block];
            if (entry >= FIRST && entry !== ENTRY_BAD) {
                return entry - FIRST;
            }
            const slot = this.#free.pop() ?? this.#slots++;
            fresh.set(block, slot);
            return slot;
        };
        try {
            this.#runs(at, data.length, slotOf, (place, done, length, first, count) => {
                writeFully(this.#handle, data.subarray(done, done + length), place);
                for (let block = first; block < first + count; block++) {
                    fresh.has(block) && this.#set(block, fresh.get(block) + FIRST);
                    fresh.delete(block);
                }
            });
        } catch (error) {
            this.#free.push(...[...fresh.values()].reverse());
            throw storageError(error);
        }
    }

    #set(block, entry) {
        this.#table[block] = entry;
        this.#dirty.add(Math.floor(block / PAGE_ENTRIES));
    }

    zero(first, end) {
        for (let block = first; block < end; block++) {
            const entry = this.#table[block];
            if (entry === ENTRY_ZERO) {
                continue;
            }
            if (entry >= FIRST && entry !== ENTRY_BAD) {
                this.#freed.push(entry - FIRST);
            }
            this.#set(block, ENTRY_ZERO);
        }
    }

    /**
     * Data, then the pages of the table that name it, each at the place that does not count; then these
     * count. After a sync that failed nothing is promised any more.
     */
    flush() {
        this.#sync();
        if (this.#dirty.size) {
            storing(() => this.#dirty.forEach((page) => this.#writePage(page)));
            this.#sync();
            this.#settle();
        }
    }

    #sync() {
        if (this.#failed) {
            throw this.#failed;
        }
        try {
            this.#handle.flush();
        } catch (error) {
            throw this.#failed = storageError(error);
        }
    }

    #writePage(page) {
        const bytes = new Uint8Array(PAGE), view = new DataView(bytes.buffer);
        for (let i = 0; i < PAGE_ENTRIES; i++) {
            view.setUint32(i * 4, this.#table[page * PAGE_ENTRIES + i], true);
        }
        view.setUint32(PAGE - 12, page, true);
        view.setUint32(PAGE - 8, this.#sequences[page] + 1, true);
        putCrc(bytes);
        writeFully(this.#handle, bytes, TABLE + page * 2 * PAGE + (1 - this.#places[page]) * PAGE);
    }

    #settle() {
        for (const page of this.#dirty) {
            this.#sequences[page]++;
            this.#places[page] = 1 - this.#places[page];
        }
        this.#dirty.clear();
        for (const slot of this.#freed.reverse()) {
            this.#free.push(slot);
        }
        this.#freed = [];
    }

    /** Bytes in the file. */
    get stored() {
        return this.#handle.getSize();
    }

    changes() {
        let count = 0;
        for (const entry of this.#table) {
            count += entry !== ENTRY_BASE;
        }
        return count;
    }

    close() {
        this.#handle.close();
    }
}
