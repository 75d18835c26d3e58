// SPDX-License-Identifier: MPL-2.0
/*
 * The worker's side of a Machine: owns the engine, runs it in slices, and has the stores of its
 * drives and the links of its network cards. machine.js is the other side of the port.
 */
import { Engine, STATUS } from '../engine.js';
import { RvkitError, packError, toRvkitError } from '../errors.js';
import { makeSoon } from '../platform.js';
import { Rpc } from '../rpc.js';
import { openSource } from '../source.js';
import { Consoles } from './consoles.js';
import { HEAD_BYTES, isKernel, isWebPage } from './contents.js';
import { Displays } from './displays.js';
import { Drives } from './drives.js';
import { Files } from './files.js';
import { Nets } from './nets.js';
import { Sound } from './sound.js';

const SLICE_MS = 8;
const IDLE_MAX_MS = 1000;

export class Host {
    #rpc;
    #port;
    #engine = null;
    #abort = new AbortController();
    #soon = makeSoon();
    #timer = null;
    #queued = false; /* a slice is due as soon as may be */
    #running = false;
    #flushing = false;
    #failed = false;
    #over = false; /* it is being stopped, or was */
    #busyMs = 0;
    #since = null; /* of the last stats(): {time, busyMs, instructions} */
    #leds = 0;

    constructor(port) {
        this.#port = port;
        this.#rpc = new Rpc(port, this.#guarded(this.#handlers()), (error) => this.#over || this.#fail(error));
        this.consoles = new Consoles(this);
        this.drives = new Drives(this);
        this.nets = new Nets(this);
        this.displays = new Displays(this);
        this.files = new Files(this);
        this.sound = new Sound(this);
    }

    /** The other side waits for this before it sends anything. lock: see ../watch.js. */
    hello(lock = null) {
        this.say('hello', [lock]);
    }

    get engine() {
        return this.#engine;
    }

    get signal() {
        return this.#abort.signal;
    }

    call(method, ...args) {
        return this.#rpc.call(method, args);
    }

    say(method, args = [], transfer = []) {
        this.#rpc.say(method, args, transfer);
    }

