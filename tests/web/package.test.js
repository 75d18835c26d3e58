// SPDX-License-Identifier: MPL-2.0
// The package's parts by themselves, without an engine: sources, calls, options, keys, consoles.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';

import { CONSOLE } from '../../web/src/engine.js';
import { RvkitError, packError, unpackError } from '../../web/src/errors.js';
import { attachTerminal } from '../../web/src/terminal.js';
import { Consoles } from '../../web/src/host/consoles.js';
import { isKernel, isWebPage } from '../../web/src/host/contents.js';
import { Pool } from '../../web/src/host/drives.js';
import { Nets } from '../../web/src/host/nets.js';
import { Sound } from '../../web/src/host/sound.js';
import { Input, keyUsages } from '../../web/src/input.js';
import { WebSocketLink } from '../../web/src/net/websocket.js';
import { parseMac, parseOptions, parseSize, parseVirtio } from '../../web/src/options.js';
import { portPair } from '../../web/src/platform.js';
import { Rpc, Transfer } from '../../web/src/rpc.js';
import { Streams, describeSource, openSource, readSource } from '../../web/src/source.js';
import { version } from '../../web/src/version.js';
import { Watch } from '../../web/src/watch.js';

const has = (code, pattern = /./) => (error) =>
    error instanceof RvkitError && error.code === code && pattern.test(error.message) &&
    !error.message.includes('\n');

const tick = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until it is so; the test fails when that does not happen. */
async function until(condition) {
    for (let i = 0; !condition(); i++) {
        assert.ok(i < 500, `in vain: ${condition}`);
        await tick(10);
    }
}

/** Bytes that do not repeat early. */
function pattern(size) {
    return Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8) * 13) & 255);
}

/* --- Sources --- */

