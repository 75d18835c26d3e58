// SPDX-License-Identifier: MPL-2.0
// What a machine's drive is made of; see DriveOptions in index.d.ts. Runs in the machine's worker.
import { RvkitError } from '../errors.js';
import { MemoryBlocks } from './blocks.js';
import { BlobStore } from './blob.js';
import { HttpStore } from './http.js';
import { DatabaseBlocks, deleteFromDatabase, hasInDatabase, listDatabase, openDatabase } from './idb.js';
import { BlankStore, MemoryStore } from './memory.js';
import {
    checkName, opfsDelete, opfsFolder, opfsHandles, opfsHas, opfsList, opfsOpen, takeName,
} from './opfs.js';
import { OverlayStore } from './overlay.js';
import { IMPORTING, PackedBlocks, storageError } from './packed.js';
import { cowBlob, importCow } from './transfer.js';
import { SECTOR, alignUp, identify, parseSize } from './util.js';

export { exportDisk } from './transfer.js';
export { BlankStore, BlobStore, HttpStore, MemoryStore, OverlayStore };

const MIB = 1 << 20;

/**
 * whole: the most that is fetched where a server does not send parts; packed: the largest gzip file that
 * is unpacked into memory, and unpack: the most that may come out of it. Bytes.
 */
export const LIMITS = { whole: 256 * MIB, packed: 128 * MIB, unpack: 1024 * MIB };

const inNode = () => typeof process === 'object' && !!process.versions?.node;

const isStore = (source) => typeof source?.read === 'function' && Number.isSafeInteger(source.size);

/** Names a file of the computer: a file: URL, or a path. */
const isFile = (source) => inNode() && (/^file:/i.test(source) ||
    (typeof source === 'string' && !/^[a-z][a-z0-9+.-]+:/i.test(source)));

/**
 * Opens a drive: a promise of a BlockStore, or an RvkitError. Its calls throw, or give promises that
 * fail, with RvkitErrors.
 *
 * `signal` ends what is under way, later reads too. `onprogress({ what, loaded, total })` while all of
 * an image is fetched. `onerror(error)` is told once of what the guest sees as I/O errors: `quota`,
 * `changed`, `io`, `lost`, … Besides what DriveOptions say, `source` may be "blank:SIZE" ("blank:1G"):
 * a disk of zeros; and in Node the path of a file, with `persist` the path of an overlay as native
 * `cow=`. `limits`: LIMITS; `fetch`: { headers, retries, stall, backoff } for HTTP; `storage`:
 * "indexeddb" keeps away from OPFS.
 */
export async function openStore(options, { signal, onprogress, onerror, limits, fetch, storage } = {}) {
    signal?.throwIfAborted();
    const context = { signal, onprogress, onerror, fetch, limits: { ...LIMITS, ...limits }, storage };
    const { persist, ephemeral = false, readOnly = false } = options;
    const elsewhere = ephemeral || persist !== undefined; // changes do not go to the base
    const base = await openBase(options.source, readOnly || elsewhere, context);
    try {
        checkStore(base);
        if (persist !== undefined) {
            const blocks = await openBlocks(persist, base, context);
            return new OverlayStore(base, blocks, { readOnly, onerror });
        }
        if (readOnly) {
            return base.readOnly ? base : readOnlyView(base);
        }
        return ephemeral || base.readOnly ? new OverlayStore(base, new MemoryBlocks(), { onerror }) : base;
    } catch (error) {
        await base.close();
        throw error;
    }
}

function checkStore({ size }) {
    if (!Number.isSafeInteger(size) || size < SECTOR || size % SECTOR) {
        throw new RvkitError('size', `a disk has whole sectors of ${SECTOR} bytes, not ${size} bytes`);
    }
}

async function openBase(source, readOnly, context) {
    if (isStore(source)) {
        return source;
    }
    if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
        return new MemoryStore(source);
    }
    if (typeof Blob !== 'undefined' && source instanceof Blob) {
        return BlobStore.open(source, context);
    }
    if (typeof source !== 'string' && !(source instanceof URL)) {
        throw new RvkitError('source', 'a drive needs a source: a URL, a File or Blob, bytes, or a BlockStore');
    }
    const [, blank] = /^blank:(.+)$/i.exec(source) ?? [];
    if (blank) {
        const size = parseSize(blank);
        if (!size) {
            throw new RvkitError('size', `"${blank}" is not the size of a disk`);
        }
        return new BlankStore(alignUp(size, SECTOR));
    }
    if (isFile(source)) {
        const { FileStore } = await import('./file.js');
        return FileStore.open(source, { readOnly, limits: context.limits });
    }
    return HttpStore.open(absolute(source), context);
}

