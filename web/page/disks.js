// SPDX-License-Identifier: MPL-2.0
// What disk-worker.js does, as calls. One worker for each, which ends with it.
function run(...message) {
    return new Promise((resolve, reject) => {
        const worker = new Worker(new URL('disk-worker.js', import.meta.url), { type: 'module' });
        worker.onmessage = ({ data: { value, error } }) => {
            worker.terminate();
            if (error) {
                reject(Object.assign(new Error(error.message), { code: error.code }));
            } else {
                resolve(value);
            }
        };
        worker.onerror = (event) => {
            worker.terminate();
            reject(new Error(event.message || 'the worker for disks could not be started'));
        };
        worker.postMessage(message);
    });
}

/** Replaces what the disk of this name holds by an exported file. */
export const importDisk = (name, file) => run('import', name, file);
export const deleteDisk = (name) => run('delete', name);
/** [{name, …}] of all that are kept in this browser. */
export const listDisks = () => run('list');