describe('sources', () => {
    const data = pattern(300_000);
    const packed = gzipSync(data);
    const folder = mkdtempSync(join(tmpdir(), 'rvkit-source-'));
    const path = join(folder, 'a file.bin');
    let server;
    let base;

    before(async () => {
        writeFileSync(path, data);
        server = createServer((request, response) => {
            switch (request.url) {
            case '/data':
                response.setHeader('content-length', data.length);
                return response.end(data);
            case '/data.gz':
                response.setHeader('content-length', packed.length);
                return response.end(packed);
            case '/encoded':
                response.setHeader('content-encoding', 'gzip');
                response.setHeader('content-length', packed.length);
                return response.end(packed);
            case '/chunked':
                response.write(data.subarray(0, 1000));
                return response.end(data.subarray(1000));
            case '/short':
                response.setHeader('content-length', data.length);
                response.write(data.subarray(0, 100_000));
                return setTimeout(() => response.destroy(), 20);
            case '/slow':
                response.setHeader('content-length', data.length);
                return response.write(data.subarray(0, 10));
            case '/mute':
                return undefined;
            default:
                response.statusCode = 404;
                return response.end('no');
            }
        });
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        base = `http://127.0.0.1:${server.address().port}`;
    });

    after(() => {
        server.closeAllConnections();
        server.close();
        rmSync(folder, { recursive: true });
    });

    async function read(source, options = {}) {
        const streams = new Streams();
        const described = describeSource(source, 'kernel', streams.keep);
        return readSource(described, { pull: streams.pull, ...options });
    }

    const kinds = {
        'a URL': () => `${base}/data`,
        'a URL object': () => new URL(`${base}/data`),
        'a gzipped URL': () => `${base}/data.gz`,
        'a URL with content-encoding': () => `${base}/encoded`,
        'a URL without a length': () => `${base}/chunked`,
        'a path': () => path,
        'a file: URL': () => new URL(`file://${path.replaceAll(' ', '%20')}`),
        'an ArrayBuffer': () => data.buffer.slice(0),
        'a view': () => new DataView(data.buffer.slice(0)),
        'a part of a buffer': () => {
            const larger = new Uint8Array(data.length + 20);
            larger.set(data, 10);
            return larger.subarray(10, 10 + data.length);
        },
        'a gzipped array': () => new Uint8Array(packed),
        'a Blob': () => new Blob([data]),
        'a gzipped Blob': () => new Blob([packed]),
        'a Response': () => fetch(`${base}/data`),
        'a gzipped Response': () => new Response(packed),
        'a stream': () => new Blob([data]).stream(),
        'a gzipped stream in small pieces': () => new ReadableStream({
            at: 0,
            pull(controller) {
                this.at < packed.length
                    ? controller.enqueue(new Uint8Array(packed.subarray(this.at, this.at += 1 + this.at)))
                    : controller.close();
            },
        }),
    };
    for (const [name, make] of Object.entries(kinds)) {
        it(`reads ${name}`, async () => {
            assert.deepEqual(Buffer.from(await read(await make())), Buffer.from(data));
        });
    }

    if (typeof File !== 'undefined') {
        it('reads a File, and knows its name', async () => {
            const file = new File([data], 'vmlinux');
            assert.equal(describeSource(file, 'kernel').name, 'vmlinux');
            assert.deepEqual(Buffer.from(await read(file)), Buffer.from(data));
        });
    }

    it('takes an empty one', async () => {
        assert.equal((await read(new Blob([]))).length, 0);
    });

    it('leaves gzip alone when asked to', async () => {
        assert.deepEqual(Buffer.from(await read(new Blob([packed]), { gunzip: false })), packed);
    });

    it('tells progress from nothing to all, and never backwards', async () => {
        const told = [];
        await read(`${base}/data`, { what: 'kernel', onprogress: (progress) => told.push(progress) });
        assert.deepEqual(told[0], { what: 'kernel', loaded: 0, total: data.length });
        assert.deepEqual(told.at(-1), { what: 'kernel', loaded: data.length, total: data.length });
        told.reduce((before, { loaded }) => (assert.ok(loaded >= before), loaded), 0);
    });

    it('says what a server answers', async () => {
        await assert.rejects(read(`${base}/nothing`), has('http', /nothing: HTTP 404/));
        await assert.rejects(read(`${base}/nothing`), (error) => error.status === 404);
        const response = await fetch(`${base}/nothing`);
        await assert.rejects(read(response), has('http', /404/));
    });

    it('says when nobody answers', async () => {
        await assert.rejects(read('http://127.0.0.1:9/x'), has('network', /x: cannot be fetched/));
    });

    it('notices a download that ends too early', async () => {
        await assert.rejects(read(`${base}/short`), has('truncated', /short: .* of 300000/));
        const response = await fetch(`${base}/short`);
        await assert.rejects(read(response), has('truncated', /short/));
    });

    it('does not wait for ever for a server that says nothing, nor hurries one that does', async () => {
        await assert.rejects(read(`${base}/slow`, { stall: 100 }), has('network', /slow: nothing came for 0.1 s/));
        await assert.rejects(read(`${base}/mute`, { stall: 100 }), has('network', /mute: nothing came/));
        const { chunks } = await openSource(describeSource(`${base}/data`, 'x', () => 0), { stall: 50 });
        let size = 0;
        for await (const chunk of chunks) {
            size += chunk.byteLength;
            await tick(80); // whoever takes the bytes may be slow
        }
        assert.equal(size, data.length);
    });

    it('notices damaged and incomplete gzip data', async () => {
        const bad = new Uint8Array(packed);
        bad.fill(0x55, 20, 60);
        await assert.rejects(read(bad), has('gzip'));
        await assert.rejects(read(new Uint8Array(packed.subarray(0, packed.length - 100))), has('gzip'));
        const wrongSum = new Uint8Array(packed);
        wrongSum[packed.length - 5] ^= 1;
        await assert.rejects(read(wrongSum), has('gzip'));
    });

    it('stops what is larger than there is room for', async () => {
        const bomb = gzipSync(new Uint8Array(10_000_000));
        await assert.rejects(read(new Uint8Array(bomb), { max: 1 << 20 }), has('too-large'));
        await assert.rejects(read(`${base}/data`, { max: 1000 }), has('too-large'));
    });

    it('ends at a signal', async () => {
        const controller = new AbortController();
        const reading = read(`${base}/slow`, { signal: controller.signal });
        setTimeout(() => controller.abort(), 30);
        await assert.rejects(reading, has('aborted'));
        await assert.rejects(read(data, { signal: AbortSignal.abort() }), has('aborted'));
    });

    it('says what is no source', () => {
        for (const wrong of [1, {}, null, Symbol.iterator]) {
            assert.throws(() => describeSource(wrong, 'initrd'), has('option', /^initrd/));
        }
    });

    it('says which file is missing', async () => {
        await assert.rejects(read('/does/not/exist'), has('file', /exist: no such file/));
        await assert.rejects(read(folder), has('file', /is a directory/));
    });

    it('gives up a stream that nobody wants any more', async () => {
        let cancelled = false;
        const stream = new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(1000)),
            cancel: () => {
                cancelled = true;
            },
        });
        await assert.rejects(read(stream, { max: 5000 }), has('too-large'));
        await until(() => cancelled);
    });

    it('reads a stream no faster than it is taken', async () => {
        let pulled = 0;
        const streams = new Streams();
        const stream = new ReadableStream({
            pull: (controller) => {
                pulled++;
                controller.enqueue(new Uint8Array(1000));
            },
        }, { highWaterMark: 0 });
        const { chunks } = await openSource(describeSource(stream, 'x', streams.keep), streams);
        const iterator = chunks[Symbol.asyncIterator]();
        await iterator.next();
        await iterator.next();
        await tick(10);
        assert.ok(pulled <= 3, `${pulled} chunks for 2`);
        await iterator.return();
    });
});

/* --- Calls --- */

