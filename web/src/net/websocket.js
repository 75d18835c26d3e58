// SPDX-License-Identifier: MPL-2.0
import { RvkitError } from '../errors.js';

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 30_000;
const STABLE_MS = 5_000;

/** Bytes that may wait to be sent; frames that come while there are more are dropped. */
const BUFFERED_MAX = 1 << 20;

/**
 * Ethernet frames (without CRC) over a WebSocket, one in each binary message, as v86's and other
 * relays have it. When the connection ends the cable is unplugged, and it is tried again: after half
 * a second, then later and later, at most every 30 seconds.
 */
export class WebSocketLink {
    #options;
    #socket = null;
    #receive = null;
    #setUp = null;
    #timer = null;
    #delay = RETRY_MIN_MS;
    #opened = 0;
    #closed = false;

    /** @param {{url: string|URL, protocols?: string[], WebSocket?: Function}} options */
    constructor(options) {
        this.#options = options;
    }

    open(receive, setUp) {
        const Socket = this.#options.WebSocket ?? globalThis.WebSocket;
        if (typeof Socket !== 'function') {
            const why = 'this Node has no WebSocket (22 and later have)';
            setUp(false, why);
            throw new RvkitError('unsupported', `the network: ${why}`);
        }
        this.#receive = receive;
        this.#setUp = setUp;
        this.#connect(Socket);
    }

    #connect(Socket) {
        const { url, protocols = [] } = this.#options;
        let socket;
        try {
            socket = new Socket(String(url), protocols);
        } catch (error) {
            this.#setUp(false, `${url}: ${error.message}`);
            throw new RvkitError('option', `the network: ${url}: ${error.message}`, { cause: error });
        }
        this.#socket = socket;
        socket.binaryType = 'arraybuffer';
        socket.onopen = () => {
            this.#opened = performance.now();
            this.#setUp(true);
        };
        socket.onmessage = ({ data }) => {
            if (data instanceof ArrayBuffer) {
                this.#receive(new Uint8Array(data));
            }
        };
        socket.onclose = ({ code, reason }) => this.#lost(Socket, code, reason);
    }

    /** The connection ended, or was none. */
    #lost(Socket, code, reason) {
        this.#socket = null;
        if (this.#closed) {
            return;
        }
        // One that broke off at once is no reason to try again at once.
        if (this.#opened && performance.now() - this.#opened >= STABLE_MS) {
            this.#delay = RETRY_MIN_MS;
        }
        const was = this.#opened ? 'the connection ended' : 'no connection';
        this.#opened = 0;
        this.#setUp(false, `${was} (${reason || `code ${code}`})`);
        const wait = this.#delay * (0.75 + Math.random() / 2);
        this.#delay = Math.min(2 * this.#delay, RETRY_MAX_MS);
        this.#timer = setTimeout(() => this.#connect(Socket), wait);
    }

    /** False: dropped. */
    send(frame) {
        const socket = this.#socket;
        if (socket?.readyState !== 1 || socket.bufferedAmount > BUFFERED_MAX) {
            return false;
        }
        socket.send(frame);
        return true;
    }

    close() {
        this.#closed = true;
        clearTimeout(this.#timer);
        this.#socket?.close();
    }
}
