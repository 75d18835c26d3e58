// SPDX-License-Identifier: MPL-2.0
// The stores in Node: memory, files, overlays that crash, and native rvkit's overlays. STORE_SEED and STORE_ROUNDS
// for the random ones.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { CowFileBlocks, cowHeader } from '../../web/src/store/cow-file.js';
import { BlankStore, MemoryStore, OverlayStore, exportDisk, openStore } from '../../web/src/store/index.js';
import { MemoryBlocks } from '../../web/src/store/blocks.js';
import { PackedBlocks } from '../../web/src/store/packed.js';
import { cowBlob, importCow } from '../../web/src/store/transfer.js';
import { crc32, identify, parseSize, sizeText } from '../../web/src/store/util.js';
import { CrashModel, makeRandom, readAll, sectorsBytes } from './store-help.js';
import { code, run } from './store-node.js';

const seed = Number(process.env.STORE_SEED ?? Date.now() % 1e9);
const rounds = Number(process.env.STORE_ROUNDS ?? 8);
const root = fileURLToPath(new URL('../..', import.meta.url));
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'rvkit-store-'));
const file = (name) => path.join(dir, name);

after(() => fs.rmSync(dir, { recursive: true }));

console.log(`# seed ${seed}`);

// --- Small things ---

test('sizes and checksums', () => {
    assert.equal(crc32(new TextEncoder().encode('123456789')), 0xCBF43926);
    assert.equal(parseSize('128M'), 128 << 20);
    assert.equal(parseSize('1.5G'), 1.5 * 2 ** 30);
    assert.equal(parseSize(512), 512);
    for (const wrong of ['', 'M', '-1', '1Q', 'abc', '1e400']) {
        assert.equal(parseSize(wrong), undefined, wrong);
    }
    assert.equal(sizeText(1536), '1.5 KiB');
});

// --- Memory ---

test('memory: in place, padded, checked', async () => {
    const bytes = new Uint8Array(2048);
    const store = await openStore({ source: bytes });
    store.write(512, new Uint8Array(512).fill(9));
    assert.equal(bytes[512], 9);
    const odd = await openStore({ source: new Uint8Array(700).fill(5).buffer });
    assert.equal(odd.size, 1024);
    assert.deepEqual([...(await readAll(odd)).subarray(698, 702)], [5, 5, 0, 0]);
    for (const [at, length] of [[0, 1536], [1, 512], [-512, 512], [0, 100], [NaN, 512], [2 ** 60, 512]]) {
        assert.throws(() => odd.read(at, new Uint8Array(length)), code('range'));
        assert.throws(() => odd.write(at, new Uint8Array(length)), code('range'));
    }
    const readOnly = await openStore({ source: bytes, readOnly: true });
    assert.equal(readOnly.readOnly, true);
    await assert.rejects(run(() => readOnly.write(0, new Uint8Array(512))), code('read-only'));
    const ephemeral = await openStore({ source: bytes, ephemeral: true });
    ephemeral.write(512, new Uint8Array(512).fill(1));
    assert.equal(bytes[512], 9);
    assert.equal((await readAll(ephemeral))[512], 1);
});

test('blank disks take memory where they are written', async () => {
    const store = await openStore({ source: 'blank:1T' });
    assert.equal(store.size, 2 ** 40);
    store.write(2 ** 40 - 512, new Uint8Array(512).fill(3));
    store.write(65536 - 512, new Uint8Array(1024).fill(4));
    assert.equal(store.used, 3 * 65536);
    const bytes = new Uint8Array(2048).fill(255);
    store.read(65536 - 1024, bytes);
    assert.deepEqual([0, 512, 1535, 1536].map((i) => bytes[i]), [0, 4, 4, 0]);
    store.discard(0, 2 ** 17);
    assert.equal(store.used, 65536);
    await assert.rejects(openStore({ source: 'blank:0' }), code('size'));
    await assert.rejects(openStore({ source: 'blank:x' }), code('size'));
    await assert.rejects(openStore({ source: new Uint8Array(0) }), code('size'));
    await assert.rejects(openStore({ source: 5 }), code('source'));
});

