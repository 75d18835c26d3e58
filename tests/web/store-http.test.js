// SPDX-License-Identifier: MPL-2.0
// Disks over HTTP in Node, from a server that misbehaves.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openStore } from '../../web/src/store/index.js';
import { readAll, sectorsBytes } from './store-help.js';
import { code, run } from './store-node.js';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'rvkit-store-'));
const image = sectorsBytes(0, 6000, 0);     // 3 MB
const server = http.createServer();
let base, requests = [];
const modes = {};

before(async () => {
    server.on('request', (request, response) => {
        const mode = request.url.slice(1).split('?')[0];
        requests.push({ mode, method: request.method, range: request.headers.range });
        modes[mode] ? modes[mode](request, response) : serve(request, response);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${server.address().port}/`;
});
after(() => {
    fs.rmSync(dir, { recursive: true });
    server.closeAllConnections();
    server.close();
});

/** A good server, but for what is asked: other headers, body, … */
function serve(request, response, { bytes = image, headers = {}, ranges = true, body } = {}) {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const partial = ranges && from !== undefined;
    const end = partial ? Math.min(Number(to) + 1, bytes.length) : bytes.length;
    const part = bytes.subarray(partial ? Number(from) : 0, end);
    const all = {
        'content-length': part.length, etag: '"one"', 'last-modified': 'Mon, 02 Nov 2026 10:00:00 GMT',
        ...partial && { 'content-range': `bytes ${from}-${end - 1}/${bytes.length}` }, ...headers,
    };
    response.writeHead(partial ? 206 : 200, Object.fromEntries(Object.entries(all).filter(([, v]) => v !== null)));
    request.method === 'HEAD' ? response.end() : body ? body(response, part) : response.end(part);
}

const quick = { retries: 3, stall: 300, backoff: 5 };
const openHttp = (mode, options = {}, context = {}) =>
    openStore({ source: base + mode, readOnly: true, ...options }, { fetch: quick, ...context });
const reads = (store, at = 2 << 20) => run(() => store.read(at, new Uint8Array(4096)));

test('http: only what is touched travels, once', async () => {
    requests = [];
    const store = await openHttp('good');
    assert.equal(store.size, image.length);
    assert.equal(requests.length, 1);
    assert.equal(store.read(4096, new Uint8Array(4096)), undefined, 'the first block is there');
    const into = [0, 1, 2].map(() => new Uint8Array(4096));
    await Promise.all(into.map((bytes) => store.read(2 << 20, bytes)));
    assert.equal(requests.length, 2, 'one request for one block');
    into.forEach((bytes) => assert.deepEqual(bytes, image.subarray(2 << 20, (2 << 20) + 4096)));
    assert.deepEqual(await readAll(store), image);
    assert.ok(requests.every(({ range }) => range));
    const bytes = requests.map(({ range }) => range.match(/\d+/g)).reduce((sum, [a, b]) =>
        sum + Math.min(Number(b) + 1, image.length) - Number(a), 0);
    assert.equal(bytes, image.length, 'nothing travels twice');
    store.close();
    await assert.rejects(reads(await openHttp('good').then((s) => (s.close(), s))), code('closed'));
});

test('http: read-ahead of sequential reads alone; the cache has a limit', async () => {
    const { HttpStore } = await import('../../web/src/store/http.js');
    const limits = { whole: 1 << 20, packed: 1 << 20, unpack: 1 << 20 };
    const store = await HttpStore.open(`${base}good`, { limits, fetch: quick, capacity: 4 });
    requests = [];
    for (const at of [20, 3, 11]) {
        await store.read(at << 17, new Uint8Array(4096));
    }
    assert.equal(requests.length, 3);
    for (let at = 1 << 20; at < (1 << 20) + (3 << 17); at += 4096) {
        await store.read(at, new Uint8Array(4096));
    }
    assert.ok(requests.length < 3 + 5);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = requests.length;
    await store.read(3 << 17, new Uint8Array(4096));
    assert.equal(requests.length, before + 1, 'it had been dropped');
    store.close();
});

test('http: errors at open', async () => {
    modes.missing = (request, response) => response.writeHead(404, 'Not Found').end('no');
    modes.forbidden = (request, response) => response.writeHead(403).end();
    modes.ill = (request, response) => response.writeHead(503).end();
    modes.empty = (request, response) => response.writeHead(416, { 'content-range': 'bytes */0' }).end();
    requests = [];
    await assert.rejects(openHttp('missing'), code('http', 'cannot be fetched: 404'));
    assert.equal(requests.length, 1, 'no second try');
    await assert.rejects(openHttp('forbidden'), code('http', '403'));
    requests = [];
    await assert.rejects(openHttp('ill'), code('http', '503'));
    assert.equal(requests.length, 4, 'the first and three more');
    await assert.rejects(openHttp('empty'), code('bad-answer', 'empty'));
    await assert.rejects(openStore({ source: 'http://127.0.0.1:1/x' }, { fetch: quick }), code('network'));
    await assert.rejects(openStore({ source: 'http://' }), code('source'));
});

test('http: servers that send other parts, or more, or less', async () => {
    const lies = {
        elsewhere: { headers: { 'content-range': `bytes 512-1023/${image.length}` } },
        nonsense: { headers: { 'content-range': 'bytes a-b/c' } },
        encoded: { headers: { 'content-encoding': 'br' }, body: (r) => r.end() },
        longer: { headers: { 'content-length': null }, body: (r, part) => r.end(Buffer.concat([part, part])) },
    };
    for (const [mode, lie] of Object.entries(lies)) {
        modes[mode] = (request, response) => serve(request, response, lie);
        await assert.rejects(openHttp(mode), code('bad-answer'), mode);
        // The same after a good beginning.
        modes[mode] = (request, response) =>
            serve(request, response, /=0-/.test(request.headers.range) ? {} : lie);
        const store = await openHttp(mode);
        await assert.rejects(reads(store), code('bad-answer'), mode);
    }
});

test('http: cut bodies, drops and stalls are tried again, and end', async () => {
    const faults = {
        short: [{ headers: { 'content-length': null }, body: (r, part) => r.end(part.subarray(0, 99)) }, 'truncated'],
        drop: [{ body: (r, part) => r.write(part.subarray(0, 999), () => r.destroy()) }, 'network'],
        stall: [{ body: (r, part) => r.write(part.subarray(0, 999)) }, 'stalled'],
        silent: [null, 'stalled'],
    };
    for (const [mode, [fault, wanted]] of Object.entries(faults)) {
        let left = 0;
        modes[mode] = (request, response) => {
            if (left-- > 0) {
                fault && serve(request, response, fault);
            } else {
                serve(request, response);
            }
        };
        left = 2;
        const store = await openHttp(mode);
        left = 3;
        await reads(store);
        left = 4;
        const begun = Date.now();
        await assert.rejects(reads(store, 1 << 20), code(wanted), mode);
        assert.ok(Date.now() - begun < 10000, 'it ends');
        await reads(store, 1 << 20);
        left = 4;
        await assert.rejects(openHttp(mode), code(wanted), mode);
        store.close();
    }
});

test('http: a slow server is no error', async () => {
    modes.slow = (request, response) => serve(request, response, {
        body: async (r, part) => {
            for (let at = 0; at < part.length; at += 1 << 15) {
                r.write(part.subarray(at, at + (1 << 15)));
                await new Promise((resolve) => setTimeout(resolve, 120));
            }
            r.end();
        },
    });
    const store = await openHttp('slow');
    const bytes = new Uint8Array(4096);
    await store.read(1 << 20, bytes);
    assert.deepEqual(bytes, image.subarray(1 << 20, (1 << 20) + 4096));
});

test('http: an image that changes under way', async () => {
    const other = {
        etag: { headers: { etag: '"two"' } },
        time: { headers: { etag: null, 'last-modified': 'Mon, 02 Nov 2026 10:00:01 GMT' } },
        size: { headers: { etag: null, 'last-modified': null }, bytes: image.subarray(0, 5000 * 512) },
        whole: { headers: { etag: '"two"' }, ranges: false },
    };
    for (const [mode, change] of Object.entries(other)) {
        let changed = false;
        modes[mode] = (request, response) => serve(request, response, changed ? change : {});
        const told = [];
        const store = await openHttp(mode, {}, { onerror: (error) => told.push(error.code) });
        await reads(store);
        changed = true;
        await assert.rejects(reads(store, 1 << 20), code('changed'), mode);
        changed = false;
        await assert.rejects(reads(store, 1 << 20), code('changed'), 'for good');
        assert.deepEqual(told, ['changed'], 'once');
        await reads(store); // what is cached is still the old image
    }
    let gone = false;
    modes.gone = (request, response) => gone ? response.writeHead(404).end() : serve(request, response);
    const store = await openHttp('gone');
    gone = true;
    await assert.rejects(reads(store), code('http', '404'));
});

test('http: servers without ranges', async () => {
    modes.plain = (request, response) => serve(request, response, { ranges: false });
    modes.chunked = (request, response) => serve(request, response,
        { ranges: false, headers: { 'content-length': null } });
    const told = [];
    for (const mode of ['plain', 'chunked']) {
        const store = await openHttp(mode, {}, { onprogress: (progress) => told.push(progress) });
        assert.deepEqual(await readAll(store), image);
        assert.equal(told.at(-1).loaded, image.length);
        assert.equal(told.at(-1).total, mode === 'plain' ? image.length : undefined);
        await assert.rejects(openHttp(mode, {}, { limits: { whole: 1 << 20 } }), code('no-ranges', 'HTTP ranges'));
    }
    let left = 2;
    modes.cut = (request, response) => serve(request, response, { ranges: false,
        body: (r, part) => left-- > 0 ? r.write(part.subarray(0, 1 << 20), () => r.destroy()) : r.end(part) });
    assert.deepEqual(await readAll(await openHttp('cut')), image);
    modes.ends = (request, response) => serve(request, response, /=0-/.test(request.headers.range) ? {} : { ranges: false });
    await assert.rejects(reads(await openHttp('ends')), code('bad-answer', 'any more'));
});

test('http: the size by HEAD, where pages do not see Content-Range', async () => {
    modes.hidden = (request, response) => serve(request, response, { headers: { 'content-range': null } });
    requests = [];
    const store = await openHttp('hidden');
    assert.deepEqual(await readAll(store), image);
    assert.equal(requests.filter(({ method }) => method === 'HEAD').length, 1);
    modes.sizeless = (request, response) => serve(request, response,
        { headers: { 'content-range': null, ...request.method === 'HEAD' && { 'content-length': null } } });
    await assert.rejects(openHttp('sizeless'), code('bad-answer', 'size is not known'));
});

test('http: packed images', async () => {
    const packed = gzipSync(image);
    modes['disk.gz'] = (request, response) => serve(request, response, { bytes: packed });
    assert.deepEqual(await readAll(await openHttp('disk.gz')), image);
    await assert.rejects(openHttp('disk.gz', {}, { limits: { packed: 1000 } }), code('packed'));
    await assert.rejects(openHttp('disk.gz', {}, { limits: { unpack: 1000 } }), code('too-large'));
});

test('http: signals and closing end what is under way', async () => {
    modes.never = () => {};
    const abort = new AbortController();
    const opening = openHttp('never', {}, { signal: abort.signal, fetch: { ...quick, stall: 60000 } });
    setTimeout(() => abort.abort(), 50);
    await assert.rejects(opening, { name: 'AbortError' });
    await assert.rejects(openHttp('good', {}, { signal: abort.signal }), { name: 'AbortError' });
    let hang = false;
    modes.hang = (request, response) => hang || serve(request, response);
    const store = await openHttp('hang', {}, { fetch: { ...quick, stall: 60000 } });
    hang = true;
    const reading = reads(store);
    store.close();
    await assert.rejects(reading, code('closed'));
    // An overlay too, while a part of a block waits for the rest of it.
    hang = false;
    const over = await openHttp('hang', { readOnly: false }, { fetch: { ...quick, stall: 60000 } });
    hang = true;
    const writing = assert.rejects(over.write(1 << 20, new Uint8Array(512)), code('closed'));
    await over.close();
    await writing;
});

test('overlay files over what is fetched', async () => {
    const overlay = path.join(dir, 'changes');
    const store = await openStore({ source: `${base}good`, persist: overlay }, { fetch: quick });
    await store.write(1 << 20, new Uint8Array(512).fill(1));
    await store.flush();
    await store.close();
    const again = await openStore({ source: `${base}good`, persist: overlay, readOnly: true }, { fetch: quick });
    const wanted = image.slice();
    wanted.fill(1, 1 << 20, (1 << 20) + 512);
    assert.deepEqual(await readAll(again), wanted);
    await assert.rejects(run(() => again.write(0, new Uint8Array(512))), code('read-only'));
    await again.close();
});
