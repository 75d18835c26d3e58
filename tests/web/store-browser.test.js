// SPDX-License-Identifier: MPL-2.0
// The stores in real browsers: overlays in OPFS and IndexedDB that are killed, full, locked; ranges of other
// origins. STORE_SEED, STORE_KILLS (rounds for each way to kill), CHROMIUM and FIREFOX (programs).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CrashModel, changes, makeRandom, sectorsBytes } from './store-help.js';

const { chromium } = createRequire(new URL('../../web/package.json', import.meta.url))('playwright-core');

const seed = Number(process.env.STORE_SEED ?? Date.now() % 1e9);
const kills = Number(process.env.STORE_KILLS ?? 1);
const root = fileURLToPath(new URL('../..', import.meta.url));
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'rvkit-store-browser-'));
const program = process.env.CHROMIUM ?? '/usr/bin/chromium';
const firefox = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
const SECTORS = 8 * 2100 + 5;

console.log(`# seed ${seed}`);

// --- The server ---

const tabs = new Map();     // number → Tab
const calls = new Map();    // id → resolve
const bodies = new Map();   // name → Buffer
let base, port, foreign, onAcknowledge = () => {};
const image = sectorsBytes(0, 6000, 0);

class Tab {
    static #count = 0;
    #queue = [];
    #poll;

    constructor() {
        this.number = ++Tab.#count;
        this.url = `${base}page?tab=${this.number}`;
        tabs.set(String(this.number), this);
    }

    poll(response) {
        this.#poll = response;
        this.#next();
    }

    #next() {
        if (this.#poll && this.#queue.length) {
            this.#poll.end(JSON.stringify(this.#queue.shift()));
            this.#poll = null;
        }
    }

    /** Where: the name of a worker, "page", or "manage". */
    async call(where, operation, ...args) {
        const id = `${Math.random()}`;
        const answered = new Promise((resolve, reject) => {
            calls.set(id, resolve);
            setTimeout(reject, 60000, new Error(`no answer of tab ${this.number} to ${operation}, ` +
                `${this.#queue.length ? 'not' : ''} taken`)).unref();
        });
        this.#queue.push({ id, where, operation, args });
        this.#next();
        const { result, error } = await answered;
        if (error) {
            throw Object.assign(new Error(error.message), error);
        }
        return result;
    }
}

async function readBody(request) {
    const chunks = [];
    for await (const chunk of request) {
        chunks.push(chunk);
    }
    return Buffer.concat(chunks);
}

const types = { '.js': 'text/javascript', '.html': 'text/html' };

async function answer(request, response) {
    const url = new URL(request.url, base);
    const number = url.searchParams.get('tab');
    switch (url.pathname) {
    case '/page':
        response.setHeader('content-type', 'text/html');
        response.end('<!doctype html><title>stores</title><script type="module" src="/tests/web/store-page.js"></script>');
        return;
    case '/poll':
        tabs.get(number)?.poll(response);
        return;
    case '/answer':
        calls.get(url.searchParams.get('id'))?.(JSON.parse(await readBody(request)));
        response.end();
        return;
    case '/ack':
        onAcknowledge(Number(url.searchParams.get('step')));
        response.end();
        return;
    case '/body':
        if (request.method === 'POST') {
            bodies.set(url.searchParams.get('name'), await readBody(request));
        }
        response.end(request.method === 'POST' ? '' : bodies.get(url.searchParams.get('name')));
        return;
    }
    const name = path.join(root, path.normalize(url.pathname));
    if (!/^\/(web\/src|tests\/web)\//.test(path.normalize(url.pathname)) || !fs.existsSync(name)) {
        response.writeHead(404).end();
        return;
    }
    response.setHeader('content-type', types[path.extname(name)] ?? 'application/octet-stream');
    response.end(fs.readFileSync(name));
}

/** Another origin, which lets pages see no header but those that all may see. */
function answerForeign(request, response) {
    if (request.method === 'OPTIONS' || request.url === '/closed') {
        response.writeHead(403).end();
        return;
    }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const end = from === undefined ? image.length : Math.min(Number(to) + 1, image.length);
    const part = image.subarray(Number(from ?? 0), end);
    response.writeHead(from === undefined ? 200 : 206, {
        'access-control-allow-origin': '*', 'content-length': part.length, etag: '"1"',
        ...from !== undefined && { 'content-range': `bytes ${from}-${end - 1}/${image.length}` },
    });
    response.end(request.method === 'HEAD' ? undefined : part);
}