// --- Blobs ---

test('blobs: lazy, read-only below, ephemeral above', async () => {
    const bytes = sectorsBytes(0, 5000, 0);
    const blob = new Blob([bytes]);
    const store = await openStore({ source: blob });
    assert.equal(store.readOnly, false);
    await store.write(1024, new Uint8Array(512).fill(1));
    const all = await readAll(store);
    bytes.fill(1, 1024, 1536);
    assert.deepEqual(all, bytes);
    const plain = await openStore({ source: blob, readOnly: true });
    assert.equal(plain.readOnly, true);
    await assert.rejects(run(() => plain.write(0, bytes.subarray(0, 512))), code('read-only'));
    const lazy = new Blob([new Uint8Array(10 << 20)]);
    let sliced = 0;
    const slice = lazy.slice.bind(lazy);
    lazy.slice = (from, to) => (sliced += to - from, slice(from, to));
    await (await openStore({ source: lazy })).read(5 << 20, new Uint8Array(4096));
    assert.ok(sliced < 1 << 20, `${sliced} bytes read`);
});

test('gzip: unpacked when small, refused when large or damaged', async () => {
    const bytes = sectorsBytes(0, 300, 0);
    const packed = gzipSync(bytes);
    const store = await openStore({ source: new Blob([packed]), readOnly: true });
    assert.deepEqual(await readAll(store), bytes);
    const open = (source, limits) => openStore({ source }, { limits });
    await assert.rejects(open(new Blob([packed]), { packed: 100 }), code('packed', 'unpack it'));
    await assert.rejects(open(new Blob([packed]), { unpack: 1000 }), code('too-large', 'unpack it'));
    await assert.rejects(open(new Blob([packed.subarray(0, -20)])), code('damaged', 'cut short'));
    const name = file('packed.img.gz');
    fs.writeFileSync(name, packed);
    assert.deepEqual(await readAll(await openStore({ source: name })), bytes);
    await assert.rejects(open(name, { packed: 100 }), code('packed'));
    await assert.rejects(open(name, { unpack: 1000 }), code('too-large'));
    fs.writeFileSync(name, packed.subarray(0, -20));
    await assert.rejects(open(name), code('damaged'));
});

// --- Overlays ---

/** Bytes that grow. */
class Growing {
    constructor(bytes = new Uint8Array(0)) {
        this.bytes = bytes.slice();
        this.size = bytes.length;
    }

    get whole() {
        return this.bytes.subarray(0, this.size);
    }

    resize(size) {
        if (size > this.bytes.length) {
            const larger = new Uint8Array(size * 2);
            larger.set(this.whole);
            this.bytes = larger;
        }
        this.bytes.fill(0, Math.min(size, this.size), Math.max(size, this.size));
        this.size = size;
    }

    put(data, at) {
        at + data.length > this.size && this.resize(at + data.length);
        this.bytes.set(data, at);
    }
}

/** A file whose writes are lost or torn in a crash, unless they were flushed. */
class CrashFile {
    constructor(random, bytes) {
        this.random = random;
        this.now = new Growing(bytes);
        this.durable = new Growing(bytes);
        this.pending = [];
        this.limit = Infinity;
        this.syncFails = false;
        this.calls = Infinity;  // until it is killed
    }

