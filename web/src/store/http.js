// SPDX-License-Identifier: MPL-2.0
// A disk behind a URL: read-only, only blocks that are touched travel (HTTP ranges).
import { RvkitError } from '../errors.js';
import { BlockCache } from './cache.js';
import { MemoryStore } from './memory.js';
import { Fetcher, contentRange, validators } from './range.js';
import {
    SECTOR, alignUp, checkRange, gunzip, looksPacked, packedError, readOnlyError, sizeText,
} from './util.js';

const BLOCK = 128 * 1024;
const CAPACITY = 256;   // 32 MiB

const tagOf = ({ etag, modified }) => etag ? `etag:${etag}` : modified ? `modified:${modified}` : '';

const encoded = ({ headers }) => !['', 'identity'].includes(headers.get('content-encoding') ?? '');

function badAnswer(fetcher, why) {
    return new RvkitError('bad-answer', `${fetcher.name}: ${why}`);
}

/** The size where Content-Range is hidden from this page: that of a HEAD. */
async function headSize(fetcher) {
    const length = await fetcher.request({ method: 'HEAD', cache: 'no-cache' },
        (response) => response.headers.get('content-length'));
    if (!length || !Number.isSafeInteger(Number(length))) {
        throw badAnswer(fetcher, 'its size is not known: the server must answer HEAD with Content-Length, or ' +
            'let pages see Content-Range (Access-Control-Expose-Headers)');
    }
    return Number(length);
}

/** The whole file, of a server that does not send parts. */
async function wholeFile(fetcher, response, touch, { limits, onprogress }) {
    const total = encoded(response) ? undefined : Number(response.headers.get('content-length')) || undefined;
    const tooLarge = () => new RvkitError('no-ranges', `${fetcher.name}: its server does not send parts of files ` +
        `(HTTP ranges), and ${total ? sizeText(total) : 'the image'} is too much to be fetched whole ` +
        `(at most ${sizeText(limits.whole)})`);
    if (total > limits.whole) {
        throw tooLarge();
    }
    const told = (loaded) => {
        touch();
        onprogress?.({ what: fetcher.name, loaded, total: loaded > total ? undefined : total });
    };
    const bytes = await fetcher.bodyUpTo(response, limits.whole, told).catch((error) => {
        throw error.code === 'bad-answer' ? tooLarge() : error;
    });
    if (bytes.length < total) { // more: it was packed on the way
        throw new RvkitError('truncated', `${fetcher.name}: the download was cut short: ${bytes.length} of ` +
            `${total} bytes`, { again: true });
    }
    return bytes;
}

/** What the first request tells: { known, total, head } or, all of it, { known, bytes }. */
async function probe(fetcher, options) {
    const found = await firstPart(fetcher, options);
    if (found.head) {
        found.total ??= await headSize(fetcher);
        if (found.head.length !== Math.min(BLOCK, found.total)) {
            throw badAnswer(fetcher, 'the server sent less than it was asked for');
        }
    }
    return found;
}

function firstPart(fetcher, options) {
    const init = { headers: { Range: `bytes=0-${BLOCK - 1}` }, cache: 'no-cache' };
    return fetcher.request(init, async (response, touch) => {
        const known = validators(response);
        if (response.status === 416) {
            throw badAnswer(fetcher, 'the file is empty');
        }
        if (response.status !== 206) {
            return { known, bytes: await wholeFile(fetcher, response, touch, options) };
        }
        const range = contentRange(response);
        if (encoded(response) || range === null || (range && range.start !== 0)) {
            throw badAnswer(fetcher, 'the server sent another part than it was asked for');
        }
        const length = range ? range.end + 1 : undefined;
        const head = length ? await fetcher.body(response, length, touch)
            : await fetcher.bodyUpTo(response, BLOCK, touch);
        return { known, total: range?.total, head };
    });
}

