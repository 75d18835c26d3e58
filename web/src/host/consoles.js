// SPDX-License-Identifier: MPL-2.0
/*
 * Viewers of consoles, on the worker's side.
 *
 * Output: a viewer gets a chunk of at most 64 KiB, and the next one when the other side has said
 * that the one before was used up (ack). Meanwhile bytes wait in the engine, and the guest, if the
 * viewer is one that it waits for. After the machine went off, what is left is still delivered; then
 * `end` comes.
 *
 * Input: what is typed waits here until the engine takes it (CONSOLE.ROOM); the promise ends when
 * all was taken.
 *
 * Each console has a viewer of the host's own, without bytes, which hears of titles, bells, sizes
 * and the clipboard, and types for console.write().
 */
import { CONSOLE } from '../engine.js';
import { RvkitError, packError } from '../errors.js';

class Viewer {
    constructor(id, index, number) {
        this.id = id;           // the other side's; null: the host's own
        this.index = index;     // of the console
        this.number = number;   // the engine's
        this.hungry = true;     // there may be bytes
        this.busy = false;      // a chunk is out
        this.ended = false;
        this.typed = [];        // {bytes, at, resolve, reject}
        this.bits = 0;
    }
}

function off() {
    return new RvkitError('off', 'the machine is off');
}

export class Consoles {
    #host;
    #byNumber = new Map();
    #byId = new Map();
    #own = [];
    #early = new Map(); // bits for viewers whose number is not known yet
    #over = false;      // the machine is off

    constructor(host) {
        this.#host = host;
    }

