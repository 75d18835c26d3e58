// SPDX-License-Identifier: MPL-2.0
// The service worker, which keeps the page's files for visits without a network.
import { toast } from './dom.js';

/** After the machine has started, so that nothing is loaded twice at once. */
export async function keepOffline() {
    if (!navigator.serviceWorker) {
        return;
    }
    let registration;
    try {
        registration = await navigator.serviceWorker.register('sw.js', { updateViaCache: 'none' });
    } catch {
        return; // an address without https, or private browsing: the page works as it is
    }
    // Another tab has taken the new version: what this one still loads would not fit what it has.
    let controlled = Boolean(navigator.serviceWorker.controller);
    navigator.serviceWorker.addEventListener('controllerchange', () => {
        if (controlled) {
            toast('Another tab has taken a new version of this page.', {
                ms: Infinity, action: { label: 'Reload', run: () => location.reload() },
            });
        }
        controlled = true;
    });
    const offer = (worker) => {
        if (!navigator.serviceWorker.controller) {
            return;
        }
        toast('A new version of this page is there.', {
            ms: Infinity, action: { label: 'Reload', run: () => take(worker) },
        });
    };
    if (registration.waiting) {
        offer(registration.waiting);
    }
    registration.addEventListener('updatefound', () => {
        const worker = registration.installing;
        worker.addEventListener('statechange', () => {
            if (worker.state === 'installed') {
                offer(worker);
            }
        });
    });
}

function take(worker) {
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
    worker.postMessage('take over');
}