const servers = [answer, answerForeign].map((handler) => http.createServer((request, response) =>
    Promise.resolve(handler(request, response)).catch((error) => {
        console.error('# server', error);
        response.destroy();
    })));

before(async () => {
    for (const server of servers) {
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    [port, foreign] = servers.map((server) => server.address().port);
    base = `http://127.0.0.1:${port}/`;
});
after(async () => {
    await closeBrowser();
    servers.forEach((server) => {
        server.closeAllConnections();
        server.close();
    });
    fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
});

// --- Browsers ---

let context;
const profile = () => path.join(dir, 'chromium');

async function openBrowser() {
    context ??= await chromium.launchPersistentContext(profile(), {
        executablePath: program, headless: true, viewport: null,
        args: ['--no-sandbox', `--host-resolver-rules=MAP store.test 127.0.0.1`],
    });
    return context;
}

async function closeBrowser() {
    await context?.close().catch(() => {});
    context = undefined;
}

/** A tab that is driven: { tab, page }. */
async function openTab(host = '127.0.0.1') {
    const page = await (await openBrowser()).newPage();
    page.on('console', (message) => message.type() === 'error' && !/404|403|CORS|ERR_/.test(message.text()) &&
        console.log(`# page: ${message.text()}`));
    const tab = new Tab();
    await page.goto(tab.url.replace('127.0.0.1', host));
    return { tab, page };
}

/** The main process of the browser with this profile. */
function browserPids(folder) {
    return fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
        try {
            return fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(folder);
        } catch {
            return false;
        }
    }).map(Number);
}