    get #engine() {
        return this.#host.engine;
    }

    /** The machine is built, with so many consoles. */
    build(count) {
        for (let i = 0; i < count; i++) {
            this.#own.push(this.#add(null, i, 'bytes', false));
        }
    }

    #add(id, index, kind, wait) {
        const number = this.#engine.consoleAttach(index, kind, wait);
        if (number < 0) {
            throw new RvkitError('state', 'the machine has no room for another viewer of a console');
        }
        const viewer = new Viewer(id, index, number);
        viewer.bits = this.#early.get(number) ?? 0;
        this.#early.clear();
        this.#byNumber.set(number, viewer);
        return viewer;
    }

    /** The other side's viewer with its own number `id`. */
    attach(id, index, kind, wait) {
        let viewer;
        try {
            viewer = this.#add(id, index, kind, wait);
        } catch (error) { // which is its own affair, not the machine's
            this.#host.say('end', [id, packError(error)]);
            return;
        }
        this.#byId.set(id, viewer);
        this.#host.flushSoon();
    }

    detach(id) {
        const viewer = this.#byId.get(id);
        if (viewer) {
            this.#byId.delete(id);
            this.#byNumber.delete(viewer.number);
            this.#engine.consoleDetach(viewer.number);
            this.#reject(viewer, new RvkitError('state', 'the viewer was closed'));
            this.#host.kick(); // the guest may have waited for it
        }
    }

    /* --- What the engine tells --- */

    told(number, bits) {
        const viewer = this.#byNumber.get(number);
        if (viewer) {
            viewer.bits |= bits;
        } else {
            this.#early.set(number, (this.#early.get(number) ?? 0) | bits);
        }
        this.#host.flushSoon();
    }

    flush() {
        for (const viewer of [...this.#byNumber.values()]) {
            const { bits } = viewer;
            viewer.bits = 0;
            if (bits & CONSOLE.OUTPUT) {
                viewer.hungry = true;
            }
            if (viewer.id === null) {
                this.#tell(viewer, bits);
            } else {
                this.#pumpOut(viewer);
            }
            if (bits & CONSOLE.ROOM) {
                this.#pumpIn(viewer);
            }
        }
    }

    #tell({ index, number }, bits) {
        const say = (event, detail) => this.#host.say('console', [index, event, detail]);
        if (bits & CONSOLE.RESIZED) {
            const [cols, rows] = this.#engine.consoleSize(index);
            say('resize', { cols, rows });
        }
        if (bits & CONSOLE.TITLE) {
            say('title', { title: this.#engine.consoleTitle(number) });
        }
        if (bits & CONSOLE.BELL) {
            say('bell', {});
        }
        if (bits & CONSOLE.CLIPBOARD) {
            const clipboard = this.#engine.consoleClipboard(number);
            clipboard && say('clipboard', clipboard);
        }
        if (bits & CONSOLE.ASKED) {
            say('clipboardrequest', { which: 'c' });
        }
    }

    /* --- Output --- */

    #pumpOut(viewer) {
        if (viewer.busy || viewer.ended) {
            return;
        }
        const data = viewer.hungry ? this.#engine.consoleTake(viewer.number) : null;
        if (data) {
            viewer.busy = true;
            this.#host.say('data', [viewer.id, data], [data.buffer]);
            this.#host.kick(); // there is room for the guest again
        } else {
            viewer.hungry = false;
            if (this.#over) {
                this.#finish(viewer);
            }
        }
    }

    /** The chunk that was out is used up. */
    ack(id) {
        const viewer = this.#byId.get(id);
        if (viewer) {
            viewer.busy = false;
            this.#pumpOut(viewer);
        }
    }

    show(id, shown) {
        const viewer = this.#byId.get(id);
        if (viewer) {
            this.#engine.consoleShow(viewer.number, shown);
            viewer.hungry = true;
            this.#host.flushSoon();
            this.#host.kick();
        }
    }

    /* --- Input --- */

    type(id, bytes) {
        const viewer = this.#byId.get(id);
        return viewer ? this.#type(viewer, bytes)
            : Promise.reject(new RvkitError('state', 'the viewer was closed'));
    }

    typeConsole(index, bytes) {
        return this.#type(this.#own[index], bytes);
    }

    #type(viewer, bytes) {
        if (this.#over) {
            return Promise.reject(off());
        }
        return new Promise((resolve, reject) => {
            viewer.typed.push({ bytes, at: 0, resolve, reject });
            if (viewer.typed.length === 1) {
                this.#pumpIn(viewer);
            }
        });
    }

    #pumpIn(viewer) {
        while (viewer.typed.length) {
            const first = viewer.typed[0];
            const left = first.bytes.subarray(first.at);
            const taken = left.length ? this.#engine.consoleType(viewer.number, left) : 0;
            first.at += taken;
            if (first.at === first.bytes.length) {
                viewer.typed.shift();
                first.resolve();
            } else if (!taken) {
                break; // CONSOLE.ROOM will come
            }
        }
        this.#host.kick();
    }

    #reject(viewer, error) {
        for (const { reject } of viewer.typed.splice(0)) {
            reject(error);
        }
    }

    /* --- Sizes and the clipboard --- */

    resize(id, cols, rows) {
        const viewer = this.#byId.get(id);
        if (viewer) {
            this.#engine.consoleResize(viewer.number, cols, rows);
            this.#host.kick();
        }
    }

    resizeConsole(index, cols, rows) {
        this.#engine.consoleResize(this.#own[index].number, cols, rows);
        this.#host.kick();
    }

    answer(index, which, base64) {
        this.#engine.consoleAnswer(this.#own[index].number, which, base64);
        this.#host.kick();
    }

    /* --- The end --- */

    #finish(viewer) {
        viewer.ended = true;
        this.#host.say('end', [viewer.id]);
    }

    /** The machine is off: what is left goes out as it is taken, and nothing is typed any more. */
    end() {
        this.#over = true;
        for (const viewer of this.#byNumber.values()) {
            this.#reject(viewer, off());
            viewer.hungry = true;
        }
        this.#host.flushSoon();
    }

    /** It was reset, and runs again. */
    restart() {
        this.#over = false;
        for (const viewer of this.#byId.values()) {
            if (viewer.ended) {
                viewer.ended = false;
                this.#host.say('again', [viewer.id]);
            }
        }
    }

    /** Everything that is left goes out now: the engine is about to be freed. */
    drain() {
        this.#over = true;
        for (const viewer of this.#byNumber.values()) {
            this.#reject(viewer, off());
            if (viewer.id === null || viewer.ended) {
                continue;
            }
            let data;
            while ((data = this.#engine.consoleTake(viewer.number)) !== null) {
                this.#host.say('data', [viewer.id, data], [data.buffer]);
            }
            this.#finish(viewer);
        }
        this.#byNumber.clear();
        this.#byId.clear();
    }
}
