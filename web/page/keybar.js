// SPDX-License-Identifier: MPL-2.0
// Keys that phones do not have, in a row above the on-screen keyboard.
import { el, icon, toast } from './dom.js';

const keys = [
    { label: 'Esc', sequence: '\x1b', code: 'Escape' },
    { label: 'Tab', sequence: '\t', code: 'Tab' },
    { label: 'Ctrl', hold: 'ctrl' },
    { label: 'Alt', hold: 'alt' },
    { icon: 'left', label: 'Left', cursor: 'D', code: 'ArrowLeft', repeat: true },
    { icon: 'up', label: 'Up', cursor: 'A', code: 'ArrowUp', repeat: true },
    { icon: 'down', label: 'Down', cursor: 'B', code: 'ArrowDown', repeat: true },
    { icon: 'right', label: 'Right', cursor: 'C', code: 'ArrowRight', repeat: true },
    { label: '|', text: '|' }, { label: '/', text: '/' }, { label: '-', text: '-' },
    { label: '~', text: '~' }, { label: '$', text: '$' }, { label: '&', text: '&' },
    { label: 'Home', cursor: 'H', code: 'Home' }, { label: 'End', cursor: 'F', code: 'End' },
    { label: 'PgUp', sequence: '\x1b[5~', code: 'PageUp', repeat: true },
    { label: 'PgDn', sequence: '\x1b[6~', code: 'PageDown', repeat: true },
    { icon: 'paste', label: 'Paste', paste: true },
];

/** Ctrl and Alt that stay down for one key. */
export class Modifiers {
    #held = new Set();
    onchange = () => {};

    has(name) {
        return this.#held.has(name);
    }

    toggle(name) {
        if (!this.#held.delete(name)) {
            this.#held.add(name);
        }
        this.onchange();
    }

    /** What is typed, changed by what is held; only single keys are. */
    take(data) {
        if (!this.#held.size || [...data].length !== 1 && !data.startsWith('\x1b')) {
            return data;
        }
        let result = data;
        if (this.#held.has('ctrl')) {
            result = controlOf(result);
        }
        if (this.#held.has('alt')) {
            result = `\x1b${result}`;
        }
        this.#clear();
        return result;
    }

    /** The same as keys to hold down. */
    takeCodes() {
        const codes = [];
        if (this.#held.has('ctrl')) {
            codes.push('ControlLeft');
        }
        if (this.#held.has('alt')) {
            codes.push('AltLeft');
        }
        this.#clear();
        return codes;
    }

    #clear() {
        if (!this.#held.size) {
            return;
        }
        this.#held.clear();
        this.onchange();
    }
}

function controlOf(data) {
    const cursor = /^\x1b[[O]([A-H])$/.exec(data);
    if (cursor) {
        return `\x1b[1;5${cursor[1]}`;
    }
    if (data === ' ') {
        return '\0';
    }
    if (data === '?') {
        return '\x7f';
    }
    return /^[@-_a-z]$/.test(data) ? String.fromCharCode(data.charCodeAt(0) & 0x1f) : data;
}

/** Fills the bar. current(): the view that is shown. */
export function fillKeyBar(bar, modifiers, current) {
    const held = new Map();
    bar.replaceChildren(...keys.map((key) => {
        const button = el('button', {
            type: 'button', 'aria-label': key.icon ? key.label : undefined,
            'aria-pressed': key.hold ? 'false' : undefined,
        }, key.icon ? icon(key.icon) : key.label);
        if (key.hold) {
            held.set(key.hold, button);
        }
        press(button, key, () => run(key));
        return button;
    }));
    modifiers.onchange = () => {
        for (const [name, button] of held) {
            button.setAttribute('aria-pressed', String(modifiers.has(name)));
        }
    };

    async function run(key) {
        if (key.hold) {
            modifiers.toggle(key.hold);
        } else if (key.paste) {
            // Not there at all on pages without https.
            const text = await navigator.clipboard?.readText?.().catch(() => null) ?? null;
            text === null ? toast('The browser does not let this page read the clipboard.')
                : current()?.paste(text);
        } else {
            current()?.press(key);
        }
    }
}

/** The focus stays where it is, so that the on-screen keyboard does. */
function press(button, key, run) {
    let timer = 0;
    const stop = () => clearTimeout(timer);
    const again = (ms) => {
        timer = setTimeout(() => {
            run();
            again(60);
        }, ms);
    };
    button.addEventListener('mousedown', (event) => event.preventDefault());
    button.addEventListener('pointerdown', (event) => {
        event.preventDefault();
        if (!key.repeat) {
            return;
        }
        button.setPointerCapture(event.pointerId);
        run();
        again(400);
    });
    for (const type of ['pointerup', 'pointercancel', 'lostpointercapture']) {
        button.addEventListener(type, stop);
    }
    // A click by pointer was done above where it repeats; detail is 0 for one by keyboard.
    button.addEventListener('click', (event) => {
        if (!key.repeat || event.detail === 0) {
            run();
        }
    });
}