describe('rpc', () => {
    function pair(here = {}, there = {}) {
        const [a, b] = portPair();
        const errors = [];
        const left = new Rpc(a, here);
        const right = new Rpc(b, there, (error) => errors.push(error));
        return { left, right, errors, close: () => [a, b].forEach((port) => port.close()) };
    }

    it('gives results, and errors with their codes', async () => {
        const { left, close } = pair({}, {
            add: (x, y) => x + y,
            later: async (x) => (await tick(5), x),
            fail: () => {
                throw new RvkitError('http', 'no such thing', { status: 404 });
            },
            crash: () => {
                throw new TypeError('oops');
            },
        });
        assert.equal(await left.call('add', [1, 2]), 3);
        assert.deepEqual(await Promise.all([left.call('later', [1]), left.call('add', [2, 2])]), [1, 4]);
        await assert.rejects(left.call('fail'), (error) => has('http')(error) && error.status === 404);
        await assert.rejects(left.call('crash'), has('engine', /oops/));
        await assert.rejects(left.call('constructor'), has('engine', /no such call/));
        close();
    });

    it('gives buffers away', async () => {
        const { left, close } = pair({}, {
            give: () => {
                const bytes = new Uint8Array([1, 2, 3]);
                return new Transfer(bytes, [bytes.buffer]);
            },
            take: (bytes) => bytes.length,
        });
        assert.deepEqual([...await left.call('give')], [1, 2, 3]);
        const bytes = new Uint8Array(1000);
        assert.equal(await left.call('take', [bytes], [bytes.buffer]), 1000);
        assert.equal(bytes.length, 0);
        close();
    });

    it('rejects what waits when it is closed', async () => {
        const { left, close } = pair({}, { never: () => new Promise(() => {}) });
        const waiting = left.call('never');
        left.close(new RvkitError('worker', 'it died'));
        await assert.rejects(waiting, has('worker'));
        await assert.rejects(left.call('never'), has('worker'));
        close();
    });

    it('rejects a result that cannot be sent', async () => {
        const { left, close } = pair({}, { give: () => () => 'a function' });
        await assert.rejects(left.call('give'), (error) => error instanceof RvkitError);
        close();
    });

    it('rejects what cannot be sent', async () => {
        const { left, close } = pair({}, { take: () => {} });
        await assert.rejects(left.call('take', [() => {}]));
        assert.equal(left.pending, 0);
        close();
    });

    it('tells errors of what nobody waits for', async () => {
        const { left, errors, close } = pair({}, {
            fail: () => {
                throw new Error('quietly');
            },
        });
        left.say('fail');
        await until(() => errors.length);
        assert.equal(errors[0]?.message, 'quietly');
        close();
    });

    it('keeps an error whole on the way', () => {
        const error = unpackError(packError(new RvkitError('http', 'x', { status: 500, again: true })));
        assert.ok(error instanceof RvkitError);
        assert.deepEqual({ ...error, name: 0 }, { ...new RvkitError('http', 'x', { status: 500, again: true }), name: 0 });
    });
});

/* --- Options --- */

