// SPDX-License-Identifier: MPL-2.0
/* The files of shares, on the worker's side: calls of engine.h, "Shares". */
import { RvkitError } from '../errors.js';
import { Transfer } from '../rpc.js';
import { openSource } from '../source.js';

const PIECE = 1 << 18;
const TELL_MS = 100;
const TYPES = { 0o040000: 'directory', 0o100000: 'file', 0o120000: 'symlink' };
const MODE_FILE = 0o644;
const MODE_DIR = 0o755;

/* Linux's numbers. */
const ERRORS = {
    1: ['EPERM', 'not permitted'], 2: ['ENOENT', 'no such file or directory'], 5: ['EIO', 'I/O error'],
    12: ['ENOMEM', 'no memory'], 13: ['EACCES', 'permission denied'], 16: ['EBUSY', 'is in use'],
    17: ['EEXIST', 'exists already'], 19: ['ENODEV', 'no such share'], 20: ['ENOTDIR', 'not a directory'],
    21: ['EISDIR', 'is a directory'], 22: ['EINVAL', 'not a valid name'], 27: ['EFBIG', 'too large'],
    28: ['ENOSPC', 'no room left in the share'], 31: ['EMLINK', 'too many links'],
    36: ['ENAMETOOLONG', 'the name is too long'], 39: ['ENOTEMPTY', 'the directory is not empty'],
    40: ['ELOOP', 'leads through a symbolic link'],
};

function check(result, path) {
    if (result < 0) {
        const [errno, words] = ERRORS[-result] ?? [`E${-result}`, `error ${-result}`];
        throw new RvkitError('file', `${path || '/'}: ${words}`, { errno });
    }
    return result;
}

function entry(path, name, size, mtime, mode) {
    return {
        name, path: path ? `${path}/${name}` : name, type: TYPES[mode & 0o170000] ?? 'other',
        size, mtime, mode: mode & 0o7777,
    };
}

/** Without slashes in front, doubled and at the end. */
function normal(path) {
    return String(path).split('/').filter(Boolean).join('/');
}

export class Files {
    #host;
    #serials = [];
    #timer = null;
    #uploads = 0;

    constructor(host) {
        this.#host = host;
    }

