// SPDX-License-Identifier: MPL-2.0
// What is being loaded, with bytes. It shows only when it takes long enough to be read.
import { bytes, el } from './dom.js';

const names = { kernel: 'Kernel', initrd: 'Initial files', bios: 'Firmware', dtb: 'Device tree',
    wasm: 'Machine' };

export class ProgressBox {
    #box;
    #rows = new Map();
    #timer = 0;

    constructor(box) {
        this.#box = box;
    }

    update({ what, loaded, total }) {
        if (!this.#rows.has(what)) {
            this.#add(what);
        }
        const { bar, text } = this.#rows.get(what);
        if (total) {
            bar.max = total;
            bar.value = loaded;
        }
        text.textContent = total ? `${bytes(loaded)} of ${bytes(total)}` : bytes(loaded);
    }

    clear() {
        clearTimeout(this.#timer);
        this.#timer = 0;
        this.#rows.clear();
        this.#box.replaceChildren();
        this.#box.hidden = true;
    }

    #add(what) {
        const name = names[what] ?? what.replace(/^drive /, 'Disk ');
        const bar = el('progress', { 'aria-label': name });
        const text = el('span', { class: 'bytes' });
        this.#rows.set(what, { bar, text });
        this.#box.append(el('div', { class: 'load' }, el('span', {}, name), bar, text));
        this.#timer ||= setTimeout(() => {
            this.#box.hidden = false; 
        }, 150);
    }
}