    #live() {
        if (this.calls-- <= 0) {
            throw new Error('killed');
        }
    }

    /** For damage. */
    get bytes() {
        return this.now.whole;
    }

    getSize() {
        return this.now.size;
    }

    read(into, { at }) {
        const part = this.bytes.subarray(at, at + into.length);
        into.set(part);
        return part.length;
    }

    #change(size, change) {
        this.#live();
        if (size > this.limit) {
            throw new DOMException('full', 'QuotaExceededError');
        }
        change(this.now);
        this.pending.push({ change, size });
    }

    write(data, { at }) {
        data = data.slice();
        this.#change(at + data.length, (file) => file.put(data, at));
        Object.assign(this.pending.at(-1), { data, at });
        return data.length;
    }

    truncate(size) {
        this.#change(size, (file) => file.resize(size));
    }

    flush() {
        this.#live();
        if (this.syncFails) {
            throw new DOMException('sync', 'InvalidStateError');
        }
        this.pending.forEach(({ change }) => change(this.durable));
        this.pending = [];
    }

    close() {}

    /** Of what was not flushed, any sectors are there; before `tornBelow` any beginnings of them. */
    crash(tornBelow = 0) {
        const file = new CrashFile(this.random, this.durable.whole);
        for (const { data, at, change } of this.pending) {
            const part = this.random(4); // most often all or nothing
            if (!data || part === 0) {
                this.random(2) && change(file.now);
                continue;
            }
            for (let done = 0; done < data.length;) {
                const step = Math.min(512 - (at + done) % 512, data.length - done);
                const torn = at + done < tornBelow && this.random(3) === 0;
                const count = torn ? this.random(step + 1) : part === 1 ? 0 : this.random(2) * step;
                count && file.now.put(data.subarray(done, done + count), at + done);
                done += step;
            }
        }
        return new CrashFile(this.random, file.now.whole);
    }
}

/** A base that answers later, so that calls overlap. */
class LateStore extends MemoryStore {
    constructor(bytes, random) {
        super(bytes, { readOnly: true });
        this.random = random;
    }

    read(offset, into) {
        if (this.random(3) === 0) {
            return super.read(offset, into);
        }
        return new Promise((resolve) => setTimeout(resolve, this.random(3)))
            .then(() => super.read(offset, into));
    }
}

const SECTORS = 8 * 2100 + 5;   // three pages of a packed overlay's table
const PACKED_DATA = (2 + 2 * 3) * 4096;
const SPAN = 60;

/** Random changes, several at a time, of sectors that no other has: as a guest does it. */
async function change(store, model, random, steps) {
    for (let step = 0; step < steps; step++) {
        const waits = [];
        const busy = [];
        for (let i = random(4) + 1; i > 0; i--) {
            // In a few places, so that blocks are met again.
            const first = Math.min(random(12) * 1500 + random(100), SECTORS - 1);
            const count = Math.min(1 + random(SPAN), SECTORS - first);
            if (busy.some(([a, b]) => first < b && a < first + count)) {
                continue;
            }
            busy.push([first, first + count]);
            if (random(6) === 0) {
                model.beginDiscard(first, count);
                waits.push(run(() => store.discard(first * 512, count * 512)));
            } else {
                model.begin(first, count, ++model.generation);
                const bytes = sectorsBytes(first, count, model.generation);
                waits.push(run(() => store.write(first * 512, bytes)));
            }
        }
        const failed = (await Promise.allSettled(waits)).find(({ status }) => status === 'rejected');
        if (failed) {
            throw failed.reason;
        }
        if (random(5) === 0) {
            await store.flush();
            model.flushed();
        }
    }
}

const baseBytes = sectorsBytes(0, SECTORS, 0);

/** What an overlay's file knows its base by. */
const identity = { bytes: baseBytes.length, tag: 'test', fingerprint: crc32(baseBytes.subarray(0, 65536)),
    seconds: 1000, nanos: 5 };

const formats = {
    packed: (handle) => PackedBlocks.open(handle, identity, 'overlay'),
    native: (handle) => CowFileBlocks.open(handle, identity, 'overlay'),
};

