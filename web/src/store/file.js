// SPDX-License-Identifier: MPL-2.0
// Disks and overlays in files of the computer, for Node. Browsers never load this.
import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { RvkitError } from '../errors.js';
import { CowFileBlocks } from './cow-file.js';
import { MemoryStore } from './memory.js';
import { SECTOR, alignUp, checkRange, looksPacked, packedError, readOnlyError, sizeText } from './util.js';

const why = (error) => error.code ? error.message.replace(/^\w+: /, '').replace(/,.*/, '') : error.message;

/**
 * Locks an open file as native rvkit does (flock), through the command of that name: the lock belongs to
 * the open file, and stays when the command has ended. A host without it is no reason to refuse.
 */
function lockFile(fd, path, writer) {
    const { status, error } = spawnSync('flock', [writer ? '-xn' : '-sn', '3'],
        { stdio: ['ignore', 'ignore', 'ignore', fd] });
    if (!error && status === 1) {
        throw new RvkitError('busy', `${path}: is in use already, by this or another machine` +
            (writer ? '' : ' that writes to it'));
    }
}

function openLocked(path, flags, writer) {
    let fd;
    try {
        fd = fs.openSync(path, flags, 0o666);
        const stat = fs.fstatSync(fd);
        if (!stat.isFile()) {
            throw new RvkitError('file', `${path}: is not a file; a disk image is needed`);
        }
        lockFile(fd, path, writer);
        return fd;
    } catch (error) {
        fd === undefined || fs.closeSync(fd);
        throw error instanceof RvkitError ? error : new RvkitError('file',
            `${path}: cannot be opened${writer ? ' for writing' : ''}: ${why(error)}`, { cause: error });
    }
}

/** The calls of a FileSystemSyncAccessHandle on a file. */
export class FileHandle {
    #fd;

    constructor(fd) {
        this.#fd = fd;
    }

    read(bytes, { at }) {
        return fs.readSync(this.#fd, bytes, 0, bytes.length, at);
    }

    write(bytes, { at }) {
        return fs.writeSync(this.#fd, bytes, 0, bytes.length, at);
    }

    truncate(size) {
        fs.ftruncateSync(this.#fd, size);
    }

    getSize() {
        return fs.fstatSync(this.#fd).size;
    }

    flush() {
        fs.fsyncSync(this.#fd);
    }

    close() {
        this.#fd === undefined || fs.closeSync(this.#fd);
        this.#fd = undefined;
    }
}

/** A raw image in a file. */
export class FileStore {
    #handle;
    #stat;
    #path;

    /** `path`: or a file: URL. A packed image is unpacked into memory, see openStore()'s limits. */
    static open(path, { readOnly = false, limits }) {
        path = path instanceof URL || /^file:/i.test(path) ? fileURLToPath(path) : path;
        const fd = openLocked(path, readOnly ? 'r' : fs.constants.O_RDWR, !readOnly);
        try {
            const head = new Uint8Array(2);
            const packed = looksPacked(head.subarray(0, fs.readSync(fd, head, 0, 2, 0)));
            if (!packed) {
                return new FileStore(fd, path, readOnly);
            }
            const store = FileStore.#unpack(fd, path, limits);
            fs.closeSync(fd);
            return store;
        } catch (error) {
            fs.closeSync(fd);
            throw error;
        }
    }

    static #unpack(fd, path, limits) {
        const { size, mtimeMs } = fs.fstatSync(fd);
        if (size > limits.packed) {
            throw packedError(path, size, limits.packed);
        }
        try {
            const bytes = gunzipSync(fs.readFileSync(fd), { maxOutputLength: limits.unpack });
            return new MemoryStore(bytes, { readOnly: true, tag: `gzip:file:${mtimeMs}` });
        } catch (cause) {
            throw cause.code === 'ERR_BUFFER_TOO_LARGE'
                ? new RvkitError('too-large', `${path}: is packed with gzip, and unpacked larger than ` +
                    `${sizeText(limits.unpack)}; unpack it, so that it can be read in parts`, { cause })
                : new RvkitError('damaged', `${path}: cannot be unpacked: the gzip data is damaged or cut short`,
                    { cause });
        }
    }

    constructor(fd, path, readOnly) {
        this.#handle = new FileHandle(fd);
        this.#stat = fs.fstatSync(fd, { bigint: true });
        this.#path = path;
        this.bytes = Number(this.#stat.size);
        this.size = alignUp(this.bytes, SECTOR);
        this.readOnly = readOnly;
    }

    identity() {
        const { mtimeNs } = this.#stat;
        const nanos = Number((mtimeNs % 1000000000n + 1000000000n) % 1000000000n);
        return {
            bytes: this.bytes, tag: `file:${mtimeNs}`,
            seconds: Number((mtimeNs - BigInt(nanos)) / 1000000000n), nanos,
        };
    }

    #io(act) {
        try {
            return act();
        } catch (cause) {
            throw new RvkitError('io', `${this.#path}: ${why(cause)}`, { cause });
        }
    }

    read(offset, into) {
        checkRange(this, offset, into.length);
        this.#io(() => {
            let done = 0;
            for (let count; done < into.length; done += count) {
                count = this.#handle.read(into.subarray(done), { at: offset + done });
                if (!count && offset + done < this.bytes) {
                    throw new RvkitError('io', 'has become shorter');
                }
                if (!count) {
                    break;
                }
            }
            into.fill(0, done); // the rest of the last sector
        });
    }

    write(offset, data) {
        if (this.readOnly) {
            throw readOnlyError();
        }
        checkRange(this, offset, data.length);
        this.#io(() => {
            for (let done = 0; done < data.length;) {
                done += this.#handle.write(data.subarray(done), { at: offset + done });
            }
        });
    }

    flush() {
        this.readOnly || this.#io(() => this.#handle.flush());
    }

    close() {
        this.#handle.close();
    }
}

/** An overlay in a file, as native rvkit's `cow=`. `base`: { bytes, seconds, nanos, fingerprint }. */
export function openOverlayFile(path, base) {
    const handle = new FileHandle(openLocked(path, fs.constants.O_RDWR | fs.constants.O_CREAT, true));
    try {
        return CowFileBlocks.open(handle, base, path);
    } catch (error) {
        handle.close();
        throw error;
    }
}