function absolute(source) {
    try {
        return new URL(source, globalThis.location?.href).href;
    } catch (cause) {
        throw new RvkitError('source', `"${source}" is not a URL`, { cause });
    }
}

function readOnlyView(store) {
    return new OverlayStore(store, new MemoryBlocks(), { readOnly: true });
}

async function openBlocks(name, base, context) {
    const identity = await identify(base);
    if (inNode()) {
        const { openOverlayFile } = await import('./file.js');
        return openOverlayFile(name, identity);
    }
    checkName(name);
    return openNamed(name, identity, context);
}

/** Where an overlay of this name is, or is to be: { folder } or { db }. */
async function findPlace(name, storage) {
    const folder = storage === 'indexeddb' ? undefined : await opfsFolder();
    if (folder && await opfsHas(folder, name)) {
        if (!opfsHandles()) {
            throw new RvkitError('no-worker', `${name}: can be opened in a worker only`);
        }
        return { folder, exists: true };
    }
    const usable = folder && opfsHandles();
    const db = await openDatabase().catch((error) => {
        if (!usable) {
            throw error;
        }
    });
    const exists = db ? await hasInDatabase(db, name) : false;
    if (exists || !usable) {
        return { db, exists };
    }
    db?.close();
    return { folder, exists };
}

/** `identity` undefined: one that is there, on whatever base. */
async function openNamed(name, identity, { storage } = {}) {
    const place = await findPlace(name, storage);
    if (place.folder) {
        return openInFolder(place.folder, name, identity);
    }
    try {
        const release = await takeName(name);
        try {
            return await DatabaseBlocks.open(place.db, identity, name, release);
        } catch (error) {
            release();
            throw error;
        }
    } catch (error) {
        place.db.close();
        throw storageError(error);
    }
}

async function openInFolder(folder, name, identity) {
    let handle;
    try {
        handle = await opfsOpen(folder, name);
        return PackedBlocks.open(handle, identity, name);
    } catch (error) {
        handle?.close();
        throw storageError(error);
    }
}

/** [{ name, stored, place, modified? }]: the overlays in this browser; `stored` in bytes. */
export async function listOverlays() {
    const folder = await opfsFolder();
    const found = folder ? (await opfsList(folder)).map((one) => ({ ...one, place: 'opfs' })) : [];
    const db = await openDatabase().catch(() => null);
    if (db) {
        found.push(...(await listDatabase(db)).map((one) => ({ ...one, place: 'indexeddb' })));
        db.close();
    }
    return found.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Whether there was one. `busy` is the error when it is in use. */
export async function deleteOverlay(name) {
    const folder = await opfsFolder();
    const inFolder = folder ? await opfsDelete(folder, name) : false;
    const db = await openDatabase().catch(() => null);
    if (!db) {
        return inFolder;
    }
    try {
        const found = await hasInDatabase(db, name);
        if (found) {
            const release = await takeName(name);
            await deleteFromDatabase(db, name).finally(release);
        }
        return found || inFolder;
    } finally {
        db.close();
    }
}

/** The overlay of this name as a file; null: there is none, or nothing in it. In a worker. */
export async function exportOverlay(name, options = {}) {
    const place = await findPlace(name, options.storage);
    place.db?.close();
    if (!place.exists) {
        return null;
    }
    const blocks = await openNamed(name, undefined, options);
    try {
        return blocks.changes() ? await cowBlob(blocks, blocks.known, options) : null;
    } finally {
        await blocks.close();
    }
}

/**
 * Makes an overlay of a file from exportOverlay() or native rvkit, gzipped or not. It belongs to the base
 * that it is opened with next, if that has the size (and begins as) the one that it was made for.
 * An overlay of this name is deleted when the file is found to be one; with `replace: false` it is the
 * error `exists`. In a worker.
 */
export async function importOverlay(name, blob, { replace = true, storage, onprogress, signal } = {}) {
    checkName(name);
    const place = await findPlace(name, storage);
    place.db?.close();
    if (place.exists && !replace) {
        throw new RvkitError('exists', `${name}: there is such an overlay already`);
    }
    let blocks;
    const make = async (base) => {
        place.exists && await deleteOverlay(name);
        blocks = await openNamed(name, { ...base, tag: IMPORTING }, { storage });
        return blocks;
    };
    try {
        await importCow(blob, make, name, { onprogress, signal });
        await blocks.bind({ ...blocks.known, tag: '' });
        await blocks.close();
    } catch (error) {
        if (blocks) {
            await blocks.close();
            await deleteOverlay(name);
        }
        throw storageError(error);
    }
}