describe('options', () => {
    const kernel = 'Image';

    it('have sizes', () => {
        const sizes = { '128M': 2 ** 27, '1G': 2 ** 30, 65536: 65536, '64k': 65536, '16MiB': 2 ** 24 };
        for (const [text, size] of Object.entries(sizes)) {
            assert.equal(parseSize(text), size);
        }
        for (const wrong of ['', 'M', '1T', '-1', '1.5G', 'x', null, -1, 1.5, NaN, '99999999999999G']) {
            assert.throws(() => parseSize(wrong), has('option'), String(wrong));
        }
    });

    it('have defaults', () => {
        const o = parseOptions({ kernel });
        assert.equal(o.memory, 2 ** 27);
        assert.deepEqual(o.consoles, [{ type: 'serial', name: 'ttyS0' }]);
        assert.deepEqual([o.nets, o.drives, o.displays, o.input], [[], [], [], 0]);
        assert.equal(parseOptions({ kernel, display: {} }).input, 15);
    });

    it('say what is wrong', () => {
        const wrong = {
            'nothing to run': {},
            'initrd needs a kernel': { bios: 'x', initrd: 'x' },
            'too little RAM': { kernel, memory: 1 },
            'too much RAM': { kernel, memory: '4G' },
            'number of harts': { kernel, harts: 17 },
            'number of harts is': { kernel, harts: 0 },
            'give "serial" or "virtio"': { kernel, consoles: ['tty'] },
            'at most 4 of type serial': { kernel, consoles: Array(5).fill('serial') },
            'give "none", "websocket"': { kernel, net: { type: 'user' } },
            'needs a url': { kernel, net: { type: 'websocket' } },
            'needs a link': { kernel, net: { type: 'custom' } },
            'group': { kernel, net: { type: 'broadcast', mac: '01:00:00:00:00:01' } },
            'not an address': { kernel, net: { type: 'broadcast', mac: '02:00' } },
            'at most 4 network cards': { kernel, net: Array(5).fill({ type: 'broadcast' }) },
            'is no size': { kernel, display: { width: 0 } },
            'at most one': { kernel, display: [{ type: 'framebuffer' }, { type: 'framebuffer' }] },
            'the tag ""': { kernel, shares: [{ tag: '' }] },
            'the tag a is given twice': { kernel, shares: [{ tag: 'a' }, { tag: 'a' }] },
            'a drive needs a source': { kernel, drives: [{ source: null }] },
            'exclude each other': { kernel, drives: [{ source: 'x', persist: 'y', ephemeral: true }] },
            'give keyboard': { kernel, input: ['lamp'] },
        };
        for (const [message, options] of Object.entries(wrong)) {
            assert.throws(() => parseOptions(options), has('option', new RegExp(message)), message);
        }
    });

    it('have VirtIO features as the native program has them', () => {
        assert.equal(parseVirtio(undefined), 0);
        assert.equal(parseVirtio('legacy'), 1);
        assert.equal(parseVirtio('packed=off,event_idx=off,indirect_desc=off,in_order'), 2 | 4 | 8 | 16);
        assert.equal(parseVirtio('packed=off,packed=on'), 0);
        for (const wrong of ['x', 'packed=2', 'legacy,in_order', 'legacy,packed=on', ',', 'toString']) {
            assert.throws(() => parseVirtio(wrong), has('option'), wrong);
        }
    });

    it('give each card an address of its own', () => {
        const macs = new Set(Array.from({ length: 50 }, () => parseMac().join(':')));
        assert.equal(macs.size, 50);
        assert.ok([...macs].every((mac) => (parseInt(mac, 10) & 3) === 2));
        assert.deepEqual([...parseMac('02-0a:0:0:0:ff')], [2, 10, 0, 0, 0, 255]);
    });
});

/* --- Keys --- */

describe('input', () => {
    const sent = [];
    const input = new Input({ link: { say: (method, args) => sent.push([method, ...args]) } });

    it('knows all keys of the standard that keyboards have', () => {
        // UI Events KeyboardEvent code Values, sections 3.1 to 3.6, but for what is a consumer's key.
        const codes = [
            ...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('').map((c) => `Key${c}`),
            ...'0123456789'.split('').flatMap((c) => [`Digit${c}`, `Numpad${c}`]),
            ...Array.from({ length: 24 }, (_, i) => `F${i + 1}`),
            ...('Backquote Backslash BracketLeft BracketRight Comma Equal IntlBackslash IntlRo IntlYen Minus ' +
                'Period Quote Semicolon Slash AltLeft AltRight Backspace CapsLock ContextMenu ControlLeft ' +
                'ControlRight Enter MetaLeft MetaRight ShiftLeft ShiftRight Space Tab Convert KanaMode Lang1 ' +
                'Lang2 Lang3 Lang4 Lang5 NonConvert Delete End Help Home Insert PageDown PageUp ArrowDown ' +
                'ArrowLeft ArrowRight ArrowUp NumLock NumpadAdd NumpadBackspace NumpadClear NumpadClearEntry ' +
                'NumpadComma NumpadDecimal NumpadDivide NumpadEnter NumpadEqual NumpadHash NumpadMemoryAdd ' +
                'NumpadMemoryClear NumpadMemoryRecall NumpadMemoryStore NumpadMemorySubtract NumpadMultiply ' +
                'NumpadParenLeft NumpadParenRight NumpadStar NumpadSubtract Escape PrintScreen ScrollLock ' +
                'Pause AudioVolumeDown AudioVolumeMute AudioVolumeUp Again Copy Cut Find Open Paste Props ' +
                'Select Undo Power').split(' '),
        ];
        assert.deepEqual(codes.filter((code) => !keyUsages.has(code)), []);
    });

    it('has the usages of the HID tables', () => {
        // HID Usage Tables 1.5, chapter 10.
        const usages = {
            KeyA: 0x04, KeyZ: 0x1d, Digit1: 0x1e, Digit0: 0x27, Enter: 0x28, Escape: 0x29, Backspace: 0x2a,
            Tab: 0x2b, Space: 0x2c, Minus: 0x2d, Equal: 0x2e, BracketLeft: 0x2f, BracketRight: 0x30,
            Backslash: 0x31, Semicolon: 0x33, Quote: 0x34, Backquote: 0x35, Comma: 0x36, Period: 0x37,
            Slash: 0x38, CapsLock: 0x39, F1: 0x3a, F12: 0x45, PrintScreen: 0x46, ScrollLock: 0x47,
            Pause: 0x48, Insert: 0x49, Home: 0x4a, PageUp: 0x4b, Delete: 0x4c, End: 0x4d, PageDown: 0x4e,
            ArrowRight: 0x4f, ArrowLeft: 0x50, ArrowDown: 0x51, ArrowUp: 0x52, NumLock: 0x53,
            NumpadDivide: 0x54, NumpadMultiply: 0x55, NumpadSubtract: 0x56, NumpadAdd: 0x57,
            NumpadEnter: 0x58, Numpad1: 0x59, Numpad9: 0x61, Numpad0: 0x62, NumpadDecimal: 0x63,
            IntlBackslash: 0x64, ContextMenu: 0x65, NumpadEqual: 0x67, F13: 0x68, F24: 0x73, IntlRo: 0x87,
            KanaMode: 0x88, IntlYen: 0x89, Convert: 0x8a, NonConvert: 0x8b, Lang1: 0x90, Lang5: 0x94,
            ControlLeft: 0xe0, ShiftLeft: 0xe1, AltLeft: 0xe2, MetaLeft: 0xe3, ControlRight: 0xe4,
            ShiftRight: 0xe5, AltRight: 0xe6, MetaRight: 0xe7, AudioVolumeMute: 0x7f, AudioVolumeUp: 0x80,
            AudioVolumeDown: 0x81, Undo: 0x7a, Cut: 0x7b, Copy: 0x7c, Paste: 0x7d, Find: 0x7e, Help: 0x75,
        };
        for (const [code, usage] of Object.entries(usages)) {
            assert.equal(keyUsages.get(code), usage, code);
        }
        const several = [...keyUsages.values()].filter((usage) => usage === undefined || usage > 0xe7 || usage < 4);
        assert.deepEqual(several, []);
    });

    it('sends keys, buttons and places as the engine has them', () => {
        sent.length = 0;
        assert.equal(input.key('KeyA', true), true);
        assert.equal(input.key('NoSuchKey', true), false);
        input.button(2, true);
        input.button(7, true);
        input.place(0.5, 2);
        input.wheel(0, 1.5);
        input.touch(10, true, 0, 0);
        input.touch(1, true, 1, NaN);
        assert.deepEqual(sent, [
            ['input', 'key', [4, 1]], ['input', 'button', [2, 1]], ['input', 'place', [16384, 32767]],
            ['input', 'wheel', [0, 180]], ['input', 'touch', [1, 1, 32767, 0]],
        ]);
    });

    it('loses no part of a slow movement', () => {
        sent.length = 0;
        for (let i = 0; i < 10; i++) {
            input.move(0.25, -0.5);
        }
        const sum = sent.reduce(([x, y], [, , [dx, dy]]) => [x + dx, y + dy], [0, 0]);
        assert.deepEqual(sum, [2, -5]);
    });
});

