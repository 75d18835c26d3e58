// SPDX-License-Identifier: MPL-2.0
/* Frames for the other side: one at a time, when it asks for one (want) and there is something new. */
import { Transfer } from '../rpc.js';

/* Events of a look: src/frontends/display.h. */
const CURSOR = 4;

export class Displays {
    #host;
    #new = new Set();    // there is something to see
    #wanted = new Set(); // the other side waits for a frame

    constructor(host) {
        this.#host = host;
    }

    told(index) {
        this.#new.add(index);
        this.#host.flushSoon();
    }

    /** One frame, now or when something changes. whole: all of the screen. */
    want(index, whole) {
        this.#wanted.add(index);
        if (whole) {
            this.#host.engine.displayRedraw(index);
            this.#new.add(index);
        }
        this.#host.flushSoon();
    }

    flush() {
        for (const index of this.#new) {
            if (this.#wanted.delete(index)) {
                this.#new.delete(index);
                this.#send(index);
            }
        }
    }

    #look(index) {
        const frame = this.#host.engine.displayLook(index);
        if (frame.events & CURSOR) {
            frame.cursorImage = this.#host.engine.displayCursor(index);
        }
        return frame;
    }

    #send(index) {
        const frame = this.#look(index);
        const buffers = frame.rects.map(({ pixels }) => pixels.buffer);
        if (frame.cursorImage) {
            buffers.push(frame.cursorImage.pixels.buffer);
        }
        this.#host.say('frame', [index, frame], buffers);
    }

    requestSize(index, width, height) {
        this.#host.engine.displayRequest(index, width, height);
        this.#host.kick();
    }

    /** All pixels now. What the other side still has to see it sees at its next frame, whole. */
    screenshot(index) {
        this.#host.engine.displayRedraw(index);
        const { width, height, rects } = this.#look(index);
        this.#host.engine.displayRedraw(index);
        this.#new.add(index);
        this.#host.flushSoon();
        const pixels = new Uint8ClampedArray(4 * width * height);
        for (const rect of rects) {
            for (let row = 0; row < rect.height; row++) {
                const line = rect.pixels.subarray(4 * rect.width * row, 4 * rect.width * (row + 1));
                pixels.set(line, 4 * ((rect.y + row) * width + rect.x));
            }
        }
        return new Transfer({ width, height, pixels }, [pixels.buffer]);
    }
}