const gone = async (folder) => {
    for (let i = 0; browserPids(folder).length && i < 200; i++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
};

const ways = {
    /** The page ends its worker. */
    async terminate({ tab }) {
        await tab.call('one', 'terminate');
        return { tab };
    },
    /** The page's process crashes. */
    async crash({ page }) {
        const session = await page.context().newCDPSession(page);
        const crashed = page.waitForEvent('crash');
        session.send('Page.crash').catch(() => {});
        await crashed;
        await page.close();
        return openTab();
    },
    /** The whole browser is killed. */
    async kill() {
        browserPids(profile()).forEach((pid) => {
            try {
                process.kill(pid, 'SIGKILL');
            } catch { // it went with another
            }
        });
        await gone(profile());
        await closeBrowser();
        for (const name of ['SingletonLock', 'SingletonSocket', 'SingletonCookie']) {
            fs.rmSync(path.join(profile(), name), { force: true });
        }
        return openTab();
    },
};

/** Lets a worker run and kills it; then the disk holds all that was flushed. */
async function killRounds(model, name, storage, random, begin, kill) {
    let now = await begin();
    let flushes = 0;
    const options = { sectors: SECTORS, persist: name };
    for (let round = 0; round < kills; round++) {
        await now.tab.call('one', 'open', options, { storage });
        const wanted = 1 + random(30), runSeed = random(1e9);
        let last = 0;
        await new Promise((resolve, reject) => {
            onAcknowledge = (step) => {
                last = step;
                ++flushes;
                --left || setTimeout(resolve, random(25));
            };
            let left = wanted;
            now.tab.call('one', 'run', runSeed, SECTORS, model.generation, '/ack?step=').catch(reject);
        });
        now = await kill(now);
        await now.tab.call('one', 'open', options, { storage });
        await now.tab.call('one', 'dump', '/body?name=dump');
        await now.tab.call('one', 'close');
        replay(model, runSeed, last);
        assert.equal(model.check(new Uint8Array(bodies.get('dump'))), undefined,
            `seed ${seed}, round ${round}, flush at step ${last}`);
    }
    return flushes;
}

/** What a run of this seed did up to the last flush that was told, and may have done after it. */
function replay(model, runSeed, last) {
    let step = 0;
    const begun = model.generation;
    for (const { flush, first, count, generation } of changes(runSeed, SECTORS, begun)) {
        if (++step > last + 5000) {
            break;
        }
        if (flush) {
            step <= last && model.flushed();
        } else if (generation === 'zeros') {
            model.beginDiscard(first, count);
        } else {
            model.begin(first, count, generation);
            model.generation = generation;
        }
    }
}

for (const storage of ['opfs', 'indexeddb']) {
    const model = new CrashModel(SECTORS);
    for (const [way, kill] of Object.entries(ways)) {
        test(`${storage}: ${way}: what was flushed is there`, async (t) => {
            const random = makeRandom(seed + way.length);
            const flushes = await killRounds(model, `disk-${storage}`, storage, random, openTab, kill);
            t.diagnostic(`${kills} kills, ${flushes} flushes`);
        });
    }

    test(`${storage}: one opener at a time`, async () => {
        const one = await openTab(), two = await openTab();
        const options = { sectors: SECTORS, persist: `lock-${storage}` };
        await one.tab.call('one', 'open', options, { storage });
        await assert.rejects(two.tab.call('one', 'open', options, { storage }), { code: 'busy' });
        await assert.rejects(two.tab.call('manage', 'deleteOverlay', options.persist), { code: 'busy' });
        await one.tab.call('one', 'write', 8, 8, 5);
        await one.tab.call('one', 'flush');
        await one.page.close(); // without a word
        assert.equal((await two.tab.call('one', 'open', options, { storage })).blocks, 1);
        await two.tab.call('one', 'close');
        await assert.rejects(two.tab.call('one', 'open', { ...options, generation: 1 }, { storage }),
            { code: 'base-changed' });
        assert.equal(await two.tab.call('manage', 'deleteOverlay', options.persist), true);
        assert.equal(await two.tab.call('manage', 'deleteOverlay', options.persist), false);
        assert.equal((await two.tab.call('one', 'open', options, { storage })).blocks, 0);
        await two.page.close();
    });

    test(`${storage}: no room`, async () => {
        const { tab, page } = await openTab();
        const options = { source: 'blank:512M', persist: `full-${storage}` };
        await tab.call('one', 'open', options, { storage });
        await tab.call('one', 'write', 0, 256, 1);
        await tab.call('one', 'flush');
        const session = await page.context().newCDPSession(page);
        const origin = base.slice(0, -1);
        const { usage } = await session.send('Storage.getUsageAndQuota', { origin });
        await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: Math.ceil(usage) + (8 << 20) });
        await assert.rejects(tab.call('one', 'fill', 8192, 2), { code: 'quota' });
        assert.deepEqual(await tab.call('one', 'told'), ['quota']);
        await assert.rejects(tab.call('one', 'fill', 8192 * 10, 2), { code: 'quota' });
        assert.deepEqual(await tab.call('one', 'told'), ['quota'], 'told once');
        await tab.call('one', 'terminate');
        await session.send('Storage.overrideQuotaForOrigin', { origin });
        const { blocks } = await tab.call('one', 'open', options, { storage });
        assert.ok(blocks >= 32);
        await tab.call('one', 'write', 8192 * 20, 8, 3);
        await tab.call('one', 'flush');
        await tab.call('one', 'exportOverlay', '/body?name=full', { gzip: true });
        await tab.call('one', 'close');
        await tab.call('manage', 'deleteOverlay', options.persist);
        await page.close();
    });

    test(`${storage}: export and import`, async () => {
        const { tab, page } = await openTab();
        const options = { sectors: SECTORS, persist: `from-${storage}` };
        await tab.call('one', 'open', options, { storage });
        assert.equal(await tab.call('one', 'exportOverlay', '/body?name=none'), null);
        for (let i = 0; i < 50; i++) {
            await tab.call('one', 'write', i * 333, 7, i + 1);
        }
        await tab.call('one', 'flush');
        await tab.call('one', 'dump', '/body?name=wanted');
        await tab.call('one', 'exportOverlay', '/body?name=live');
        await tab.call('one', 'close');
        await tab.call('manage', 'exportOverlay', options.persist, { gzip: true }, '/body?name=packed');
        for (const name of ['live', 'packed']) {
            const target = { ...options, persist: `to-${storage}` };
            await tab.call('manage', 'importOverlay', target.persist, { fetch: `/body?name=${name}` });
            await assert.rejects(tab.call('manage', 'importOverlay', target.persist,
                { fetch: `/body?name=${name}` }, { replace: false }), { code: 'exists' });
            await tab.call('one', 'open', target);
            await tab.call('one', 'dump', '/body?name=got');
            await tab.call('one', 'close');
            assert.ok(bodies.get('got').equals(bodies.get('wanted')), name);
            await assert.rejects(tab.call('manage', 'importOverlay', target.persist,
                { fetch: '/body?name=wanted' }), { code: 'not-overlay' });
            assert.ok((await tab.call('one', 'open', target)).blocks > 0, 'a wrong file replaces nothing');
            await tab.call('one', 'close');
        }
        const list = await tab.call('manage', 'listOverlays');
        const found = list.find(({ name }) => name === options.persist);
        assert.equal(found.place, storage);
        assert.ok(found.stored > 50 * 4096 && found.stored < 2 << 20, `${found.stored}`);
        assert.equal(await tab.call('manage', 'exportOverlay', 'no such', {}, '/body?name=none'), null);
        await tab.call('manage', 'deleteOverlay', options.persist);
        await page.close();
    });
}

