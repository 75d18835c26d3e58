// SPDX-License-Identifier: MPL-2.0
// A screen of the guest on a canvas, with its keyboard, mouse and fingers.
import { el, iconButton, save, toast } from './dom.js';
import { codesOf } from './layout.js';

const slots = 10;

export class DisplayView {
    kind = 'display';
    #display;
    #input;
    #page;
    #ends = [];
    #fingers = new Map();
    #wheel = { x: 0, y: 0 };
    #hot = [0, 0];

    /** page: {modifiers, isShortcut, canResize}. */
    constructor(display, index, input, page) {
        this.name = index ? `Screen ${index + 1}` : 'Screen';
        this.#display = display;
        this.#input = input;
        this.#page = page;
        this.canvas = el('canvas', {
            tabIndex: 0, role: 'application', width: 640, height: 480,
            'aria-label': `${this.name}: keys go to the guest; Ctrl+Alt+0 leaves it`,
        });
        // Phones show their keyboard only for something that takes text.
        this.typist = el('textarea', {
            class: 'typist', 'aria-label': 'Type into the guest’s screen', tabIndex: -1,
            autocapitalize: 'off', autocomplete: 'off', spellcheck: false,
        });
        this.cursor = el('canvas', { class: 'cursor', hidden: true, width: 0, 'aria-hidden': 'true' });
        this.note = el('p', { class: 'blank' }, 'The guest shows nothing here.');
    }

    open(panel) {
        const stage = el('div', { class: 'stage' }, this.canvas, this.cursor, this.note, this.typist);
        this.stage = stage;
        panel.append(stage, this.#tools());
        this.#ends.push(this.#display.attach(this.canvas));
        this.#listen(this.#display, 'mode', () => this.#mode());
        this.#listen(this.#display, 'cursor', (event) => this.#cursor(event.detail));
        this.#listen(this.#display, 'pointer', () => this.#overlay());
        this.#keys();
        this.#pointer();
        this.#typing();
        const observer = new ResizeObserver(() => this.#mode());
        observer.observe(stage);
        this.#ends.push(() => observer.disconnect());
        this.#mode();
    }

    show() {}

    hide() {
        this.#input.leave();
        if (document.pointerLockElement === this.canvas) {
            document.exitPointerLock();
        }
    }

    focus() {
        this.canvas.focus();
    }

    apply() {}

    /** What the key bar types: by code, as a real keyboard. */
    press(key) {
        const codes = key.code ? [[key.code, false]] : codesOf(key.text ?? '');
        this.#type(codes, this.#page.modifiers.takeCodes());
    }

    paste(text) {
        this.#type(codesOf(text), []);
    }

    dispose() {
        this.hide();
        for (const end of this.#ends.splice(0)) {
            end();
        }
    }

    #listen(target, type, listener, options) {
        target.addEventListener(type, listener, options);
        this.#ends.push(() => target.removeEventListener(type, listener, options));
    }

    #tools() {
        const lock = iconButton('mouse', 'Give the mouse to the guest (Esc brings it back)',
            () => this.#lock());
        this.#listen(document, 'pointerlockchange', () => {
            const locked = document.pointerLockElement === this.canvas;
            lock.setAttribute('aria-pressed', String(locked));
            this.#overlay();
            if (locked) {
                toast('The mouse is the guest’s. Esc brings it back.');
            } else {
                this.#input.leave();
            }
        });
        return el('div', { class: 'tools', role: 'toolbar', 'aria-label': this.name },
            lock,
            iconButton('fit', 'Ask the guest for a screen of this size', () => this.#fit()),
            iconButton('camera', 'Save a picture', () => this.#picture()),
            iconButton('keyboard', 'Show the on-screen keyboard', () => this.typist.focus(),
                { class: 'icon touch-only' }));
    }

    /** The browser may refuse, as it does for a second after Esc. */
    async #lock() {
        try {
            await this.canvas.requestPointerLock();
        } catch (error) {
            toast(error.message, { kind: 'error' });
        }
    }