    /** After stop() there is no engine that anything could be asked of. */
    #guarded(handlers) {
        const guarded = Object.entries(handlers).map(([name, handler]) => [name, (...args) => {
            this.#checkOpen();
            return handler(...args);
        }]);
        return { ...Object.fromEntries(guarded), ping: () => {} };
    }

    #checkOpen() {
        if (this.#over) {
            throw new RvkitError('off', 'the machine was stopped');
        }
    }

    #handlers() {
        return {
            create: (options) => this.#create(options),
            load: (what, source, max) => this.#load(what, source, max),
            cmdline: (cmdline, append) => this.#engine.cmdline(cmdline, append),
            dtb: () => this.#engine.dtb(),
            start: () => this.#start(),
            pause: () => this.#pause(),
            reset: () => this.#reset(),
            stop: () => this.#stop(),
            stats: () => this.#stats(),
            input: (kind, numbers) => this.#input(kind, numbers),
            attach: (...args) => this.consoles.attach(...args),
            detach: (id) => this.consoles.detach(id),
            ack: (id) => this.consoles.ack(id),
            type: (id, bytes) => this.consoles.type(id, bytes),
            typeConsole: (index, bytes) => this.consoles.typeConsole(index, bytes),
            resize: (id, cols, rows) => this.consoles.resize(id, cols, rows),
            resizeConsole: (index, cols, rows) => this.consoles.resizeConsole(index, cols, rows),
            show: (id, shown) => this.consoles.show(id, shown),
            answer: (index, which, base64) => this.consoles.answer(index, which, base64),
            draw: (index, above) => this.#engine.consoleDraw(index, above),
            want: (index, whole) => this.displays.want(index, whole),
            requestSize: (...args) => this.displays.requestSize(...args),
            screenshot: (index) => this.displays.screenshot(index),
            driveRead: (...args) => this.drives.read(...args),
            driveOverlay: (index) => this.drives.exportOverlay(index),
            netReceive: (index, frame) => this.nets.receive(index, frame),
            netDropped: (index) => this.nets.countDropped(index),
            netUp: (index, up, why) => this.nets.setUp(index, up, why),
            file: (op, ...args) => this.files.run(op, args),
            soundPort: (soundPort) => this.sound.connect(soundPort),
            soundRecord: (stream, bytes) => this.sound.record(stream, bytes),
        };
    }

    /* --- Life --- */

    async #create(options) {
        const engine = await Engine.create(options, {
            console: (viewer, bits) => this.consoles.told(viewer, bits),
            display: (display) => this.displays.told(display),
            drive: (...args) => this.drives.request(...args),
            net: (net, frame) => this.nets.send(net, frame),
            soundOpen: (...args) => this.sound.open(...args),
            soundPlay: (stream, bytes) => this.sound.play(stream, bytes),
            soundRecord: (stream, size) => this.sound.take(stream, size),
            soundClose: (stream) => this.sound.close(stream),
        }, (line) => this.say('log', [line]));
        this.#engine = engine;
        const drives = await this.drives.open(options.drives);
        if (this.#over) { // meanwhile; with worker: false nobody ends what is open
            await this.drives.close();
            this.#free();
        }
        this.#checkOpen();
        options.consoles.forEach(({ name, type }) => engine.addConsole(name, type));
        drives.forEach((drive) => engine.addDrive(drive));
        options.nets.forEach(({ mac }) => engine.addNet(mac));
        options.shares.forEach((share) => engine.addShare(share));
        options.displays.forEach((display) => engine.addDisplay(display));
        if (options.input) {
            engine.addInput(options.input);
        }
        if (options.sound) {
            engine.addSound();
        }
        engine.build();
        this.consoles.build(options.consoles.length);
        this.nets.open(options.nets);
        this.files.open(options.shares.length);
        return { drives };
    }

    async #load(what, source, max) {
        const { chunks, size, name } = await openSource(source, {
            what,
            max,
            signal: this.signal,
            pull: (id, cancel) => this.call('pull', id, cancel),
            onprogress: (progress) => this.say('progress', [progress]),
        });
        // The size at once where it is known; else the chunks are collected first.
        const all = size === undefined ? await collect(chunks) : { chunks, size };
        let at = 0;
        let address = this.#engine.allocate(all.size);
        try {
            for await (const chunk of all.chunks) {
                if (at + chunk.byteLength > all.size) {
                    throw new RvkitError('truncated', `${name}: it grew while it was read`);
                }
                this.#engine.fill(address, at, chunk);
                at += chunk.byteLength;
            }
            this.#checkOpen();
            const head = this.#engine.peek(address, Math.min(at, HEAD_BYTES));
            if (isWebPage(head)) {
                throw new RvkitError('load', `${name}: is a web page (HTML) in the place of the file`);
            }
            const given = address;
            address = 0;
            this.#engine.load(what, given, at, name);
            if (what === 'kernel' && !isKernel(head)) {
                this.say('warning', [packError(new RvkitError('flat',
                    `${name}: is neither a RISC-V kernel Image nor an ELF file; it is run as it is`))]);
            }
        } finally {
            if (address && !this.#engine.freed) {
                this.#engine.release(address);
            }
        }
    }

    #start() {
        this.#engine.start();
        this.#running = true;
        this.#since ??= this.#mark();
        this.kick();
    }

    #pause() {
        this.#engine.pause();
        this.#running = false;
        this.#cancelTimer();
        this.say('state', ['paused']);
    }

    #reset() {
        this.consoles.restart();
        this.#engine.reset();
        this.#running = true;
        this.kick();
    }

    /** The other side is gone, and nobody ends this thread: what is open is closed. */
    abandon() {
        if (!this.#over) {
            this.#stop().catch(() => {});
        }
    }

    async #stop() {
        this.#over = true;
        this.#running = false;
        this.#cancelTimer();
        if (this.#engine && !this.#engine.freed && !this.#failed) {
            this.#engine.poweroff();
            this.consoles.drain();
        }
        this.#abort.abort(new RvkitError('off', 'the machine was stopped'));
        this.nets.close();
        this.files.close();
        this.sound.end();
        try {
            await this.drives.close();
        } finally {
            this.#free();
        }
    }

    #free() {
        try {
            this.#engine?.free();
        } catch (error) {
            if (!this.#failed) {
                throw error;
            }
        }
    }

    /** The guest has powered off. */
    async #onOff() {
        this.#running = false;
        const status = this.#engine.exitStatus;
        this.consoles.end();
        try {
            await this.drives.flush();
        } catch (error) {
            this.say('error', [packError(error)]);
        }
        this.say('off', [status]);
    }

    /** Something broke that nobody waits for. */
    #fail(error) {
        if (!this.#failed) {
            this.#failed = true;
            this.#running = false;
            this.#cancelTimer();
            const why = error instanceof RvkitError ? error
                : toRvkitError(error, 'engine', 'the engine broke down: ');
            this.say('failed', [packError(why)]);
        }
    }

    /* --- Running --- */

    /** There is something to do: a slice soon, instead of when the timer ends. */
    kick() {
        if (!this.#running || this.#queued) {
            return;
        }
        this.#cancelTimer();
        this.#queued = true;
        this.#soon(this.#tick);
    }

    /** What imports noticed is worked on when the engine's call has returned. */
    flushSoon() {
        if (!this.#flushing) {
            this.#flushing = true;
            queueMicrotask(() => {
                this.#flushing = false;
                this.#guard(() => {
                    if (this.#engine && !this.#engine.freed && !this.#failed) {
                        this.consoles.flush();
                        this.displays.flush();
                        this.nets.flush();
                    }
                });
            });
        }
    }

    #guard(fn) {
        try {
            fn();
        } catch (error) {
            this.#fail(error);
        }
    }

    #cancelTimer() {
        clearTimeout(this.#timer);
        this.#timer = null;
    }

    #tick = () => {
        this.#queued = false;
        this.#timer = null;
        if (this.#running) {
            this.#guard(() => this.#slice());
        }
    };

    #slice() {
        const begun = performance.now();
        const status = this.#engine.slice(SLICE_MS);
        this.#busyMs += performance.now() - begun;
        this.nets.flush();
        this.files.flush();
        this.#tellLeds();
        if (status === STATUS.BUSY) {
            this.kick();
        } else if (status === STATUS.IDLE) {
            const ms = Math.min(this.#engine.idleMs, IDLE_MAX_MS);
            ms < 1 ? this.kick() : this.#wait(ms);
        } else if (status === STATUS.OFF) {
            this.#onOff().catch((error) => this.#fail(error));
        } else {
            this.#running = false;
        }
    }

    /** Unless an import's microtask, which comes first, kicks. */
    #wait(ms) {
        if (!this.#queued) {
            this.#timer = setTimeout(this.#tick, ms);
        }
    }

    #tellLeds() {
        const leds = this.#engine.leds;
        if (leds !== this.#leds) {
            this.#leds = leds;
            this.say('leds', [leds]);
        }
    }

    #input(kind, numbers) {
        this.#engine.input(kind, numbers);
        this.kick();
    }

    /* --- Stats --- */

    #mark() {
        return {
            time: performance.now(), busyMs: this.#busyMs, instructions: this.#engine.instructions,
        };
    }

    #stats() {
        const last = this.#since;
        const now = this.#mark();
        const ms = last ? Math.max(now.time - last.time, 0.001) : Infinity;
        if (last) {
            this.#since = now;
        }
        const done = last ? now.instructions - last.instructions : 0;
        return {
            instructions: now.instructions,
            mips: done / ms / 1000,
            guestTime: this.#engine.guestMs,
            lag: this.#engine.lagMs,
            idle: last ? Math.min(1, Math.max(0, 1 - (now.busyMs - last.busyMs) / ms)) : 1,
            wasmMemory: this.#engine.memorySize,
            drives: this.drives.stats(),
            net: this.nets.stats(),
        };
    }
}

async function collect(stream) {
    const chunks = [];
    let size = 0;
    for await (const chunk of stream) {
        chunks.push(chunk);
        size += chunk.byteLength;
    }
    return { chunks, size };
}