test('IndexedDB: who lost a disk stores nothing more', async () => {
    const { tab, page } = await openTab();
    const options = { sectors: SECTORS, persist: 'lost' };
    await tab.call('one', 'open', options, { storage: 'indexeddb' });
    await tab.call('one', 'write', 0, 8, 1);
    await tab.call('one', 'flush');
    await tab.call('page', 'deleteBehindItsBack', 'lost');
    await tab.call('one', 'write', 8, 8, 1);
    await assert.rejects(tab.call('one', 'flush'), { code: 'lost' });
    await page.close();
});

test('outside of workers, and on pages without https: IndexedDB', async () => {
    const { tab, page } = await openTab();
    const options = { sectors: SECTORS, persist: 'in-page' };
    await tab.call('page', 'open', options);
    await tab.call('page', 'write', 8, 8, 1);
    await tab.call('page', 'flush');
    await tab.call('page', 'close');
    const list = await tab.call('manage', 'listOverlays');
    assert.equal(list.find(({ name }) => name === 'in-page').place, 'indexeddb');
    assert.equal((await tab.call('one', 'open', options)).blocks, 1, 'the worker finds it there');
    await page.close();

    const one = await openTab('store.test'), two = await openTab('store.test');
    assert.deepEqual(await one.tab.call('one', 'about'), { secure: false, locks: false, opfs: false });
    await one.tab.call('one', 'open', options);
    await one.tab.call('one', 'write', 8, 8, 1);
    await one.tab.call('one', 'flush');
    await assert.rejects(two.tab.call('one', 'open', options), { code: 'busy' });
    await one.page.close();
    assert.equal((await two.tab.call('one', 'open', options)).blocks, 1);
    await two.page.close();
});

test('images of other origins', async () => {
    const { tab, page } = await openTab();
    const url = `http://127.0.0.1:${foreign}/`;
    await tab.call('one', 'open', { source: `${url}disk.img`, persist: 'foreign' });
    await tab.call('one', 'dump', '/body?name=foreign');
    assert.ok(bodies.get('foreign').equals(image));
    await assert.rejects(tab.call('two', 'open', { source: `${url}closed` }), /CORS/);
    await assert.rejects(tab.call('two', 'open', { source: '/missing' }), { code: 'http' });
    await page.close();
});

test('firefox: OPFS; killed', { skip: !fs.existsSync(firefox) }, async (t) => {
    const folder = path.join(dir, 'firefox');
    fs.mkdirSync(folder);
    const start = async () => {
        const tab = new Tab();
        spawn(firefox, ['--headless', '--no-remote', '--profile', folder, tab.url], { stdio: 'ignore' });
        assert.equal((await tab.call('one', 'about')).opfs, true);
        return { tab };
    };
    const stop = async () => {
        browserPids(folder).forEach((pid) => {
            try {
                process.kill(pid, 'SIGKILL');
            } catch { // it went with another
            }
        });
        await gone(folder);
    };
    try {
        for (const storage of ['opfs', 'indexeddb']) {
            const flushes = await killRounds(new CrashModel(SECTORS), `disk-${storage}`, storage, makeRandom(seed),
                start, async () => (await stop(), start()));
            t.diagnostic(`${storage}: ${kills} kills, ${flushes} flushes`);
            await stop();
        }
    } finally {
        await stop();
    }
});