    #fit() {
        const { clientWidth, clientHeight } = this.stage;
        const even = (length) => Math.max(320, Math.floor(length * devicePixelRatio / 8) * 8);
        this.#display.requestSize(even(clientWidth), Math.max(200, even(clientHeight)));
        this.focus();
    }

    async #picture() {
        let image;
        try {
            image = await this.#display.screenshot();
        } catch (error) {
            toast(error.message, { kind: 'error' });
            return;
        }
        const canvas = el('canvas', { width: image.width, height: image.height });
        canvas.getContext('2d').putImageData(image, 0, 0);
        canvas.toBlob((blob) => save(blob, 'screen.png'));
    }

    /** The canvas is as large as fits; whole multiples when the guest's pixels are large enough. */
    #mode() {
        const { width, height } = this.#display;
        const off = !width || !height;
        this.note.hidden = !off;
        this.canvas.classList.toggle('off', off);
        if (off) {
            return;
        }
        const room = this.stage.getBoundingClientRect();
        let scale = Math.min((room.width - 4) / width, (room.height - 4) / height);
        const whole = Math.floor(scale * devicePixelRatio) / devicePixelRatio;
        if (whole >= 1 && scale < whole * 1.12) {
            scale = whole;
        }
        this.canvas.style.width = `${Math.floor(width * scale)}px`;
        this.canvas.style.height = `${Math.floor(height * scale)}px`;
        this.canvas.style.imageRendering = scale >= 2 ? 'pixelated' : 'auto';
        this.scale = scale;
    }

    /** The guest's cursor is the browser's, so that it never lags. */
    #cursor({ image, hotX = 0, hotY = 0 }) {
        this.#hot = [hotX, hotY];
        this.cursor.width = image?.width ?? 0;
        this.cursor.height = image?.height ?? 0;
        this.canvas.style.cursor = '';
        if (image) {
            this.cursor.getContext('2d').putImageData(image, 0, 0);
            this.#browserCursor();
        }
        this.#overlay();
    }

    #browserCursor() {
        const scale = Math.min(2, Math.max(1, this.scale ?? 1));
        const { width, height } = this.cursor;
        const target = el('canvas', {
            width: Math.round(width * scale), height: Math.round(height * scale),
        });
        target.getContext('2d').drawImage(this.cursor, 0, 0, target.width, target.height);
        const hot = this.#hot.map((at) => Math.max(0, Math.round(at * scale))).join(' ');
        this.canvas.style.cursor = `url(${target.toDataURL()}) ${hot}, default`;
    }

    /** The browser shows none while the mouse is the guest's: it is drawn where the guest has it. */
    #overlay() {
        const { x = 0, y = 0, visible = false } = this.#display.pointer ?? {};
        const shown = visible && this.cursor.width > 0 && document.pointerLockElement === this.canvas;
        this.cursor.hidden = !shown;
        if (!shown) {
            return;
        }
        const { offsetLeft, offsetTop } = this.canvas;
        const [left, top] = [x - this.#hot[0], y - this.#hot[1]].map((at) => at * this.scale);
        this.cursor.style.width = `${this.cursor.width * this.scale}px`;
        this.cursor.style.transform = `translate(${offsetLeft + left}px, ${offsetTop + top}px)`;
    }

    #keys() {
        this.#listen(this.canvas, 'keydown', (event) => this.#key(event, true));
        this.#listen(this.canvas, 'keyup', (event) => this.#key(event, false));
        this.#listen(this.canvas, 'blur', () => this.#input.leave());
        this.#listen(window, 'blur', () => this.#input.leave());
    }

    /** Repeats are the guest's own business. */
    #key(event, down) {
        if (this.#page.isShortcut(event)) {
            return;
        }
        if (!event.repeat && !this.#input.key(event.code, down)) {
            return;
        }
        event.preventDefault();
    }

    #pointer() {
        const on = (type, listener, options) => this.#listen(this.canvas, type, listener, options);
        on('pointermove', (event) => this.#move(event));
        on('pointerdown', (event) => this.#press(event, true));
        on('pointerup', (event) => this.#press(event, false));
        on('pointercancel', (event) => this.#press(event, false));
        on('contextmenu', (event) => event.preventDefault());
        on('wheel', (event) => this.#roll(event), { passive: false });
    }

    #place(event) {
        const rect = this.canvas.getBoundingClientRect();
        const part = (at, from, length) => Math.min(1, Math.max(0, (at - from) / length));
        return [part(event.clientX, rect.left, rect.width), part(event.clientY, rect.top, rect.height)];
    }

    #move(event) {
        if (event.pointerType === 'touch') {
            const slot = this.#fingers.get(event.pointerId);
            if (slot !== undefined) {
                this.#input.touch(slot, true, ...this.#place(event));
            }
        } else if (document.pointerLockElement === this.canvas) {
            this.#input.move(event.movementX, event.movementY);
        } else {
            this.#input.place(...this.#place(event));
            this.#chord(event);
        }
    }

    /** A further button while one is down comes as a move. */
    #chord(event) {
        if (event.button >= 0) {
            this.#input.button(event.button, Boolean(event.buttons & maskOf(event.button)));
        }
    }

    #press(event, down) {
        event.preventDefault();
        if (down) {
            this.canvas.focus();
        }
        if (event.pointerType === 'touch') {
            this.#finger(event, down);
            return;
        }
        if (down) {
            this.canvas.setPointerCapture(event.pointerId);
        }
        if (document.pointerLockElement !== this.canvas) {
            this.#input.place(...this.#place(event));
        }
        if (event.button >= 0) {
            this.#input.button(event.button, down);
        }
    }

    #finger(event, down) {
        let slot = this.#fingers.get(event.pointerId);
        if (down) {
            const taken = new Set(this.#fingers.values());
            slot = [...Array(slots).keys()].find((free) => !taken.has(free));
            if (slot === undefined) {
                return;
            }
            this.#fingers.set(event.pointerId, slot);
            this.canvas.setPointerCapture(event.pointerId);
        } else {
            this.#fingers.delete(event.pointerId);
        }
        if (slot !== undefined) {
            this.#input.touch(slot, down, ...this.#place(event));
        }
    }

    /** Pixels, lines or pages to notches; what is less than one is kept. */
    #roll(event) {
        event.preventDefault();
        const unit = [100, 3, 1][event.deltaMode];
        this.#wheel.x += event.deltaX / unit;
        this.#wheel.y += event.deltaY / unit;
        const x = Math.trunc(this.#wheel.x), y = Math.trunc(this.#wheel.y);
        this.#wheel.x -= x;
        this.#wheel.y -= y;
        if (x || y) {
            this.#input.wheel(x, 0 - y); // a page's numbers grow towards the person, a mouse's away
        }
    }

    #typing() {
        this.#listen(this.typist, 'beforeinput', (event) => {
            if (event.inputType.startsWith('delete')) {
                this.press({ code: 'Backspace' });
            } else if (event.inputType === 'insertLineBreak') {
                this.press({ code: 'Enter' });
            } else if (event.inputType === 'insertText' && event.data) {
                this.press({ text: event.data });
            } else {
                return;
            }
            event.preventDefault();
        });
        this.#listen(this.typist, 'compositionend', (event) => {
            this.press({ text: event.data });
            this.typist.value = '';
        });
    }

    /** codes: [code, shifted]; held: codes that are down around all of it. */
    #type(codes, held) {
        for (const code of held) {
            this.#input.key(code, true);
        }
        for (const [code, shifted] of codes) {
            if (shifted) {
                this.#input.key('ShiftLeft', true);
            }
            this.#input.key(code, true);
            this.#input.key(code, false);
            if (shifted) {
                this.#input.key('ShiftLeft', false);
            }
        }
        for (const code of held) {
            this.#input.key(code, false);
        }
    }
}

/** MouseEvent.button to its bit in MouseEvent.buttons. */
function maskOf(button) {
    return [1, 4, 2, 8, 16][button] ?? 0;
}
