// SPDX-License-Identifier: MPL-2.0
import { packError, unpackError, RvkitError } from './errors.js';

/** A handler's result whose buffers are given away instead of copied. */
export class Transfer {
    constructor(value, list) {
        this.value = value;
        this.list = list;
    }
}

/**
 * Calls between two sides of a port ({postMessage(message, transfer), onmessage(data)}).
 *
 *   call(method, args)   gives a promise of what the handler over there returned or threw
 *   say(method, args)    nobody waits; an error of the handler goes to its side's onerror
 */
export class Rpc {
    #port;
    #handlers;
    #pending = new Map();
    #next = 1;
    #closed = null;
    /** Called when another number of calls waits for answers. */
    onpending = () => {};

    /** @param {Record<string, Function>} handlers @param {(error: unknown) => void} [onerror] */
    constructor(port, handlers, onerror = () => {}) {
        this.#port = port;
        this.#handlers = handlers;
        this.onerror = onerror;
        port.onmessage = (data) => this.#receive(data);
    }

    get pending() {
        return this.#pending.size;
    }

    call(method, args = [], transfer = []) {
        if (this.#closed) {
            return Promise.reject(this.#closed);
        }
        return new Promise((resolve, reject) => {
            const id = this.#next++;
            this.#port.postMessage({ call: method, id, args }, transfer); // may throw: a rejection
            this.#pending.set(id, { resolve, reject });
            this.onpending();
        });
    }

    say(method, args = [], transfer = []) {
        if (!this.#closed) {
            this.#port.postMessage({ say: method, args }, transfer);
        }
    }

    /** No call is made or answered any more; those that wait are rejected. */
    close(error = new RvkitError('state', 'the machine is gone')) {
        if (this.#closed) {
            return;
        }
        this.#closed = error;
        for (const { reject } of this.#pending.values()) {
            reject(error);
        }
        this.#pending.clear();
    }

    #receive(message) {
        if (this.#closed || message === null || typeof message !== 'object') {
            return;
        }
        if (message.call !== undefined) {
            this.#answer(message);
        } else if (message.say !== undefined) {
            this.#run(message.say, message.args).catch(this.onerror);
        } else if (this.#pending.has(message.id)) {
            const { resolve, reject } = this.#pending.get(message.id);
            this.#pending.delete(message.id);
            this.onpending();
            message.error ? reject(unpackError(message.error)) : resolve(message.value);
        }
    }

    async #run(method, args) {
        const handler = Object.hasOwn(this.#handlers, method) ? this.#handlers[method] : null;
        if (!handler) {
            throw new RvkitError('engine', `no such call: ${method}`);
        }
        return handler(...args);
    }

    async #answer({ call, id, args }) {
        let reply, list = [];
        try {
            const value = await this.#run(call, args);
            list = value instanceof Transfer ? value.list : [];
            reply = { id, value: value instanceof Transfer ? value.value : value };
        } catch (error) {
            reply = { id, error: packError(error) };
        }
        if (this.#closed) {
            return;
        }
        try {
            this.#port.postMessage(reply, list);
        } catch (error) { // a value that cannot be sent: the other side waits for something
            this.#port.postMessage({ id, error: packError(error) });
        }
    }
}
