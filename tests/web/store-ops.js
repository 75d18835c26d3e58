// SPDX-License-Identifier: MPL-2.0
// What a browser is asked to do by store-browser.test.js, in a worker or in the page itself.
import { openStore } from '../../web/src/store/index.js';
import { deleteFromDatabase, openDatabase } from '../../web/src/store/idb.js';
import { changes, readAll, sectorsBytes } from './store-help.js';

let store;
const told = [];

const post = (url, body) => fetch(url, { method: 'POST', body });

const source = ({ sectors, generation = 0, ...options }) =>
    sectors ? { source: new Blob([sectorsBytes(0, sectors, generation)]), ...options } : options;

export const operations = {
    async open(options, { storage, limits } = {}) {
        store = await openStore(source(options),
            { storage, limits, onerror: (error) => told.push(error.code) });
        return { size: store.size, blocks: store.changes };
    },

    async close() {
        await store.close();
    },

    async write(first, count, generation) {
        await store.write(first * 512, sectorsBytes(first, count, generation));
    },

    async flush() {
        await store.flush();
    },

    /** Writes until there is an error, in pieces of 64 KiB. */
    async fill(first, generation) {
        for (let sector = first; ; sector += 128) {
            await store.write(sector * 512, sectorsBytes(sector, 128, generation));
        }
    },

    async told() {
        return told;
    },

    /** Works until it is killed; each flush is acknowledged before it goes on. */
    async run(seed, sectors, generation, acknowledge) {
        let step = 0;
        for (const { flush, first, count, generation: value } of changes(seed, sectors, generation)) {
            step++;
            if (flush) {
                await store.flush();
                const request = new XMLHttpRequest();
                request.open('POST', `${acknowledge}${step}`, false);
                request.send();
            } else if (value === 'zeros') {
                await store.discard(first * 512, count * 512);
            } else {
                await store.write(first * 512, sectorsBytes(first, count, value));
            }
        }
    },

    /** Sends the whole disk. */
    async dump(url) {
        await post(url, await readAll(store));
    },

    async exportOverlay(url, options) {
        const blob = await store.exportOverlay(options);
        blob && await post(url, blob);
        return blob?.size ?? null;
    },

    async deleteBehindItsBack(name) {
        await deleteFromDatabase(await openDatabase(), name);
    },

    async about() {
        return {
            secure: isSecureContext, locks: !!globalThis.navigator?.locks,
            opfs: typeof FileSystemSyncAccessHandle !== 'undefined' && !!navigator.storage?.getDirectory,
        };
    },
};

export async function perform(operation, args) {
    try {
        return { result: await operations[operation](...args) };
    } catch (error) {
        return { error: { code: error.code ?? error.name, message: error.message } };
    }
}