/* --- Consoles: flow control on the worker's side, with an engine of JavaScript --- */

/** One console; output is what print() gives, input goes to typed while room lasts. */
class FakeEngine {
    viewers = new Map();
    typed = [];
    room = Infinity;
    output = [];

    constructor(told) {
        this.told = told;
    }

    consoleAttach(console, kind, wait) {
        const number = this.viewers.size;
        this.viewers.set(number, { kind, wait, at: 0 });
        this.told(number, CONSOLE.OUTPUT);
        return number;
    }

    consoleDetach(number) {
        this.viewers.delete(number);
    }

    print(...chunks) {
        this.output.push(...chunks.map((chunk) => Uint8Array.from(Buffer.from(chunk))));
        this.viewers.forEach((_, number) => this.told(number, CONSOLE.OUTPUT));
    }

    consoleTake(number) {
        const viewer = this.viewers.get(number);
        return this.output[viewer.at] ? this.output[viewer.at++].slice() : null;
    }

    consoleType(number, bytes) {
        const taken = Math.min(bytes.length, this.room);
        this.room -= taken;
        this.typed.push(...bytes.subarray(0, taken));
        return taken;
    }

    consoleSize() {
        return [100, 30];
    }

    consoleTitle() {
        return 'a title';
    }
}

function fakeHost() {
    const host = { said: [], kicks: 0, kick: () => host.kicks++ };
    host.say = (method, args) => host.said.push([method, ...args]);
    host.consoles = new Consoles(host);
    host.engine = new FakeEngine((number, bits) => host.consoles.told(number, bits));
    host.flushSoon = () => queueMicrotask(() => host.consoles.flush());
    host.consoles.build(1);
    host.take = () => host.said.splice(0).map(([method, id, data]) =>
        data instanceof Uint8Array ? [method, id, Buffer.from(data).toString()] : [method, id]);
    return host;
}

