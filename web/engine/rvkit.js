// SPDX-License-Identifier: MPL-2.0
/**
 * Loads rvkit.wasm: the machine as Emscripten compiled it, without Emscripten's JavaScript. Browsers, workers, Node.
 *
 *   const machine = await load({module, host, log});
 *   machine._rvkit_new(…)               what src/frontends/wasm/engine.h has, and _malloc, _free
 *   machine.HEAPU8, machine.HEAPF64     its memory: ask again after each call, since it grows
 */

const ERRNO_BADF = 8;
const ERRNO_NOSYS = 52;
const CLOCK_REALTIME = 0;

/** Standard output and standard error, line by line. */
class LineWriter {
    #decoder = new TextDecoder();
    #line = '';
    #tell;

    constructor(tell) {
        this.#tell = tell;
    }

    write(bytes) {
        const lines = (this.#line + this.#decoder.decode(bytes, { stream: true })).split('\n');
        this.#line = lines.pop();
        lines.forEach((line) => this.#tell(line));
    }
}

/** The part of WASI that the C library uses here. */
function wasi(memory, random, log) {
    const writer = new LineWriter(log);
    const view = () => new DataView(memory());
    return {
        clock_time_get(id, _precision, out) {
            const ms = id === CLOCK_REALTIME ? Date.now() : performance.now();
            view().setBigUint64(out >>> 0, BigInt(Math.round(ms * 1e6)), true);
            return 0;
        },
        random_get: random,
        fd_write(_fd, vectors, count, out) {
            const data = view();
            let total = 0;
            for (let i = 0; i < count; i++) {
                const at = (vectors >>> 0) + 8 * i;
                const length = data.getUint32(at + 4, true);
                writer.write(new Uint8Array(memory(), data.getUint32(at, true), length).slice());
                total += length;
            }
            data.setUint32(out >>> 0, total, true);
            return 0;
        },
        fd_read: () => ERRNO_BADF,
        fd_seek: () => ERRNO_BADF,
        fd_close: () => ERRNO_BADF,
        proc_exit(status) {
            throw new Error(`the machine's module ended with status ${status}`);
        },
    };
}

/** Unpredictable bytes, 65536 at most in one call of the host's. Node 18 has them in a module only. */
async function entropy(memory) {
    const crypto = globalThis.crypto ?? (await import('node:crypto')).webcrypto;
    return (out, size) => {
        for (let at = 0; at < size; at += 65536) {
            const length = Math.min(size - at, 65536);
            crypto.getRandomValues(new Uint8Array(memory(), (out >>> 0) + at, length));
        }
        return 0;
    };
}

/** All that there is to import, by module and name. host: see load(). */
function provide(memory, random, host, log) {
    const functions = {};
    for (const name of ['console', 'display', 'drive', 'net', 'soundOpen', 'soundPlay',
        'soundRecord', 'soundClose']) {
        functions[name] = (...args) => host[name]?.(...args);
    }
    return {
        rvkit: functions,
        wasi_snapshot_preview1: wasi(memory, random, log),
        env: { emscripten_notify_memory_growth() {}, getentropy: random },
    };
}

const lacking = (module, provided) => WebAssembly.Module.imports(module)
    .filter((wanted) => !Object.hasOwn(provided[wanted.module] ?? {}, wanted.name));

/** What the module imports and nobody here has, as 'env.name': another Emscripten may want more than those we know. */
export function lacks(module) {
    return lacking(module, provide()).map((wanted) => `${wanted.module}.${wanted.name}`);
}

/**
 * A system call that is not here answers that there is no such call, as WASI and Linux do, and is told once. Anything
 * else that is missing is ours, or the loader is of another build than the module: then nothing starts.
 */
function complete(module, provided, log) {
    const lost = [];
    for (const { module: from, name, kind } of lacking(module, provided)) {
        const call = from === 'env' && name.startsWith('__syscall_');
        if (kind !== 'function' || (!call && from !== 'wasi_snapshot_preview1')) {
            lost.push(`${from}.${name}`);
            continue;
        }
        let told = false;
        provided[from][name] = () => {
            if (!told) {
                log(`rvkit.wasm calls ${from}.${name}, which is not there`);
                told = true;
            }
            return call ? -ERRNO_NOSYS : ERRNO_NOSYS;
        };
    }
    if (lost.length > 0) {
        throw new Error(`it wants ${lost.join(', ')}, which its loader does not have`);
    }
    return provided;
}

/** The instance, as a caller sees it. */
function wrap(exports) {
    const wrapped = {};
    let views = {};
    const fresh = () => {
        const { buffer } = exports.memory;
        if (views.buffer !== buffer) {
            views = { buffer, u8: new Uint8Array(buffer), u32: new Uint32Array(buffer),
                i32: new Int32Array(buffer), f64: new Float64Array(buffer) };
        }
        return views;
    };
    for (const [name, value] of Object.entries(exports)) {
        if (typeof value === 'function') {
            wrapped[`_${name}`] = value;
        }
    }
    return Object.defineProperties(wrapped, {
        HEAPU8: { get: () => fresh().u8 },
        HEAPU32: { get: () => fresh().u32 },
        HEAP32: { get: () => fresh().i32 },
        HEAPF64: { get: () => fresh().f64 },
    });
}

/**
 * @param {{module: WebAssembly.Module|BufferSource, host: object, log?: (line: string) => void}} options
 *   host: console(viewer, bits), display(display), drive(drive, token, op, offset, length), net(net, frame, size),
 *   soundOpen(stream, capture, format, rate, channels), soundPlay(stream, bytes, size),
 *   soundRecord(stream, bytes, size), soundClose(stream). Pointers are signed: use `>>> 0`.
 */
export default async function load({ module, host, log = (line) => console.warn(line) }) {
    const compiled = module instanceof WebAssembly.Module ? module : await WebAssembly.compile(module);
    let instance;
    const memory = () => instance.exports.memory.buffer;
    const provided = provide(memory, await entropy(memory), host, log);
    instance = await WebAssembly.instantiate(compiled, complete(compiled, provided, log));
    instance.exports._initialize?.();
    return wrap(instance.exports);
}
