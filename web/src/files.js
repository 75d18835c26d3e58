// SPDX-License-Identifier: MPL-2.0
import { makeEvent } from './platform.js';
import { describeSource } from './source.js';

function toEntry(entry) {
    return { ...entry, mtime: new Date(entry.mtime) };
}

/** A share's files; see index.d.ts. */
export class Files extends EventTarget {
    #machine;
    #index;
    #streams;
    #progress = new Map();
    #nextProgress = 1;

    /** @internal */
    constructor(machine, index, tag, streams) {
        super();
        this.#machine = machine;
        this.#index = index;
        this.#streams = streams;
        this.tag = tag;
    }

    /** @internal The guest, or this side, changed something. */
    changed() {
        this.dispatchEvent(makeEvent('change', {}));
    }

    /** @internal */
    progress(id, progress) {
        this.#progress.get(id)?.(progress);
    }

    async #call(op, path, ...args) {
        await this.#machine.whenLinked();
        return this.#machine.link.call('file', [op, this.#index, path, ...args]);
    }

    async list(path = '') {
        return (await this.#call('list', path)).map(toEntry);
    }

    async stat(path) {
        return toEntry(await this.#call('stat', path));
    }

    read(path) {
        return this.#call('read', path);
    }

    async write(path, data, { mode, onprogress } = {}) {
        const progressId = this.#nextProgress++;
        if (onprogress) {
            this.#progress.set(progressId, onprogress);
        }
        try {
            await this.#machine.whenLinked();
            const source = describeSource(data, path, this.#streams.keep);
            await this.#call('write', path, source, { mode, progressId });
        } finally {
            this.#progress.delete(progressId);
        }
    }

    mkdir(path) {
        return this.#call('mkdir', path);
    }

    remove(path, { recursive = false } = {}) {
        return this.#call('remove', path, recursive);
    }

    rename(from, to) {
        return this.#call('rename', from, to);
    }

    space() {
        return this.#call('space', '');
    }
}
