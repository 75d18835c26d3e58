// SPDX-License-Identifier: MPL-2.0
// A page that asks its server what to do, so that any browser can be driven.
import { stores } from '../../web/src/store/manage.js';
import { perform } from './store-ops.js';

const workers = new Map();
const waiting = new Map();
let next = 0;

function worker(name) {
    if (!workers.has(name)) {
        const made = new Worker(new URL('./store-worker.js', import.meta.url), { type: 'module' });
        made.onmessage = ({ data }) => waiting.get(data.id)(data);
        made.onerror = (event) => console.error('worker', event.message);
        workers.set(name, made);
    }
    return workers.get(name);
}

function inWorker(name, operation, args) {
    return new Promise((resolve) => {
        const id = next++;
        waiting.set(id, resolve);
        worker(name).postMessage({ id, operation, args });
    });
}

/** What is Blob is fetched from, or sent to, the server. */
async function manage(operation, args) {
    try {
        args = await Promise.all(args.map(async (arg) =>
            arg?.fetch ? (await fetch(arg.fetch)).blob() : arg));
        const post = operation === 'exportOverlay' && args.pop();
        const result = await stores[operation](...args);
        post && result && await fetch(post, { method: 'POST', body: result });
        return { result: result instanceof Blob ? result.size : result };
    } catch (error) {
        return { error: { code: error.code ?? error.name, message: error.message } };
    }
}

async function act({ where, operation, args }) {
    if (where === 'page') {
        return perform(operation, args);
    }
    if (where === 'manage') {
        return manage(operation, args);
    }
    if (operation === 'terminate') {
        workers.get(where)?.terminate();
        workers.delete(where);
        return {};
    }
    return inWorker(where, operation, args);
}

const tab = new URL(location.href).searchParams.get('tab');
for (;;) {
    const command = await (await fetch(`/poll?tab=${tab}`, { cache: 'no-store' })).json();
    act(command).then((answer) =>
        fetch(`/answer?id=${command.id}`, { method: 'POST', body: JSON.stringify(answer) }));
}
