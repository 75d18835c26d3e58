// SPDX-License-Identifier: MPL-2.0
import { RvkitError, toRvkitError } from './errors.js';
import { describeSource } from './source.js';
import { Transfer } from './rpc.js';

const CHUNK = 1 << 20;

/** Stores of the caller's own, which the worker asks. */
export class RemoteStores {
    #stores = [];

    keep(store) {
        return this.#stores.push(store) - 1;
    }

    async run(id, ...args) {
        try {
            return await this.#run(this.#stores[id], ...args);
        } catch (error) {
            throw toRvkitError(error, 'disk');
        }
    }

    async #run(store, op, ...args) {
        if (op === 'read') {
            const [offset, length] = args;
            const into = new Uint8Array(length);
            await store.read(offset, into);
            return new Transfer(into, [into.buffer]);
        }
        await store[op](...args); // what it gives may be anything, and nobody asks for it
        return undefined;
    }
}

function isStore(source) {
    return typeof source === 'object' && typeof source.read === 'function' &&
        typeof source.write === 'function' && typeof source.size === 'number';
}

/** A DriveOptions for the worker. */
export function describeDrive({ source, ...options }, index, keep, stores) {
    if (!isStore(source)) {
        return { ...options, source: describeSource(source, `drive ${index}`, keep) };
    }
    if (!Number.isSafeInteger(source.size) || source.size <= 0 || source.size % 512) {
        throw new RvkitError('option', `drive ${index}: its size is ${source.size}, no multiple of 512`);
    }
    const about = {
        kind: 'store',
        id: stores.keep(source),
        size: source.size,
        readOnly: Boolean(source.readOnly),
        canDiscard: typeof source.discard === 'function',
    };
    return { ...options, source: about };
}

/** A disk of the machine; see index.d.ts. */
export class Drive {
    #machine;
    #index;
    size = 0;
    readOnly = false;

    /** @internal */
    constructor(machine, index) {
        this.#machine = machine;
        this.#index = index;
    }

    export() {
        let at = 0;
        return new ReadableStream({
            pull: async (controller) => {
                await this.#machine.whenLinked();
                const bytes = at < this.size
                    ? await this.#machine.link.call('driveRead', [this.#index, at, CHUNK]) : null;
                if (bytes) {
                    at += bytes.length;
                    controller.enqueue(bytes);
                }
                if (at >= this.size) {
                    controller.close();
                }
            },
        }, { highWaterMark: 0 });
    }

    async exportOverlay() {
        await this.#machine.whenLinked();
        return this.#machine.link.call('driveOverlay', [this.#index]);
    }
}