for (const [format, open] of Object.entries(formats)) {
    test(`overlay, ${format}: crashes at any moment lose nothing that was flushed`, async () => {
        for (let round = 0; round < rounds; round++) {
            const random = makeRandom(seed + round);
            const model = new CrashModel(SECTORS);
            let handle = new CrashFile(random);
            for (let life = 0; life < 4; life++) {
                const store = new OverlayStore(new LateStore(baseBytes, random), open(handle));
                handle.calls = random(3) ? 1 + random(200) : Infinity;
                const killed = await change(store, model, random, 1 + random(25)).catch((error) => {
                    assert.match(error.message, /killed/);
                    return true;
                });
                if (!killed && handle.calls === Infinity && random(4) === 0) {
                    assert.equal(model.check(await readAll(store), { exact: true }), undefined);
                    await store.flush();
                    model.flushed();
                }
                handle = handle.crash(format === 'packed' ? PACKED_DATA : 0);
                const again = new OverlayStore(new MemoryStore(baseBytes), open(handle));
                assert.equal(model.check(await readAll(again)), undefined, `seed ${seed + round}, life ${life}`);
            }
        }
    });

    test(`overlay, ${format}: crashes while it is made`, async () => {
        for (let round = 0; round < rounds; round++) {
            const random = makeRandom(seed + round);
            const handle = new CrashFile(random);
            handle.calls = random(6);
            try {
                open(handle);
            } catch (error) {
                assert.match(error.message, /killed/);
            }
            const crashed = handle.crash();
            let blocks;
            try {
                blocks = open(crashed);
            } catch (error) { // a header that is torn: the native format refuses it
                assert.match(error.code, /^(damaged|not-overlay)$/);
                assert.equal(format, 'native');
                continue;
            }
            const store = new OverlayStore(new MemoryStore(baseBytes), blocks);
            assert.deepEqual(await readAll(store), baseBytes, `seed ${seed + round}`);
        }
    });

    test(`overlay, ${format}: no room is an I/O error, told once, and nothing is lost`, async () => {
        const random = makeRandom(seed);
        const model = new CrashModel(SECTORS);
        const handle = new CrashFile(random);
        const told = [];
        const store = new OverlayStore(new MemoryStore(baseBytes), open(handle),
            { onerror: (error) => told.push(error.code) });
        await change(store, model, random, 20);
        await store.flush();
        model.flushed();
        handle.limit = handle.bytes.length + 5000;
        let failed = 0;
        for (let sector = SECTORS - 5; sector > SECTORS - 4000; sector -= 8) {
            model.may[sector].add(++model.generation);
            await run(() => store.write(sector * 512, sectorsBytes(sector, 1, model.generation)))
                .then(() => (model.now[sector] = model.generation), () => failed++);
        }
        if (format === 'packed') {
            assert.ok(failed > 0);
            assert.deepEqual(told, ['quota']);
        }
        await store.flush();
        model.flushed();
        assert.equal(model.check(await readAll(store), { exact: true }), undefined);
        handle.limit = Infinity;
        await change(store, model, random, 20);
        await store.flush();
        model.flushed();
        const again = new OverlayStore(new MemoryStore(baseBytes), open(handle.crash()));
        assert.equal(model.check(await readAll(again), { exact: true }), undefined);
    });

    test(`overlay, ${format}: a sync that failed is not forgotten`, async () => {
        const handle = new CrashFile(makeRandom(seed));
        const told = [];
        const store = new OverlayStore(new MemoryStore(baseBytes), open(handle),
            { onerror: (error) => told.push(error.code) });
        store.write(0, sectorsBytes(0, 8, 1));
        handle.syncFails = true;
        await assert.rejects(run(() => store.flush()), code('io'));
        handle.syncFails = false;
        await assert.rejects(run(() => store.flush()), code('io'));
        assert.deepEqual(told, ['io']);
    });

    test(`overlay, ${format}: another base, damage, what is no overlay`, async () => {
        const make = () => {
            const handle = new CrashFile(makeRandom(seed));
            const blocks = open(handle);
            blocks.write(4096, sectorsBytes(8, 8, 1));
            blocks.flush();
            return handle;
        };
        const kind = format === 'packed' ? PackedBlocks : CowFileBlocks;
        const others = format === 'packed' ? [{ tag: 'other' }, { bytes: 4096 }, { fingerprint: 1 }]
            : [{ seconds: 1001 }, { nanos: 6 }, { bytes: 4096 }];
        for (const other of others) {
            assert.throws(() => kind.open(make(), { ...identity, ...other }, 'x'), code('base-changed', 'does not fit'));
        }
        const damaged = (at, length = 1) => {
            const handle = make();
            for (let i = 0; i < length; i++) {
                handle.bytes[at + i] ^= 0x55;
            }
            return () => open(handle);
        };
        assert.throws(damaged(20), code('damaged'));
        assert.throws(damaged(0), code('not-overlay'));
        if (format === 'packed') {
            damaged(2 * 4096, 4096)(); // the page's other place, which holds nothing yet, or the older one
            assert.throws(damaged(2 * 4096, 8192), code('damaged', 'table'));
            const short = make();
            short.truncate(short.bytes.length - 4096);
            const store = new OverlayStore(new MemoryStore(baseBytes), open(short));
            await assert.rejects(run(() => store.read(4096, new Uint8Array(512))), code('damaged'));
            await assert.rejects(run(() => store.write(4096, new Uint8Array(512))), code('damaged'));
            store.write(4096, new Uint8Array(4096));
            store.read(4096, new Uint8Array(512));
        }
    });
}

