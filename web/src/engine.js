// SPDX-License-Identifier: MPL-2.0
/*
 * The WebAssembly module (rvkit.wasm and its loader, put here by `make web-engine`) with JavaScript's
 * types. The contract is src/frontends/wasm/engine.h, whose calls the methods have the names of.
 *
 * Its memory moves when it grows, which any call may cause: no view of it is kept over a call.
 */
import { RvkitError, toRvkitError } from './errors.js';
import { isNode, nodeModule } from './platform.js';
import load from './rvkit.js';

export const VIEWER = { bytes: 0, terminal: 1 };
export const CONSOLE = {
    OUTPUT: 1, ROOM: 2, RESIZED: 4, TITLE: 8, BELL: 16, CLIPBOARD: 32, ASKED: 64, CLOSED: 128,
};
export const STATUS = { BUSY: 0, IDLE: 1, PAUSED: 2, OFF: 3 };
export const DRIVE = { READ: 0, WRITE: 1, FLUSH: 2, DISCARD: 3, ZERO: 4 };
export const CHUNK = 1 << 16;
const LOAD = { bios: 0, kernel: 1, initrd: 2, dtb: 3 };
const ICOUNT = 0x100;
const TITLE_MAX = 4096;
const LOG_MAX = 200;

const utf8 = new TextEncoder();

/* --- The module --- */

async function readWasm(where) {
    const url = String(where);
    if (isNode && !/^(https?|data|blob):/.test(url)) {
        const { readFile } = await nodeModule('fs/promises');
        return WebAssembly.compile(await readFile(url.startsWith('file:') ? new URL(url) : url));
    }
    const response = await fetch(url);
    if (!response.ok) {
        throw new Error(`HTTP ${response.status}`);
    }
    // A server that does not know the type of .wasm is no reason to fail.
    return response.headers.get('content-type')?.startsWith('application/wasm')
        ? WebAssembly.compileStreaming(response)
        : WebAssembly.compile(await response.arrayBuffer());
}

/** wasm: a Module, bytes, {url} or {path}; undefined: the one beside this file. */
async function compileWasm(wasm) {
    if (typeof WebAssembly === 'undefined') {
        throw new RvkitError('unsupported', 'there is no WebAssembly here (is it switched off?)');
    }
    const where = wasm === undefined ? new URL('./rvkit.wasm', import.meta.url) : wasm.url ?? wasm.path;
    try {
        return where ? await readWasm(where)
            : wasm instanceof WebAssembly.Module ? wasm : await WebAssembly.compile(wasm);
    } catch (error) {
        throw toRvkitError(error, 'wasm', `the engine ${where ?? '(wasm)'} cannot be loaded: `);
    }
}

/** The module with its memory. host: see engine.h, "Imports". log: a line that it says. */
async function instantiate(wasm, host, log) {
    const module = await compileWasm(wasm);
    let made;
    try {
        made = await load({ module, host, log });
    } catch (error) {
        throw toRvkitError(error, 'wasm', 'the engine rvkit.wasm does not fit this package: ');
    }
    if (typeof made._rvkit_new !== 'function') {
        throw new RvkitError('wasm', 'the engine rvkit.wasm does not fit this package: it has no rvkit_new');
    }
    return made;
}

/* --- The engine --- */

export class Engine {
    #m;
    #engine = 0;
    #scratch = 0;
    #log = [];

    constructor(module) {
        this.#m = module;
        this.#scratch = module._malloc(CHUNK);
    }

    /**
     * A module with a machine in it that is still to be built.
     *
     * @param {{memory: number, harts: number, virtio: number, icount: boolean, wasm?: unknown}} options
     * @param {object} host console(viewer, bits), display(n), drive(n, token, op, offset, length),
     *     net(n, frame), soundOpen(…), soundPlay(stream, bytes), soundRecord(stream, size), soundClose(stream).
     *     They may call only driveBuffer() and driveDone().
     * @param {(line: string) => void} onlog
     */
    static async create(options, host, onlog) {
        let self = null;
        const print = (line) => {
            if (self) {
                self.#remember(line);
            }
            onlog(line);
        };
        self = new Engine(await instantiate(options.wasm, wrapHost(host, () => self), print));
        const flags = options.virtio | (options.icount ? ICOUNT : 0);
        self.#engine = self.#m._rvkit_new(options.memory, options.harts, flags);
        if (!self.#engine) {
            throw self.#error('memory', `there is no memory for ${options.memory} bytes of RAM`);
        }
        return self;
    }

    free() {
        if (this.#engine) {
            const engine = this.#engine;
            this.#engine = 0;
            this.#m._rvkit_free(engine);
        }
    }

