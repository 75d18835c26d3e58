// SPDX-License-Identifier: MPL-2.0
/*
 * Sound on the worker's side. Messages, to the port that the other side connected, or else to it as
 * `sound` events:
 *
 *   {type: 'open', stream, capture, format: 'u8'|'s16'|'s32'|'float', rate, channels}
 *   {type: 'play', stream, bytes: Uint8Array}
 *   {type: 'close', stream}
 *
 * and from the port {type: 'record', stream, bytes: Uint8Array}. The engine has the clock: it plays
 * so many bytes a second as the stream's parameters say.
 */
const FORMATS = ['u8', 's16', 's32', 'float'];
const RECORDED_MAX = 1 << 18;

export class Sound {
    #host;
    #port = null;
    #open = new Map();     // stream: its open message
    #recorded = new Map(); // stream: arrays

    constructor(host) {
        this.#host = host;
    }

    #say(message, transfer = []) {
        if (this.#port) {
            this.#port.postMessage(message, transfer);
        } else {
            this.#host.say('sound', [message], transfer);
        }
    }

    /** A MessagePort that goes to whoever plays. It hears of the streams that are open already. */
    connect(port) {
        this.#port?.close();
        this.#port = port;
        if (port) {
            port.onmessage = ({ data }) => {
                if (data?.type === 'record' && data.bytes instanceof Uint8Array) {
                    this.record(data.stream, data.bytes);
                }
            };
            this.#open.forEach((message) => this.#say(message));
        }
    }

    open(stream, capture, format, rate, channels) {
        const message = {
            type: 'open', stream, capture: Boolean(capture), format: FORMATS[format], rate, channels,
        };
        this.#open.set(stream, message);
        this.#recorded.set(stream, []);
        this.#say(message);
    }

    play(stream, bytes) {
        this.#say({ type: 'play', stream, bytes }, [bytes.buffer]);
    }

    /** Bytes from the microphone; the oldest are dropped when nobody takes them. */
    record(stream, bytes) {
        const queue = this.#recorded.get(stream);
        if (!queue) {
            return;
        }
        queue.push(bytes);
        let size = queue.reduce((sum, part) => sum + part.length, 0);
        while (size > RECORDED_MAX && queue.length > 1) {
            size -= queue.shift().length;
        }
    }

    /** At most size bytes that were recorded, for the engine. */
    take(stream, size) {
        const queue = this.#recorded.get(stream) ?? [];
        const out = new Uint8Array(size);
        let at = 0;
        while (at < size && queue.length) {
            const part = queue[0].subarray(0, size - at);
            out.set(part, at);
            at += part.length;
            if (part.length === queue[0].length) {
                queue.shift();
            } else {
                queue[0] = queue[0].subarray(part.length);
            }
        }
        return out.subarray(0, at);
    }

    close(stream) {
        if (this.#open.delete(stream)) {
            this.#recorded.delete(stream);
            this.#say({ type: 'close', stream });
        }
    }

    end() {
        [...this.#open.keys()].forEach((stream) => this.close(stream));
        this.#port?.close();
        this.#port = null;
    }
}