test('overlay, packed: each moment of a flush', async () => {
    const random = makeRandom(seed);
    const sectors = [8 * 5, 8 * 1500, 8 * 7, 8 * 1600];
    let bytes = new Uint8Array(0);
    for (let life = 0; life < 3; life++) {
        for (let calls = 0; calls < 5; calls++) {
            for (let times = 0; times < 40; times++) {
                const handle = new CrashFile(random, bytes);
                const blocks = PackedBlocks.open(handle, identity, 'x');
                blocks.write(sectors[2] * 512, sectorsBytes(sectors[2], 8, 100));
                blocks.write(sectors[3] * 512, sectorsBytes(sectors[3], 8, 100));
                blocks.zero(1100, 1103);
                handle.calls = calls;
                calls < 4 ? assert.throws(() => blocks.flush(), /killed/) : blocks.flush();
                const store = new OverlayStore(new MemoryStore(baseBytes),
                    PackedBlocks.open(handle.crash(PACKED_DATA), identity, 'x'));
                const found = await readAll(store);
                for (const [i, sector] of sectors.entries()) {
                    const may = i < 2 ? [life] : calls < 4 ? [0, 100] : [100];
                    const { 1: value } = new Uint32Array(found.buffer, sector * 512, 2);
                    assert.ok(may.includes(value), `seed ${seed}, ${life} ${calls}: ${sector} holds ${value}`);
                }
            }
        }
        const handle = new CrashFile(random, bytes);
        const blocks = PackedBlocks.open(handle, identity, 'x');
        for (const sector of sectors.slice(0, 2)) { // elsewhere each time, so that an old table is noticed
            blocks.zero(sector / 8, sector / 8 + 1);
            blocks.flush();
            blocks.write(4096 * (20 + life), new Uint8Array(4096));
            blocks.write(sector * 512, sectorsBytes(sector, 8, life + 1));
        }
        blocks.flush();
        bytes = handle.bytes.slice();
    }
});

test('overlay, packed: only what was written takes room, and room is used again', () => {
    const handle = new CrashFile(makeRandom(seed));
    let blocks = PackedBlocks.open(handle, identity, 'x');
    const empty = handle.getSize();
    blocks.write(2090 * 4096, new Uint8Array(4096).fill(1));
    assert.equal(handle.getSize(), empty + 4096);
    for (let i = 0; i < 100; i++) {
        blocks.write(i * 4096, new Uint8Array(8192).fill(2));
        blocks.flush();
        blocks.zero(i, i + 2);
        blocks.flush();
    }
    assert.ok(handle.getSize() <= empty + 4 * 4096, `${handle.getSize() - empty}`);
    blocks = PackedBlocks.open(handle, identity, 'x');
    assert.equal(handle.getSize(), empty + 4096, 'the end that nothing names is cut off');
    const bytes = new Uint8Array(4096);
    blocks.read(2090 * 4096, bytes);
    assert.ok(bytes.every((byte) => byte === 1));
});

