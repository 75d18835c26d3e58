// SPDX-License-Identifier: MPL-2.0
import { makeEvent } from './platform.js';
import { RvkitError } from './errors.js';

/* Events of a look: src/frontends/display.h. */
const CURSOR = 4;
const POINTER = 8;

function makeImage({ pixels, width, height }) {
    const data = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.byteLength);
    return typeof ImageData === 'function'
        ? new ImageData(data, width, height) : { data, width, height, colorSpace: 'srgb' };
}

function nextFrame(fn) {
    typeof requestAnimationFrame === 'function' ? requestAnimationFrame(fn) : setTimeout(fn, 16);
}

/** A screen of the guest; see index.d.ts. */
export class Display extends EventTarget {
    #machine;
    #canvases = new Set();
    #frame = null;    // came, and is to be drawn
    #wanted = false;  // asked for, or on its way, or still to be drawn
    #whole = false;   // the next one has to show all of the screen
    width = 0;
    height = 0;
    /** Where the guest has its cursor, and whether it shows one. */
    pointer = { x: 0, y: 0, visible: false };

    /** @internal */
    constructor(machine, index) {
        super();
        this.#machine = machine;
        this.index = index;
    }

    attach(canvas) {
        const context = canvas.getContext('2d', { alpha: false });
        if (!context) {
            throw new RvkitError('option', 'the canvas has a context of another kind already');
        }
        const target = { canvas, context };
        this.#canvases.add(target);
        this.#fit(target);
        this.#whole = true;
        this.#want();
        return () => {
            this.#canvases.delete(target);
        };
    }

    requestSize(width, height) {
        this.#machine.whenLinked().then(() =>
            this.#machine.link.say('requestSize', [this.index, width, height]), () => {});
    }

    async screenshot() {
        await this.#machine.whenLinked();
        const image = await this.#machine.link.call('screenshot', [this.index]);
        if (!image.width) {
            throw new RvkitError('state', 'the screen is off');
        }
        return makeImage(image);
    }

    /** @internal The machine is built. */
    connect() {
        this.#wanted = false;
        this.#whole = true;
        this.#want();
    }

    #want() {
        if (!this.#wanted && this.#canvases.size && this.#machine.link) {
            this.#wanted = true;
            this.#machine.link.say('want', [this.index, this.#whole]);
            this.#whole = false;
        }
    }

    /** @internal A frame from the worker; drawn with the next animation frame. */
    receive(frame) {
        this.#frame = frame;
        nextFrame(() => this.#draw());
    }

    #fit({ canvas }) {
        if (this.width && (canvas.width !== this.width || canvas.height !== this.height)) {
            canvas.width = this.width;
            canvas.height = this.height;
        }
    }

    #draw() {
        const frame = this.#frame;
        this.#frame = null;
        if (frame.width !== this.width || frame.height !== this.height) {
            this.width = frame.width;
            this.height = frame.height;
            this.#canvases.forEach((target) => this.#fit(target));
            this.#emit('mode', { width: this.width, height: this.height });
        }
        if (!frame.width) {
            this.#canvases.forEach(({ canvas, context }) =>
                context.clearRect(0, 0, canvas.width, canvas.height));
        }
        for (const rect of frame.rects) {
            const image = makeImage(rect);
            this.#canvases.forEach(({ context }) => context.putImageData(image, rect.x, rect.y));
        }
        this.#tellCursor(frame);
        this.#wanted = false;
        this.#want();
    }

    #tellCursor({ events, cursor, cursorImage }) {
        this.pointer = cursor;
        if (events & CURSOR) {
            this.#emit('cursor', cursorImage
                ? { image: makeImage(cursorImage), hotX: cursorImage.hotX, hotY: cursorImage.hotY }
                : { image: null, hotX: 0, hotY: 0 });
        }
        if (events & (CURSOR | POINTER)) {
            this.#emit('pointer', cursor);
        }
    }

    #emit(type, detail) {
        this.dispatchEvent(makeEvent(type, detail));
    }
}