    get #raw() {
        return this.#host.engine.raw;
    }

    /** One operation of the other side: list, stat, read, … */
    async run(op, [share, path, ...args]) {
        const operations = {
            list: this.#list, stat: this.#stat, read: this.#read, write: this.#write,
            mkdir: this.#mkdir, remove: this.#remove, rename: this.#rename, space: this.#space,
        };
        const result = await operations[op].call(this, share, normal(path), ...args);
        this.flush();
        this.#host.kick(); // a guest that waits for nothing sees it soon
        return result;
    }

    /** A call with a path in the place of its text. */
    #call(name, share, path, ...rest) {
        const { module, engine, withText } = this.#raw;
        return withText(path, (text) => module[`_rvkit_share_${name}`](engine, share, text, ...rest));
    }

    #doubles(count) {
        const { module, scratch } = this.#raw;
        return Array.from(new Float64Array(module.HEAPU8.buffer, scratch, count));
    }

    #stat(share, path) {
        check(this.#call('stat', share, path, this.#raw.scratch), path);
        const [mode, size, mtime] = this.#doubles(6);
        const at = path.lastIndexOf('/');
        return entry(path.slice(0, Math.max(at, 0)), path.slice(at + 1), size, mtime, mode);
    }

    #space(share) {
        const { module, engine, scratch } = this.#raw;
        check(module._rvkit_share_space(engine, share, scratch), '');
        const [limit, used, files] = this.#doubles(3);
        return { limit, used, files };
    }

    #list(share, path) {
        const { module, scratch, copy } = this.#raw;
        const address = this.#call('list', share, path, scratch) >>> 0;
        const size = new DataView(module.HEAPU8.buffer).getInt32(scratch, true);
        if (!address) {
            check(size, path);
            return [];
        }
        const bytes = copy(address, size);
        module._free(address);
        const view = new DataView(bytes.buffer);
        const entries = [];
        for (let at = 0; at < size;) {
            const length = view.getUint32(at + 20, true);
            const name = new TextDecoder().decode(bytes.subarray(at + 24, at + 24 + length));
            entries.push(entry(path, name, view.getFloat64(at, true), view.getFloat64(at + 8, true),
                view.getUint32(at + 16, true)));
            at = Math.ceil((at + 24 + length) / 8) * 8;
        }
        return entries;
    }

    #read(share, path) {
        const { size } = this.#stat(share, path);
        const { module, scratch } = this.#raw;
        const whole = new Uint8Array(size);
        let at = 0;
        while (at < size) {
            const part = Math.min(size - at, 65536);
            const got = check(this.#call('read', share, path, at, scratch, part), path);
            if (!got) {
                break; // the guest made it shorter meanwhile
            }
            whole.set(module.HEAPU8.subarray(scratch, scratch + got), at);
            at += got;
        }
        if (!size) {
            check(this.#call('read', share, path, 0, scratch, 1), path); // a directory says so
        }
        const bytes = at === size ? whole : whole.slice(0, at);
        return new Transfer(bytes, [bytes.buffer]);
    }

    /** Under another name first, so that the guest sees the old file or the new one, whole. */
    async #write(share, path, source, { mode, progressId } = {}) {
        const { chunks } = await openSource(source, {
            what: path,
            gunzip: false,
            signal: this.#host.signal,
            pull: (id, cancel) => this.#host.call('pull', id, cancel),
            onprogress: (progress) => this.#host.say('fileProgress', [progressId, progress]),
        });
        const at = path.lastIndexOf('/') + 1;
        const upload = `${path.slice(0, at)}.rvkit-upload-${this.#uploads++}`;
        let offset = 0;
        try {
            const bits = mode ?? this.#modeOf(share, path);
            check(this.#call('put', share, upload, 0, 0, bits), path);
            for await (const chunk of chunks) {
                this.#writeChunk(share, upload, offset, chunk, bits, path);
                offset += chunk.byteLength;
            }
            check(this.#rename2(share, upload, path), path);
        } catch (error) {
            if (!this.#host.engine.freed) {
                this.#call('remove', share, upload, 0);
            }
            throw error;
        }
    }

    /** A file that is replaced keeps its permissions. */
    #modeOf(share, path) {
        const { scratch } = this.#raw;
        return this.#call('stat', share, path, scratch) < 0 ? MODE_FILE : this.#doubles(1)[0] & 0o7777;
    }

    #writeChunk(share, path, offset, chunk, mode, shown) {
        const { engine } = this.#host;
        for (let at = 0; at < chunk.byteLength; at += PIECE) {
            const part = chunk.subarray(at, at + PIECE);
            const address = engine.allocate(part.length);
            try {
                engine.fill(address, 0, part);
                const wrote = this.#call('write', share, path, offset + at, address, part.length, mode);
                check(wrote < 0 ? wrote : wrote < part.length ? -28 : 0, shown);
            } finally {
                engine.release(address);
            }
        }
    }

    #rename2(share, from, to) {
        return this.#raw.withText(to, (text) => this.#call('rename', share, from, text, 0));
    }

    #mkdir(share, path) {
        check(this.#call('mkdir', share, path, MODE_DIR), path);
    }

    #remove(share, path, recursive) {
        check(this.#call('remove', share, path, recursive ? 1 : 0), path);
    }

    #rename(share, from, to) {
        check(this.#rename2(share, from, normal(to)), from);
    }

    /* --- Changes --- */

    /** Tells the other side what changed, at most every 100 ms. */
    flush() {
        const { engine } = this.#host;
        if (this.#timer || !engine || engine.freed) {
            return;
        }
        const { module, engine: address } = engine.raw;
        this.#serials.forEach((serial, share) => {
            const now = module._rvkit_share_serial(address, share);
            if (now !== serial) {
                this.#serials[share] = now;
                this.#host.say('files', [share]);
                this.#wait();
            }
        });
    }

    #wait() {
        this.#timer ??= setTimeout(() => {
            this.#timer = null;
            this.flush();
        }, TELL_MS);
    }

    /** The machine is built. */
    open(count) {
        this.#serials = Array(count).fill(0);
    }

    close() {
        clearTimeout(this.#timer);
        this.#serials = [];
    }
}