describe('consoles in the worker', () => {
    it('send the next chunk when the one before was used up', async () => {
        const host = fakeHost();
        host.consoles.attach(7, 0, 'terminal', true);
        host.engine.print('one', 'two', 'three');
        await tick();
        assert.deepEqual(host.take(), [['data', 7, 'one']]);
        await tick(10);
        assert.deepEqual(host.take(), []);
        host.consoles.ack(7);
        assert.deepEqual(host.take(), [['data', 7, 'two']]);
        host.consoles.ack(7);
        host.consoles.ack(7);
        assert.deepEqual(host.take(), [['data', 7, 'three']]);
        host.engine.print('four');
        await tick();
        assert.deepEqual(host.take(), [['data', 7, 'four']]);
    });

    it('let one viewer not wait for another', async () => {
        const host = fakeHost();
        host.consoles.attach(1, 0, 'bytes', true);
        host.consoles.attach(2, 0, 'bytes', true);
        host.engine.print('a', 'b');
        await tick();
        host.consoles.ack(2);
        assert.deepEqual(host.take(), [['data', 1, 'a'], ['data', 2, 'a'], ['data', 2, 'b']]);
    });

    it('type all, when there is room, in order', async () => {
        const host = fakeHost();
        host.engine.room = 5;
        let done = 0;
        const first = host.consoles.typeConsole(0, Uint8Array.from(Buffer.from('0123456789'))).then(() => done++);
        const second = host.consoles.typeConsole(0, Uint8Array.from(Buffer.from('ab'))).then(() => done++);
        await tick(5);
        assert.equal(done, 0);
        host.engine.room = 6;
        host.engine.told(0, CONSOLE.ROOM);
        await first;
        await tick(5);
        assert.equal(done, 1);
        host.engine.room = 100;
        host.engine.told(0, CONSOLE.ROOM);
        await second;
        assert.equal(Buffer.from(host.engine.typed).toString(), '0123456789ab');
    });

    it('deliver what is left when the machine is off, then say so', async () => {
        const host = fakeHost();
        host.consoles.attach(1, 0, 'bytes', true);
        host.engine.room = 0;
        const typing = host.consoles.typeConsole(0, new Uint8Array(3));
        host.engine.print('last', 'words');
        await tick();
        host.consoles.end();
        await assert.rejects(typing, has('off'));
        await tick();
        assert.deepEqual(host.take(), [['data', 1, 'last']]);
        host.consoles.ack(1);
        host.consoles.ack(1);
        assert.deepEqual(host.take(), [['data', 1, 'words'], ['end', 1]]);
        await assert.rejects(host.consoles.typeConsole(0, new Uint8Array(1)), has('off'));
        host.consoles.restart();
        assert.deepEqual(host.take(), [['again', 1]]);
    });

    it('deliver everything at once before the engine is freed', async () => {
        const host = fakeHost();
        host.consoles.attach(1, 0, 'bytes', true);
        host.engine.print('a', 'b', 'c');
        await tick();
        host.consoles.drain();
        assert.deepEqual(host.take(), [['data', 1, 'a'], ['data', 1, 'b'], ['data', 1, 'c'], ['end', 1]]);
    });

    it('tell sizes, titles and bells once, for the console', async () => {
        const host = fakeHost();
        host.consoles.attach(1, 0, 'terminal', true);
        host.engine.told(0, CONSOLE.RESIZED | CONSOLE.TITLE | CONSOLE.BELL);
        host.engine.told(1, CONSOLE.RESIZED | CONSOLE.TITLE | CONSOLE.BELL);
        await tick();
        assert.deepEqual(host.said, [
            ['console', 0, 'resize', { cols: 100, rows: 30 }], ['console', 0, 'title', { title: 'a title' }],
            ['console', 0, 'bell', {}],
        ]);
    });

    it('reject what was typed by a viewer that goes', async () => {
        const host = fakeHost();
        host.consoles.attach(1, 0, 'bytes', true);
        host.engine.room = 0;
        const typing = host.consoles.type(1, new Uint8Array(3));
        host.consoles.detach(1);
        await assert.rejects(typing, has('state'));
        await assert.rejects(host.consoles.type(1, new Uint8Array(3)), has('state'));
    });
});

/* --- Networks --- */

class FakeSocket {
    static made = [];
    readyState = 0;
    bufferedAmount = 0;
    sent = [];

    constructor(url, protocols) {
        Object.assign(this, { url, protocols });
        FakeSocket.made.push(this);
    }

    send(data) {
        this.sent.push(data);
    }

    open() {
        this.readyState = 1;
        this.onopen();
    }

    close() {
        this.readyState = 3;
        this.onclose({ code: 1006, reason: '' });
    }
}

