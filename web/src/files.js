// SPDX-License-Identifier: MPL-2.0
import { describeSource } from './source.js';

/** A share's files; see index.d.ts. */
export class Files {
    #machine;
    #index;
    #streams;

    /** @internal */
    constructor(machine, index, tag, streams) {
        this.#machine = machine;
        this.#index = index;
        this.#streams = streams;
        this.tag = tag;
    }

    async #call(op, ...args) {
        await this.#machine.whenLinked();
        return this.#machine.link.call('file', [op, this.#index, ...args]);
    }

    async list(path = '') {
        return (await this.#call('list', path)).map(toEntry);
    }

    async stat(path) {
        return toEntry(await this.#call('stat', path));
    }
}

function toEntry(entry) {
    return { ...entry, mtime: new Date(entry.mtime) };
}
