// SPDX-License-Identifier: MPL-2.0
// Fetching parts of a file by HTTP: retries, limits on waiting, and whether it is still the same file.
import { RvkitError } from '../errors.js';
import { delay, joinBytes } from './util.js';

/** Worth another try: "too early", "too many", and what servers and proxies say when they are ill. */
const transient = (status) => status === 408 || status === 425 || status === 429 || status >= 500;

/** Where a name for messages is asked for: without what may be secret in it. */
export function urlName(url) {
    try {
        const { protocol, host, pathname } = new URL(url);
        return protocol === 'data:' ? 'data:…' : `${host}${pathname}`;
    } catch {
        return String(url).split(/[?#]/)[0];
    }
}

/** "bytes 0-99/1234": { start, end, total }; undefined where it is not visible (CORS), null when wrong. */
export function contentRange(response) {
    const text = response.headers.get('content-range');
    if (text === null) {
        return undefined;
    }
    const [, start, end, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(text) ?? [];
    return start === undefined || +start > +end ? null
        : { start: +start, end: +end, total: total === '*' ? undefined : +total };
}

/** The state of a file as its server told: "etag:…", "modified:…", or "" when it does not tell. */
export function validators({ headers }) {
    return { etag: headers.get('etag') ?? '', modified: headers.get('last-modified') ?? '' };
}

/**
 * Asks for one URL. Each request is tried `retries` times more when the network or the server fails for a
 * while, and is given up after `stall` milliseconds without a byte: nothing waits for ever.
 * There is no If-Range: the fetch standard then leaves the browser's cache out, and foreign servers
 * would have to allow that header. Validators of each answer are compared by the caller instead.
 */
export class Fetcher {
    #url;
    #headers;
    #abort = new AbortController();
    #unlink;

    constructor(url, { signal, headers, retries = 4, stall = 20000, backoff = 250 } = {}) {
        this.#url = url;
        this.#headers = headers;
        this.name = urlName(url);
        this.retries = retries;
        this.stall = stall;
        this.backoff = backoff;
        const end = () => this.close(signal.reason);
        this.#unlink = () => signal?.removeEventListener('abort', end);
        signal?.aborted ? end() : signal?.addEventListener('abort', end, { once: true });
    }

    get signal() {
        return this.#abort.signal;
    }

    /** Ends what runs, and everything later. */
    close(reason = new RvkitError('closed', `${this.name}: is closed`)) {
        this.#unlink?.();
        this.#abort.abort(reason);
    }

    /**
     * Fetches, and gives what `use(response, touch)` gives, which reads the body and calls touch() for
     * each piece. An error whose `again` is true is tried again.
     */
    async request(init, use) {
        for (let attempt = 0; ; attempt++) {
            try {
                return await this.#once(init, use);
            } catch (error) {
                if (this.signal.aborted) {
                    throw this.signal.reason;
                }
                if (!error.again || attempt >= this.retries) {
                    throw error;
                }
                const wait = this.backoff * 2 ** attempt * (0.75 + Math.random() / 2);
                await delay(Math.max(wait, error.wait ?? 0), this.signal);
            }
        }
    }

    async #once(init, use) {
        const abort = new AbortController();
        const end = () => abort.abort(this.signal.reason);
        this.signal.aborted ? end() : this.signal.addEventListener('abort', end);
        let timer, stalled = false;
        const touch = () => {
            clearTimeout(timer);
            timer = setTimeout(() => {
                stalled = true;
                abort.abort();
            }, this.stall);
        };
        touch();
        try {
            const headers = { ...this.#headers, ...init.headers };
            const response = await fetch(this.#url, { ...init, headers, signal: abort.signal });
            touch();
            this.#checkStatus(response);
            return await use(response, touch);
        } catch (error) {
            abort.abort(); // the rest of a body that is not wanted
            if (stalled) {
                throw this.#error('stalled', `nothing came for ${Math.round(this.stall / 1000)} s`, { cause: error });
            }
            throw error instanceof RvkitError ? error : this.#networkError(error);
        } finally {
            clearTimeout(timer);
            this.signal.removeEventListener('abort', end);
        }
    }

    #error(code, why, more) {
        return new RvkitError(code, `${this.name}: ${why}`, { again: true, ...more });
    }

    #networkError(cause) {
        const foreign = globalThis.location && new URL(this.#url, location.href).origin !== location.origin;
        const why = cause?.cause?.code ?? cause?.cause?.message ?? cause?.message;
        return this.#error('network', `cannot be fetched: the network failed (${why})` +
            (foreign ? ', or its server does not let this page read it (CORS)' : ''), { cause });
    }

    #checkStatus(response) {
        const { status, statusText } = response;
        if (response.ok || status === 416) {
            return;
        }
        const seconds = Number(response.headers.get('retry-after'));
        throw this.#error('http', `cannot be fetched: ${status} ${statusText}`.trim(), {
            status, again: transient(status), wait: seconds > 0 ? Math.min(seconds, 10) * 1000 : 0,
        });
    }

    /** The body, of exactly `length` bytes. */
    async body(response, length, touch) {
        const bytes = await this.bodyUpTo(response, length, touch);
        if (bytes.length < length) {
            throw this.#error('truncated', `the answer was cut short: ${bytes.length} of ${length} bytes`);
        }
        return bytes;
    }

    /** The body; more than `limit` bytes are an error. */
    async bodyUpTo(response, limit, touch) {
        const reader = response.body?.getReader();
        const chunks = [];
        let loaded = 0;
        for (let part; reader && !(part = await reader.read()).done;) {
            touch(loaded += part.value.length);
            if (loaded > limit) {
                throw this.#error('bad-answer', 'the server sent more than it was asked for', { again: false });
            }
            chunks.push(part.value);
        }
        return joinBytes(chunks, loaded);
    }
}