test('overlay: overlapping changes of one block over a slow base', async () => {
    const random = makeRandom(seed);
    for (let round = 0; round < rounds; round++) {
        const store = new OverlayStore(new LateStore(baseBytes.slice(0, 65536), random), new MemoryBlocks());
        const wanted = baseBytes.slice(0, 65536);
        const waits = [];
        for (let sector = 0; sector < 128; sector++) {
            if (random(3)) {
                const bytes = sectorsBytes(sector, 1, round + 1);
                wanted.set(bytes, sector * 512);
                waits.push(store.write(sector * 512, bytes));
            }
        }
        await Promise.all(waits);
        assert.deepEqual(await readAll(store), wanted);
    }
});

test('overlay: export and import', async () => {
    const random = makeRandom(seed);
    const model = new CrashModel(SECTORS);
    const store = await openStore({ source: baseBytes, ephemeral: true });
    assert.equal(await store.exportOverlay(), null);
    await change(store, model, random, 40);
    const wanted = await readAll(store);
    assert.deepEqual(new Uint8Array(await new Response(exportDisk(store)).arrayBuffer()), wanted);
    const blob = await store.exportOverlay();
    const packed = await store.exportOverlay({ gzip: true });
    assert.ok(packed.size < blob.size / 4);
    for (const source of [blob, packed]) {
        const handle = new CrashFile(random);
        const blocks = await importCow(source, (known) =>
            PackedBlocks.open(handle, { ...known, tag: '' }, 'x'), 'x');
        const about = await identify(new MemoryStore(baseBytes));
        assert.throws(() => PackedBlocks.open(handle, { ...about, fingerprint: 7 }, 'x'), code('base-changed'));
        const again = new OverlayStore(new MemoryStore(baseBytes), PackedBlocks.open(handle, about, 'x'));
        assert.deepEqual(await readAll(again), wanted);
        assert.throws(() => PackedBlocks.open(handle, { ...about, tag: 'other' }, 'x'), code('base-changed'));
        assert.equal(blocks.changes(), again.changes);
        const once = await cowBlob(blocks, about);
        assert.deepEqual(new Uint8Array(await once.arrayBuffer()), new Uint8Array(await blob.arrayBuffer()));
    }
    const into = () => PackedBlocks.open(new CrashFile(random), { ...identity, tag: '' }, 'x');
    await assert.rejects(importCow(new Blob(['hello']), into, 'x'), code('not-overlay'));
    await assert.rejects(importCow(blob.slice(0, 4100), into, 'x'), code('damaged'));
    await assert.rejects(importCow(blob.slice(0, (1 << 20) + 5000), into, 'x'), code('damaged', 'cut short'));
    await assert.rejects(importCow(packed.slice(0, packed.size - 100), into, 'x'), code('damaged'));
    // A small file that claims to be a large disk's takes no memory for that.
    const claims = new Blob([cowHeader({ bytes: 2 ** 44, fingerprint: 1 })]);
    const before = process.memoryUsage().arrayBuffers;
    await assert.rejects(importCow(claims, into, 'x'), code('damaged', 'cut short'));
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 28);
});

// --- Files, and native rvkit ---

test('files of the computer', async () => {
    const name = file('plain.img');
    fs.writeFileSync(name, baseBytes.subarray(0, 5000));
    const store = await openStore({ source: name });
    assert.equal(store.size, 5120);
    assert.equal(store.readOnly, false);
    await assert.rejects(openStore({ source: name }), code('busy', 'in use'));
    store.write(512, new Uint8Array(512).fill(7));
    store.flush();
    assert.deepEqual([...(await readAll(store)).subarray(4998)], [...baseBytes.subarray(4998, 5000), ...new Uint8Array(120)]);
    await store.close();
    assert.equal(fs.readFileSync(name)[512], 7);
    const one = await openStore({ source: new URL(`file://${name}`), readOnly: true });
    const two = await openStore({ source: name, readOnly: true });
    await assert.rejects(openStore({ source: name }), code('busy'));
    await assert.rejects(run(() => one.write(0, new Uint8Array(512))), code('read-only'));
    await one.close();
    await two.close();
    await assert.rejects(openStore({ source: file('none.img') }), code('file', 'no such file'));
    await assert.rejects(openStore({ source: dir }), code('file'));
});

