// SPDX-License-Identifier: MPL-2.0
// Keeps the page's files, so that it works without a network. The build puts the list in here: it
// changes with any file of it, and then the browser installs this worker anew beside the old one.
const version = '@VERSION@';
const files = /* @FILES@ */ [];
const guest = /* @GUEST@ */ [];

const scope = new URL(self.registration.scope);
// Other pages of this kind may live at other paths of the same host.
const prefix = `rvkit ${scope.pathname} `;
const shell = `${prefix}shell ${version}`;
const changing = `${prefix}guest`;
const known = new Set(files.map((name) => new URL(name, scope).href));
known.add(scope.href);

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('message', (event) => {
    if (event.data === 'take over') {
        self.skipWaiting();
    }
});
self.addEventListener('fetch', (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== 'GET' || url.origin !== scope.origin || !url.href.startsWith(scope.href)) {
        return;
    }
    if (request.headers.has('range')) {
        return;
    }
    url.search = '';
    url.hash = '';
    if (known.has(url.href)) {
        event.respondWith(fromShell(request, url.href));
    } else if (guest.some((name) => new URL(name, scope).href === url.href)) {
        event.respondWith(freshest(request, url.href));
    }
});

/** All of the page or nothing; the guest's files as far as they can be had. */
async function install() {
    const cache = await caches.open(shell);
    await cache.addAll([...known].map((url) => new Request(url, { cache: 'no-cache' })));
    const kept = await caches.open(changing);
    await Promise.all(guest.map(async (name) => {
        const url = new URL(name, scope).href;
        const response = await fetch(url, { cache: 'no-cache' }).catch(() => null);
        if (response?.ok) {
            await kept.put(url, response).catch(() => {});
        }
    }));
}

async function activate() {
    for (const name of await caches.keys()) {
        if (name.startsWith(`${prefix}shell `) && name !== shell) {
            await caches.delete(name);
        }
    }
    await self.clients.claim();
}

async function fromShell(request, url) {
    const cache = await caches.open(shell);
    return await cache.match(url) ?? fetch(request);
}

/** machine.json, the kernel …: what the server has, and without it what was there last time. */
async function freshest(request, url) {
    const cache = await caches.open(changing);
    let response;
    try {
        response = await fetch(request);
    } catch (error) {
        const kept = await cache.match(url);
        if (kept) {
            return kept;
        }
        throw error;
    }
    if (response.status === 200) {
        cache.put(url, response.clone()).catch(() => {});
    }
    return response;
}