describe('networks', () => {
    it('are frames in binary messages of a WebSocket, which is tried again', async () => {
        const states = [];
        const frames = [];
        const link = new WebSocketLink({ url: 'ws://relay/net', WebSocket: FakeSocket });
        link.open((frame) => frames.push(frame), (up, why) => states.push([up, why]));
        const [socket] = FakeSocket.made;
        assert.equal(socket.binaryType, 'arraybuffer');
        assert.equal(link.send(new Uint8Array(60)), false, 'not connected yet');
        socket.open();
        assert.equal(link.send(new Uint8Array(60)), true);
        socket.bufferedAmount = 2 << 20;
        assert.equal(link.send(new Uint8Array(60)), false, 'too much on the way');
        assert.equal(socket.sent.length, 1);
        socket.onmessage({ data: new Uint8Array(64).buffer });
        socket.onmessage({ data: 'text' });
        assert.deepEqual(frames.map((frame) => frame.length), [64]);
        socket.close();
        assert.deepEqual(states.map(([up]) => up), [true, false]);
        assert.match(states[1][1], /ended/);
        await tick(800);
        assert.equal(FakeSocket.made.length, 2, 'tried again');
        link.close();
        await tick(1500);
        assert.equal(FakeSocket.made.length, 2, 'not after close()');
    });

    it('say that this Node has no WebSocket', () => {
        const { WebSocket } = globalThis;
        globalThis.WebSocket = undefined; // 22 has one
        try {
            const link = new WebSocketLink({ url: 'ws://relay/net' });
            assert.throws(() => link.open(() => {}, () => {}), has('unsupported', /WebSocket/));
        } finally {
            globalThis.WebSocket = WebSocket;
        }
    });

    it('drop frames of a wrong size, and what the guest has no room for', async () => {
        let room = 0;
        const fed = [];
        const host = { say: () => {}, kick: () => {}, flushSoon: () => {} };
        host.engine = { netLink: () => {}, netFeed: (net, frame) => room-- > 0 && fed.push(frame.length) };
        const nets = new Nets(host);
        nets.open([{ type: 'custom' }]);
        const receive = (frame) => nets.receive(0, frame);
        assert.equal(receive(new Uint8Array(13)), false);
        assert.equal(receive(new Uint8Array(1519)), false);
        assert.equal(receive('x'.repeat(60)), false);
        for (let i = 0; i < 256; i++) {
            assert.equal(receive(new Uint8Array(60 + i)), true);
        }
        assert.equal(receive(new Uint8Array(60)), false, 'the queue is full');
        room = 10;
        nets.flush();
        assert.deepEqual(fed, Array.from({ length: 10 }, (_, i) => 60 + i));
        assert.equal(receive(new Uint8Array(60)), true);
        const [stats] = nets.stats();
        assert.deepEqual([stats.dropped, stats.rxFrames], [3, 10]);
        nets.countDropped(0);
        assert.equal(nets.stats()[0].dropped, 4);
        nets.close();
        assert.equal(receive(new Uint8Array(60)), false);
    });
});

/* --- The worker's end --- */

describe('a watch over a worker', () => {
    it('tells of one that does not answer, once', async () => {
        let pings = 0;
        const told = [];
        const watch = new Watch({
            lock: null, beat: 5, patience: 4, ongone: (why) => told.push(why),
            ping: () => (++pings < 4 ? Promise.resolve() : new Promise(() => {})),
        });
        await until(() => told.length);
        await tick(60);
        assert.equal(pings, 4);
        assert.deepEqual(told, ['it has not answered for 0 s']);
        watch.close();
    });

    it('has patience with a slow one, and with a page that is hidden', async () => {
        const told = [];
        let answer;
        const watch = new Watch({
            lock: null, beat: 5, patience: 40, ongone: (why) => told.push(why),
            ping: () => new Promise((resolve) => {
                answer = resolve;
            }),
        });
        for (let i = 0; i < 5; i++) {
            await tick(60);
            answer();
        }
        globalThis.document = { hidden: true };
        try {
            await tick(400);
            assert.deepEqual(told, []);
        } finally {
            delete globalThis.document;
        }
        await until(() => told.length); // it is seen again, and still nothing comes
        watch.close();
    });

    it('ends with its machine', async () => {
        const told = [];
        const watch = new Watch({
            lock: null, beat: 2, patience: 2, ongone: (why) => told.push(why), ping: () => new Promise(() => {}),
        });
        watch.close();
        await tick(50);
        assert.deepEqual(told, []);
    });
});

describe('buffers for requests', () => {
    it('are used again, and do not pile up', () => {
        const pool = new Pool();
        const one = pool.take(4096);
        pool.give(one);
        assert.equal(pool.take(4096), one);
        assert.equal(pool.bytes, 0);
        for (let sectors = 1; sectors <= 2048; sectors++) {
            pool.give(new Uint8Array(512 * sectors));
        }
        assert.ok(pool.bytes > 0 && pool.bytes <= 4 << 20, `${pool.bytes}`);
    });
});

