// SPDX-License-Identifier: MPL-2.0
// Files of overlays in OPFS, and who may open what.
import { RvkitError } from '../errors.js';
import { delay } from './util.js';

const FOLDER = 'rvkit-overlays';
const ENDING = '.cow';
const NAME_MAX = 200;

/** A page that was reloaded, or a worker that was ended, gives its lock back a little later. */
const BUSY_TRIES = 30, BUSY_WAIT = 100;

const fileName = (name) => encodeURIComponent(name).replace(/[.*'()!~]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`) + ENDING;

export function checkName(name) {
    let fits = false;
    try {
        fits = typeof name === 'string' && name !== '' && fileName(name).length <= NAME_MAX;
    } catch { // not well-formed
    }
    if (!fits) {
        throw new RvkitError('name', `"${name}" cannot be an overlay's name`);
    }
}

export const busyError = (name) => new RvkitError('busy',
    `${name}: is in use already, in another tab or by another machine`);

/** The folder; undefined where there is no OPFS: old browsers, private windows, http: pages. */
export async function opfsFolder() {
    try {
        const root = await navigator.storage.getDirectory();
        return await root.getDirectoryHandle(FOLDER, { create: true });
    } catch {
        return undefined;
    }
}

/** Handles are there in dedicated workers alone. */
export const opfsHandles = () => typeof FileSystemSyncAccessHandle !== 'undefined';

async function retryBusy(act, isBusy, name) {
    for (let attempt = 0; ; attempt++) {
        try {
            return await act();
        } catch (error) {
            if (!isBusy(error)) {
                throw error;
            }
            if (attempt >= BUSY_TRIES) {
                throw busyError(name);
            }
            await delay(BUSY_WAIT);
        }
    }
}

const locked = (error) => error?.name === 'NoModificationAllowedError' || error?.name === 'InvalidStateError';

export async function opfsHas(folder, name) {
    try {
        await folder.getFileHandle(fileName(name));
        return true;
    } catch (error) {
        if (error?.name === 'NotFoundError') {
            return false;
        }
        throw error;
    }
}

/** A FileSystemSyncAccessHandle, of which there is one for each file. */
export async function opfsOpen(folder, name, { create = true } = {}) {
    const file = await folder.getFileHandle(fileName(name), { create });
    return retryBusy(() => file.createSyncAccessHandle(), locked, name);
}

export async function opfsDelete(folder, name) {
    try {
        await retryBusy(() => folder.removeEntry(fileName(name)), locked, name);
        return true;
    } catch (error) {
        if (error?.name === 'NotFoundError') {
            return false;
        }
        throw error;
    }
}

/** [{ name, stored, modified }] */
export async function opfsList(folder) {
    const found = [];
    for await (const [file, handle] of folder.entries()) {
        if (handle.kind === 'file' && file.endsWith(ENDING)) {
            const { size, lastModified } = await handle.getFile();
            const name = decodeURIComponent(file.slice(0, -ENDING.length));
            found.push({ name, stored: size, modified: new Date(lastModified) });
        }
    }
    return found;
}

/** Takes the name for itself: gives what gives it back. */
export async function takeName(name) {
    const key = `rvkit-overlay:${name}`;
    const taken = () => busyError(name);
    const isTaken = (error) => error?.code === 'busy';
    return retryBusy(() => globalThis.navigator?.locks ? takeLock(key, taken) : takeChannel(key, taken),
        isTaken, name);
}

function takeLock(key, taken) {
    return new Promise((resolve, reject) => {
        navigator.locks.request(key, { ifAvailable: true }, (lock) => lock
            ? new Promise((release) => resolve(release))
            : reject(taken())).catch(reject);
    });
}

/** Pages without locks (http:): who has the name answers. Who sleeps too deeply loses it, see idb.js. */
async function takeChannel(key, taken) {
    const channel = new BroadcastChannel(key);
    const busy = await new Promise((resolve) => {
        const timer = setTimeout(resolve, 300, false);
        channel.onmessage = ({ data }) => {
            if (data === 'mine') {
                clearTimeout(timer);
                resolve(true);
            }
        };
        channel.postMessage('whose');
    });
    if (busy) {
        channel.close();
        throw taken();
    }
    channel.onmessage = ({ data }) => data === 'whose' && channel.postMessage('mine');
    return () => channel.close();
}