    get freed() {
        return !this.#engine;
    }

    /** Bytes of the module's memory. */
    get memorySize() {
        return this.#m.HEAPU8.length;
    }

    #remember(line) {
        this.#log.push(line);
        if (this.#log.length > LOG_MAX) {
            this.#log.shift();
        }
    }

    /** An error with what the engine said since #log was emptied. */
    #error(code, otherwise) {
        const said = this.#log.map((line) => line.replace(/^(rvkit|ERROR|error): */i, '')).at(-1);
        return new RvkitError(code, said ?? otherwise);
    }

    #check(ok, code, otherwise) {
        if (!ok) {
            throw this.#error(code, otherwise);
        }
    }

    /** Copies into the module's memory, for fn(address); null is address 0. */
    #with(bytes, fn) {
        if (bytes === null || bytes === undefined) {
            return fn(0);
        }
        const address = this.#put(bytes);
        try {
            return fn(address);
        } finally {
            this.#m._free(address);
        }
    }

    #put(bytes) {
        const address = this.#m._malloc(bytes.byteLength || 1) >>> 0;
        if (!address) {
            throw new RvkitError('memory', `there is no memory for ${bytes.byteLength} bytes`);
        }
        this.#m.HEAPU8.set(bytes, address);
        return address;
    }

    #withText(text, fn) {
        const whole = text === null || text === undefined ? null : String(text).replaceAll('\0', '');
        return this.#with(whole === null ? null : utf8.encode(`${whole}\0`), fn);
    }

    #copy(address, size) {
        return this.#m.HEAPU8.slice(address, address + size);
    }

    /** A text that ends with NUL. */
    #text(address) {
        const heap = this.#m.HEAPU8;
        return new TextDecoder().decode(heap.subarray(address, heap.indexOf(0, address)));
    }

    #doubles(count, call) {
        call(this.#scratch);
        return Array.from(new Float64Array(this.#m.HEAPU8.buffer, this.#scratch, count));
    }

    /* --- Parts --- */

    addConsole(name, kind) {
        const number = this.#withText(name, (text) =>
            this.#m._rvkit_add_console(this.#engine, text, kind === 'virtio' ? 1 : 0));
        this.#check(number >= 0, 'option', `the console ${name} cannot be added`);
        return number;
    }

    addDrive({ size, readOnly, canDiscard, serial }) {
        const flags = (readOnly ? 1 : 0) | (canDiscard ? 2 : 0);
        const number = this.#withText(serial ?? '', (text) =>
            this.#m._rvkit_add_drive(this.#engine, size, flags, text));
        this.#check(number >= 0, 'option', `a drive of ${size} bytes cannot be added`);
        return number;
    }

    addNet(mac) {
        const number = this.#with(mac, (bytes) => this.#m._rvkit_add_net(this.#engine, bytes));
        this.#check(number >= 0, 'option', 'the network card cannot be added');
        return number;
    }

    addShare({ tag, fs, limit }) {
        const number = this.#withText(tag, (text) =>
            this.#m._rvkit_add_share(this.#engine, text, fs === 'virtiofs' ? 1 : 0, limit));
        this.#check(number >= 0, 'option', `the share ${tag} cannot be added`);
        return number;
    }

    addDisplay({ type, width, height }) {
        const kind = type === 'framebuffer' ? 1 : 0;
        const number = this.#m._rvkit_add_display(this.#engine, kind, width, height);
        this.#check(number >= 0, 'option', `a display of ${width}x${height} cannot be added`);
        return number;
    }

    addInput(kinds) {
        this.#check(this.#m._rvkit_add_input(this.#engine, kinds) >= 0, 'option',
            'the input devices cannot be added');
    }

    addSound() {
        this.#check(this.#m._rvkit_add_sound(this.#engine) >= 0, 'option', 'the sound device cannot be added');
    }

    build() {
        this.#log.length = 0;
        this.#check(this.#m._rvkit_build(this.#engine), 'memory', 'the machine cannot be built');
    }

    /* --- Files --- */

    /** Room for so many bytes in the module, to be filled with fill() and given to load(). */
    allocate(size) {
        const address = this.#m._malloc(Math.max(size, 1)) >>> 0;
        if (!address) {
            throw new RvkitError('memory', `there is no memory for ${size} bytes`);
        }
        return address;
    }

    fill(address, offset, bytes) {
        this.#m.HEAPU8.set(bytes, address + offset);
    }

    peek(address, size) {
        return this.#copy(address, size);
    }

    release(address) {
        this.#m._free(address);
    }

    /** what: bios, kernel, initrd, dtb. The bytes at the address go over, also when this throws. */
    load(what, address, size, name) {
        this.#log.length = 0;
        const ok = this.#withText(name, (text) =>
            this.#m._rvkit_load(this.#engine, LOAD[what], address, size, text));
        this.#check(ok, 'load', `${name}: cannot be loaded`);
    }

    cmdline(cmdline, append) {
        this.#log.length = 0;
        const ok = this.#withText(cmdline, (a) => this.#withText(append, (b) =>
            this.#m._rvkit_cmdline(this.#engine, a, b)));
        this.#check(ok, 'option', 'the command line cannot be set');
    }

    dtb() {
        const address = this.#m._rvkit_dtb(this.#engine, this.#scratch) >>> 0;
        this.#check(address, 'engine', 'there is no device tree');
        const bytes = this.#copy(address, this.#word(this.#scratch));
        this.#m._free(address);
        return bytes;
    }

    #word(address) {
        return new DataView(this.#m.HEAPU8.buffer).getUint32(address, true);
    }

    /* --- Running --- */

    start() {
        this.#log.length = 0;
        this.#check(this.#m._rvkit_start(this.#engine), 'load', 'the machine cannot be started');
    }

    pause() {
        this.#m._rvkit_pause(this.#engine);
    }

    reset() {
        this.#m._rvkit_reset(this.#engine);
    }

    poweroff() {
        this.#m._rvkit_poweroff(this.#engine);
    }

    slice(ms) {
        return this.#m._rvkit_slice(this.#engine, ms);
    }

    get idleMs() {
        return this.#m._rvkit_idle_ms(this.#engine);
    }

    get instructions() {
        return this.#m._rvkit_retired_insns(this.#engine);
    }

    get guestMs() {
        return this.#m._rvkit_guest_ms(this.#engine);
    }

    get lagMs() {
        return this.#m._rvkit_lag_ms(this.#engine);
    }

    /** 0 … 255, or null. */
    get exitStatus() {
        const status = this.#m._rvkit_exit_status(this.#engine);
        return status < 0 ? null : status;
    }

    /* --- Consoles --- */

    consoleAttach(console, kind, wait) {
        return this.#m._rvkit_console_attach(this.#engine, console, VIEWER[kind], wait ? 1 : 0);
    }

    consoleDetach(viewer) {
        this.#m._rvkit_console_detach(this.#engine, viewer);
    }

    /** At most 64 KiB; null: there is nothing. */
    consoleTake(viewer) {
        const size = this.#m._rvkit_console_take(this.#engine, viewer, this.#scratch, CHUNK);
        return size ? this.#copy(this.#scratch, size) : null;
    }

    consolePending(viewer) {
        return this.#m._rvkit_console_pending(this.#engine, viewer);
    }

    /** Returns how many bytes were taken; CONSOLE.ROOM comes when they were not all. */
    consoleType(viewer, bytes) {
        const part = bytes.subarray(0, CHUNK);
        this.#m.HEAPU8.set(part, this.#scratch);
        return this.#m._rvkit_console_type(this.#engine, viewer, this.#scratch, part.length);
    }

    consoleResize(viewer, cols, rows) {
        this.#m._rvkit_console_resize(this.#engine, viewer, cols, rows);
    }

    /** [columns, rows] */
    consoleSize(console) {
        const size = this.#m._rvkit_console_size(this.#engine, console);
        return [size >>> 16, size & 0xffff];
    }

    consoleShow(viewer, shown) {
        this.#m._rvkit_console_show(this.#engine, viewer, shown ? 1 : 0);
    }

    consoleTitle(viewer) {
        const size = this.#m._rvkit_console_title(this.#engine, viewer, this.#scratch, TITLE_MAX);
        return new TextDecoder().decode(this.#copy(this.#scratch, size));
    }

    /** {which, base64}, or null. */
    consoleClipboard(viewer) {
        const address = this.#m._rvkit_console_clipboard(this.#engine, viewer, this.#scratch) >>> 0;
        if (!address) {
            return null;
        }
        const which = String.fromCharCode(this.#m.HEAPU8[this.#scratch] || 0x63);
        const base64 = this.#text(address);
        this.#m._free(address);
        return { which, base64 };
    }

    consoleAnswer(viewer, which, base64) {
        const bytes = utf8.encode(base64);
        this.#with(bytes, (address) => this.#m._rvkit_console_answer(this.#engine, viewer,
            which.charCodeAt(0), address, bytes.length));
    }

    consoleDraw(console, above) {
        const address = this.#m._rvkit_console_draw(this.#engine, console, above, this.#scratch) >>> 0;
        if (!address) {
            return '';
        }
        const bytes = this.#copy(address, this.#word(this.#scratch));
        this.#m._free(address);
        return new TextDecoder().decode(bytes);
    }

    /* --- Drives --- */

    /** The bytes of a request, until the next call of anything. null: it is forgotten. */
    driveBuffer(token, length) {
        const address = this.#engine && this.#m._rvkit_drive_buffer(this.#engine, token) >>> 0;
        return address ? this.#m.HEAPU8.subarray(address, address + length) : null;
    }

    driveDone(token, ok) {
        if (this.#engine) {
            this.#m._rvkit_drive_done(this.#engine, token, ok ? 1 : 0);
        }
    }

    driveStats(drive) {
        const [reads, writes, flushes, errors, bytesRead, bytesWritten] = this.#doubles(6, (out) =>
            this.#m._rvkit_drive_stats(this.#engine, drive, out));
        return { reads, writes, flushes, errors, bytesRead, bytesWritten };
    }

    /* --- Networks --- */

    netLink(net, up) {
        this.#m._rvkit_net_link(this.#engine, net, up ? 1 : 0);
    }

    netFeed(net, frame) {
        this.#m.HEAPU8.set(frame, this.#scratch);
        return Boolean(this.#m._rvkit_net_feed(this.#engine, net, this.#scratch, frame.length));
    }

    /* --- Displays and input --- */

    /** What is new: {events, width, height, cursor, rects: [{x, y, width, height, pixels}]}. */
    displayLook(display) {
        const at = this.#m._rvkit_display_look(this.#engine, display) >>> 0;
        const words = new DataView(this.#m.HEAPU8.buffer, at, 32);
        const word = (i) => words.getUint32(4 * i, true);
        const rects = [];
        for (let i = 0; i < word(6); i++) {
            const rect = new Uint32Array(this.#m.HEAPU8.buffer, word(7) + 20 * i, 5);
            const [x, y, width, height, pixels] = rect;
            rects.push({ x, y, width, height, pixels: this.#copy(pixels, 4 * width * height) });
        }
        return {
            events: word(0),
            width: word(1),
            height: word(2),
            cursor: { x: word(3) | 0, y: word(4) | 0, visible: word(5) !== 0 },
            rects,
        };
    }

    /** {hotX, hotY, width, height, pixels}, or null. */
    displayCursor(display) {
        const at = this.#m._rvkit_display_cursor(this.#engine, display) >>> 0;
        return at && {
            hotX: this.#word(at),
            hotY: this.#word(at + 4),
            width: 64,
            height: 64,
            pixels: this.#copy(at + 8, 64 * 64 * 4),
        } || null;
    }

    displayRequest(display, width, height) {
        return Boolean(this.#m._rvkit_display_request(this.#engine, display, width, height));
    }

    displayRedraw(display) {
        this.#m._rvkit_display_redraw(this.#engine, display);
    }

    /** kind: key, button, move, place, wheel, touch, leave; with the numbers that engine.h says. */
    input(kind, numbers) {
        this.#m[`_rvkit_${kind}`](this.#engine, ...numbers);
    }

    get leds() {
        return this.#m._rvkit_leds(this.#engine);
    }

    /* --- What the files of shares need; see host/files.js --- */

    /** The module, the engine's address, and helpers, for calls that have a file of their own. */
    get raw() {
        return {
            module: this.#m,
            engine: this.#engine,
            scratch: this.#scratch,
            withText: (text, fn) => this.#withText(text, fn),
            copy: (address, size) => this.#copy(address, size),
            text: (address) => this.#text(address),
        };
    }
}

/** The imports, with arrays in the place of addresses. */
function wrapHost(host, self) {
    const heap = () => self().raw.module.HEAPU8;
    return {
        console: (viewer, bits) => host.console(viewer, bits >>> 0),
        display: (display) => host.display(display),
        drive: (drive, token, op, offset, length) =>
            host.drive(drive, token >>> 0, op, offset, length),
        net: (net, address, size) => host.net(net, heap().slice(address >>> 0, (address >>> 0) + size)),
        soundOpen: (...params) => host.soundOpen(...params),
        soundPlay: (stream, address, size) =>
            host.soundPlay(stream, heap().slice(address >>> 0, (address >>> 0) + size)),
        soundRecord: (stream, address, size) => {
            const bytes = host.soundRecord(stream, size);
            heap().set(bytes, address >>> 0);
            return bytes.length;
        },
        soundClose: (stream) => host.soundClose(stream),
    };
}