/** build/tests/web/disk_tool: native rvkit's disks. */
function native(...args) {
    const { status, stdout, stderr } = spawnSync(path.join(root, 'build/tests/web/disk_tool'), args,
        { maxBuffer: 1 << 28 });
    return { status, stdout: new Uint8Array(stdout), stderr: String(stderr) };
}

test('native rvkit reads and writes the same overlays', async () => {
    execFileSync('make', ['-s', 'build/tests/web/disk_tool'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    const random = makeRandom(seed);
    const image = file('base.img'), overlay = file('changes');
    fs.writeFileSync(image, baseBytes);
    const model = new CrashModel(SECTORS);
    for (let turn = 0; turn < 3; turn++) {
        const store = await openStore({ source: image, persist: overlay });
        await change(store, model, random, 30);
        await store.flush();
        assert.match(native(`${image},cow=${overlay}`, 'read').stderr, /in use/);
        const wanted = await readAll(store);
        await store.close();
        assert.deepEqual(native(`${image},cow=${overlay}`, 'read').stdout, wanted);
        const sector = turn * 1111;
        assert.equal(native(`${image},cow=${overlay}`, 'write', `${sector * 512}`, '512', '0').status, 0);
        assert.equal(native(`${image},cow=${overlay}`, 'discard', '409600', '8192').status, 0);
        model.begin(sector, 1, 'zeros');
        model.begin(800, 16, 'zeros');
    }
    const store = await openStore({ source: image, persist: overlay });
    assert.equal(model.check(await readAll(store), { exact: true }), undefined);
    await store.close();
    fs.utimesSync(image, 5, 5);
    assert.match(native(`${image},cow=${overlay}`, 'read').stderr, /base image has changed/);
    await assert.rejects(openStore({ source: image, persist: overlay }), code('base-changed'));
});

test('native rvkit takes what a browser exports', async () => {
    const random = makeRandom(seed);
    const image = file('export.img'), overlay = file('exported');
    fs.writeFileSync(image, baseBytes);
    const model = new CrashModel(SECTORS);
    const blocks = PackedBlocks.open(new CrashFile(random), { ...identity, tag: 'etag:"1"' }, 'x');
    const store = new OverlayStore(new MemoryStore(baseBytes), blocks);
    await change(store, model, random, 60);
    fs.writeFileSync(overlay, new Uint8Array(await (await store.exportOverlay()).arrayBuffer()));
    const wanted = await readAll(store);
    assert.deepEqual(native(`${image},cow=${overlay}`, 'read').stdout, wanted);
    assert.equal(native(`${image},cow=${overlay}`, 'write', '1024', '512', '0').status, 0);
    wanted.fill(0, 1024, 1536);
    // Back again, and into Node.
    const handle = new CrashFile(random);
    await importCow(await fs.openAsBlob?.(overlay) ?? new Blob([fs.readFileSync(overlay)]),
        (known) => PackedBlocks.open(handle, { ...known, tag: '' }, 'x'), 'x');
    const again = new OverlayStore(new MemoryStore(baseBytes), PackedBlocks.open(handle, identity, 'x'));
    assert.deepEqual(await readAll(again), wanted);
    const inNode = await openStore({ source: image, persist: overlay });
    assert.deepEqual(await readAll(inNode), wanted);
    await inNode.close();
    fs.writeFileSync(image, baseBytes.slice().fill(1, 65535, 65536));
    assert.match(native(`${image},cow=${overlay}`, 'read').stderr, /begins otherwise/);
    await assert.rejects(openStore({ source: image, persist: overlay }), code('base-changed'));
});

test('a disk of zeros with an overlay', async () => {
    const store = await openStore({ source: 'blank:64M', persist: file('blank-changes') });
    store.write(32 << 20, new Uint8Array(4096).fill(1));
    await store.flush();
    await store.close();
    await assert.rejects(openStore({ source: 'blank:32M', persist: file('blank-changes') }), code('base-changed'));
    assert.ok(new BlankStore(5).size === 512);
});