/** Fetches a packed image whole, and unpacks it. */
async function unpacked(fetcher, { known, total, bytes }, { limits, onprogress }) {
    const size = bytes?.length ?? total;
    if (size > limits.packed) {
        throw packedError(fetcher.name, size, limits.packed);
    }
    bytes ??= await fetcher.request({}, (response, touch) =>
        wholeFile(fetcher, response, touch, { limits, onprogress }));
    const plain = looksPacked(bytes) ? await gunzip(new Blob([bytes]).stream(), limits.unpack, fetcher.name) : bytes;
    return new MemoryStore(plain, { readOnly: true, tag: `gzip:${tagOf(known)}` });
}

export class HttpStore {
    #fetcher;
    #cache;
    #known;
    #changed;
    #onerror;

    /**
     * Gives an HttpStore; where the server does not send parts, or the image is packed, all of it in
     * a MemoryStore. `limits`: see openStore(). `onerror` is told of a file that has changed.
     */
    static async open(url, { signal, onprogress, onerror, limits, fetch: how = {}, capacity = CAPACITY }) {
        const fetcher = new Fetcher(url, { signal, ...how });
        try {
            const options = { limits, onprogress };
            const found = await probe(fetcher, options);
            if (looksPacked(found.head ?? found.bytes)) {
                const store = await unpacked(fetcher, found, options);
                fetcher.close();
                return store;
            }
            if (found.bytes) {
                fetcher.close();
                const tag = tagOf(found.known) || undefined;
                return new MemoryStore(found.bytes, { readOnly: true, tag });
            }
            return new HttpStore(fetcher, found, { onerror, capacity });
        } catch (error) {
            fetcher.close();
            throw error;
        }
    }

    constructor(fetcher, { known, total, head }, { onerror, capacity }) {
        this.size = alignUp(total, SECTOR);
        this.bytes = total;
        this.readOnly = true;
        this.#fetcher = fetcher;
        this.#known = known;
        this.#onerror = onerror;
        this.requests = 0;
        this.loaded = head.length;
        this.#cache = new BlockCache((offset, length) => this.#fetch(offset, length), total,
            { block: BLOCK, capacity, most: 8, streams: 5 });
        this.#cache.prime(head);
    }

    identity() {
        return { bytes: this.bytes, tag: tagOf(this.#known) };
    }

    async #fetch(offset, length) {
        if (this.#changed) {
            throw this.#changed;
        }
        const init = { headers: { Range: `bytes=${offset}-${offset + length - 1}` } };
        const bytes = await this.#fetcher.request(init, (response, touch) => {
            this.#check(response, offset, length);
            return this.#fetcher.body(response, length, touch);
        });
        this.requests++;
        this.loaded += length;
        return bytes;
    }

    /** Whether this is the part that was asked for, of the same file as at first. */
    #check(response, offset, length) {
        const now = validators(response), range = contentRange(response);
        const other = (name) => now[name] && this.#known[name] && now[name] !== this.#known[name];
        if (response.status === 416 || other('etag') || other('modified') ||
            (range?.total !== undefined && range.total !== this.bytes)) {
            this.#changed ??= new RvkitError('changed', `${this.#fetcher.name}: the image has changed on the server ` +
                'while it was in use; start the machine again');
            this.#onerror?.(this.#changed);
            this.#onerror = undefined;
            throw this.#changed;
        }
        if (response.status !== 206) {
            throw badAnswer(this.#fetcher, 'the server does not send parts of the file any more');
        }
        if (encoded(response) || range === null ||
            (range && (range.start !== offset || range.end !== offset + length - 1))) {
            throw badAnswer(this.#fetcher, 'the server sent another part than it was asked for');
        }
    }

    read(offset, into) {
        checkRange(this, offset, into.length);
        return this.#cache.read(offset, into);
    }

    write() {
        throw readOnlyError();
    }

    flush() {}

    close() {
        this.#fetcher.close();
    }
}
