// SPDX-License-Identifier: MPL-2.0
// What went wrong, in words that say what to do.
import { el, icon, iconButton } from './dom.js';

const box = () => document.getElementById('message');

/**
 * One panel over the machine: {title, text (one or more lines), kind, actions: [{label, run}],
 * closable}. The one before goes.
 */
export function show({ title, text, kind = 'error', actions = [], closable = true, id = '' }) {
    const card = el('section', { class: `card ${kind}`, data: { id } },
        icon(kind === 'error' ? 'warn' : 'help'),
        el('div', {},
            el('h2', {}, title),
            ...[text].flat().filter(Boolean).map((line) => el('p', {}, line)),
            el('div', { class: 'actions' }, actions.map(({ label, run }, i) => el('button', {
                type: 'button', class: i === 0 ? 'primary' : '',
                on: { click: () => {
 clear(); run(); 
                } },
            }, label)))),
        closable ? iconButton('close', 'Dismiss', () => clear()) : null);
    box().replaceChildren(card);
}

/** id: only when the panel that is shown has it. */
export function clear(id) {
    const card = box().firstElementChild;
    if (card && (id === undefined || card.dataset.id === id)) {
        box().replaceChildren();
    }
}

// By RvkitError.code: a title, and what may help.
const hints = {
    unsupported: ['This browser cannot run the machine',
        'Chromium 110, Firefox 115, Safari 16.4 and later ones can.'],
    http: ['A file could not be loaded', 'Is it where the address says?'],
    network: ['A file could not be loaded',
        'The server cannot be reached, or it does not let this page read its files (CORS).'],
    truncated: ['A download ended too early', 'The connection broke; trying again may help.'],
    gzip: ['A file is damaged', 'It begins as gzip, but it cannot be unpacked.'],
    load: ['The machine cannot load this', 'It takes RV32 kernels: an Image, or an ELF file.'],
    'too-large': ['There is not enough memory', 'Give the machine more in the settings.'],
    memory: ['There is not enough memory',
        'Close other tabs, or give the machine less in the settings.'],
    wasm: ['The machine’s program could not be loaded', 'Trying again may help.'],
    worker: ['The machine has stopped',
        'What the guest had synced to a persistent disk is there when it starts again.'],
    engine: ['The machine has stopped', ''],
    disk: ['The disk does not work', ''],
    io: ['The disk does not work', ''],
    lost: ['The disk is gone', 'It was opened or deleted in another tab.'],
    changed: ['The disk image has changed', 'The file on its server is another one now. Restart.'],
    damaged: ['The disk is damaged', ''],
    'base-changed': ['The disk’s changes belong to another image', ''],
    'not-overlay': ['This file holds no disk', ''],
    'no-storage': ['This browser keeps no disk',
        'Private windows often do not. Leave out persist, or use another window.'],
    'no-ranges': ['The disk image cannot be read in parts', ''],
    quota: ['The browser gives no more room for the disk',
        'The guest sees write errors. Export the disk, free space in the browser, then restart.'],
    busy: ['The disk is in use',
        'Another tab has this persistent disk open. Close that tab, then try again.'],
    option: ['An option is not understood', ''],
    config: ['An option is not understood', 'It is in the page’s address, or in machine.json.'],
};

/** A title and lines for an RvkitError, or for whatever else was thrown. */
export function explain(error) {
    const [title, hint] = hints[error?.code] ?? ['The machine has stopped', ''];
    const said = String(error?.message ?? error).trim();
    const stopped = error?.code === 'worker' ? 'The machine has stopped: ' : '';
    return { title, text: [stopped + said, error?.url, hint] };
}