describe('the beginning of a file', () => {
    const bytes = (text) => new TextEncoder().encode(text);

    it('shows a web page', () => {
        for (const text of ['<!DOCTYPE html>\n<html>', '\ufeff \n<!doctype HTML>', '<html lang="en">', '<HTML><head>',
            '<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC>']) {
            assert.ok(isWebPage(bytes(text)), text);
        }
        for (const text of ['', '<', 'htm', '\x7fELF<html>', 'MZ<!doctype html>', '070701']) {
            assert.ok(!isWebPage(bytes(text)), text);
        }
    });

    it('shows a kernel', () => {
        const image = new Uint8Array(64);
        image.set(bytes('RSC\x05'), 56);
        assert.ok(isKernel(image) && isKernel(bytes('\x7fELF')));
        assert.ok(!isKernel(new Uint8Array(64)) && !isKernel(image.subarray(0, 59)) && !isKernel(bytes('MZ')));
    });
});

/* --- Sound --- */

describe('sound', () => {
    it('goes out as events, or through a port, and comes in as far as it was recorded', async () => {
        const said = [];
        const sound = new Sound({ say: (method, [message]) => said.push(message) });
        sound.open(1, 1, 1, 48000, 2);
        assert.deepEqual(said, [{
            type: 'open', stream: 1, capture: true, format: 's16', rate: 48000, channels: 2,
        }]);
        sound.record(1, Uint8Array.of(1, 2, 3));
        sound.record(1, Uint8Array.of(4));
        sound.record(2, Uint8Array.of(9));
        assert.deepEqual([...sound.take(1, 2)], [1, 2]);
        assert.deepEqual([...sound.take(1, 9)], [3, 4]);
        assert.deepEqual([...sound.take(1, 9)], []);
        for (let i = 0; i < 100; i++) {
            sound.record(1, new Uint8Array(65536));
        }
        assert.ok(sound.take(1, 1 << 24).length <= 1 << 18, 'what nobody takes is bounded');
        const { port1, port2 } = new MessageChannel();
        const heard = [];
        port2.onmessage = ({ data }) => heard.push(data.type);
        sound.connect(port1);
        sound.play(1, Uint8Array.of(5));
        sound.close(1);
        await until(() => heard.length === 3);
        assert.deepEqual(heard, ['open', 'play', 'close']);
        sound.end();
        port2.close();
    });
});

/* --- The package --- */

it('has one version', () => {
    const read = (name) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
    assert.equal(JSON.parse(read('web/package.json')).version, version);
    assert.match(read('Makefile'), new RegExp(`^VERSION := ${version.replaceAll('.', '\\.')}$`, 'm'));
});

it('exports what its types say', async () => {
    const types = readFileSync(new URL('../../web/src/index.d.ts', import.meta.url), 'utf8');
    const values = [...types.matchAll(/^export (?:class|function|const) (\w+)/gm)].map(([, name]) => name).sort();
    assert.deepEqual(Object.keys(await import('../../web/src/index.js')).sort(), values);
});

it('a terminal gets characters that are made of several in one chunk', async () => {
    const text = 'a👩\u200d🚀b e\u0301 漢字\r\n👩\u200d🚀';
    const bytes = new TextEncoder().encode(text);
    const one = async (cut) => {
        const writes = [], viewer = { resize() {}, close() {}, write: async () => {} };
        const none = () => ({ dispose() {} });
        const terminal = { cols: 80, rows: 24, onData: none, onBinary: none, onResize: none,
            write: (data, done) => (writes.push(Uint8Array.from(data)), done?.()) };
        const console = Object.assign(new EventTarget(), { title: '', attach: () => viewer });
        const attached = attachTerminal(terminal, console);
        await viewer.ondata(bytes.slice(0, cut));
        await viewer.ondata(bytes.slice(cut));
        await until(() => Buffer.concat(writes).toString() === text);
        const ends = writes.slice(0, -1).map((_, i) => Buffer.concat(writes.slice(0, i + 1)).toString());
        ends.forEach((end) => assert.ok(!/👩\u200d?$/u.test(end) || text === end, JSON.stringify(end)));
        attached.dispose();
    };
    await Promise.all(Array.from({ length: bytes.length - 1 }, (_, i) => one(i + 1)));
});

it('a slow terminal gets one chunk at a time, also of what was held', async () => {
    let waiting = 0, most = 0, text = '';
    const viewer = { resize() {}, close() {}, write: async () => {} };
    const none = () => ({ dispose() {} });
    const terminal = { cols: 80, rows: 24, onData: none, onBinary: none, onResize: none,
        write: (data, done) => {
            most = Math.max(most, ++waiting);
            setTimeout(() => {
                waiting--;
                text += Buffer.from(data).toString();
                done();
            }, 30);
        } };
    const attached = attachTerminal(terminal, Object.assign(new EventTarget(), { title: '', attach: () => viewer }));
    const bytes = new TextEncoder().encode('ok 漢字');
    await viewer.ondata(bytes);
    await viewer.ondata(bytes); // while the timer of what was held runs
    await tick(20);
    await viewer.ondata(bytes); // while that is being written
    await tick(60);
    assert.deepEqual([text, most], ['ok 漢字'.repeat(3), 1]);
    attached.dispose();
});
