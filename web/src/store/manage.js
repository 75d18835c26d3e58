// SPDX-License-Identifier: MPL-2.0
// The overlays in this browser, for the page: `stores` of the package. What needs a worker gets one.
import { RvkitError } from '../errors.js';

const OPERATIONS = ['listOverlays', 'deleteOverlay', 'exportOverlay', 'importOverlay'];

function call(operation, args, { onprogress, signal } = {}) {
    return new Promise((resolve, reject) => {
        if (typeof Worker === 'undefined') {
            reject(new RvkitError('unsupported', 'overlays with names are kept by browsers only'));
            return;
        }
        const worker = new Worker(new URL('./manage-worker.js', import.meta.url), { type: 'module' });
        const end = (settle, value) => {
            worker.terminate();
            signal?.removeEventListener('abort', abort);
            settle(value);
        };
        const abort = () => end(reject, signal.reason);
        worker.onmessage = ({ data: { result, error, progress } }) => {
            if (progress) {
                onprogress?.(progress);
            } else if (error) {
                end(reject, new RvkitError(error.code, error.message));
            } else {
                end(resolve, result);
            }
        };
        worker.onerror = (event) => {
            event.preventDefault?.();
            end(reject, new RvkitError('worker', `the worker for overlays failed: ${event.message ?? ''}`));
        };
        signal?.addEventListener('abort', abort);
        signal?.aborted ? abort() : worker.postMessage({ operation, args });
    });
}

export const stores = {
    /** A source for a drive: a disk of zeros. */
    empty: (size) => `blank:${size}`,

    /** [{ name, stored, place, modified? }] */
    listOverlays: () => call('listOverlays', []),

    /** Whether there was one. */
    deleteOverlay: (name) => call('deleteOverlay', [name]),

    /** A Blob for native `cow=` and importOverlay(); null: nothing there. `gzip`: packed, much smaller. */
    exportOverlay: (name, { gzip = false, ...how } = {}) => call('exportOverlay', [name, { gzip }], how),

    /** `replace: false`: not when there is one of this name. */
    importOverlay: (name, blob, { replace = true, ...how } = {}) =>
        call('importOverlay', [name, blob, { replace }], how),
};

export { OPERATIONS };
