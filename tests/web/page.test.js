// SPDX-License-Identifier: MPL-2.0
// The page as it is given to people, with its Linux, in Debian's Chromium: from a plain static host at
// some path, and from rvkit-relay.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { dist, drop, launch, launchProfile, message, openPage, paste, prompt, shell, textOf, top, violations,
    waitText } from './browser.js';
import { serve } from './serve.js';

let server, browser;
const sum = (data) => createHash('sha256').update(data).digest('hex');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

before(async () => {
    server = await serve(dist);
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await server?.close();
});

/**
 * Runs fn with a page in a context of its own, with `profile` one whose storage is on disk; nothing may
 * have gone wrong in it but `expected`.
 */
async function withPage(query, fn, { expected = null, url = server.url, profile = false, ...more } = {}) {
    const options = { viewport: { width: 1000, height: 640 }, ...more };
    const context = profile ? await launchProfile(options) : await browser.newContext(options);
    try {
        const page = await openPage(context, url + query);
        await fn(page, context);
        const wrongs = page.wrongs.filter((text) => !expected?.test(text));
        assert.deepEqual(wrongs, []);
    } finally {
        await context.close();
    }
}

test('it boots to a prompt without a click; type and see', () => withPage('', async (page) => {
    await prompt(page);
    await page.keyboard.type('echo a-$((6 * 7))-b\n');
    await waitText(page, /^a-42-b$/m);
    assert.match((await shell(page, 'uname -m; id -u')).out, /^riscv32\n0$/);
    const outside = server.requests.filter((name) => name.startsWith('/'));
    assert.deepEqual(outside.filter((name) => name !== '/favicon.ico'), [], 'all addresses are relative');
}));

test('ten boots in a row', () => withPage('', async (page) => {
    for (let i = 0; i < 10; i++) {
        await prompt(page);
        await page.reload();
    }
    await prompt(page);
}));

test('stty size follows the window', () => withPage('', async (page) => {
    await prompt(page);
    const sizes = [];
    for (const [width, height] of [[1000, 640], [700, 500], [1200, 800]]) {
        await page.setViewportSize({ width, height });
        await sleep(400);
        const { out } = await shell(page, 'stty size');
        const { rows, cols } = await page.evaluate(() => {
            const [{ rows: r, cols: c }] = window.rvkit.terminals;
            return { rows: r, cols: c };
        });
        assert.equal(out, `${rows} ${cols}`);
        sizes.push(out);
    }
    assert.equal(new Set(sizes).size, 3, `${sizes}`);
}));

test('a paste of 1 MiB arrives as it is', () => withPage('', async (page) => {
    await prompt(page);
    const text = `${randomBytes(800000).toString('base64').match(/.{1,63}/g).join('\n')}\n`.slice(0, (1 << 20) - 1);
    const data = `${text}\n`;
    assert.equal(data.length, 1 << 20);
    await page.keyboard.type('stty -echo; echo rea""dy; head -c 1048576 | sha256sum; stty echo\n');
    await waitText(page, /^ready$/m);
    await paste(page, data);
    await waitText(page, sum(data), { timeout: 120000 });
}));

test('emoji and CJK survive, both ways and over the borders of chunks', () => withPage('', async (page) => {
    await prompt(page);
    const lines = Array.from({ length: 2000 }, (_, i) =>
        `${i}${'x'.repeat(i % 5)}漢字かな交じり한글🙂🚀é${'ü'.repeat(i % 3)}👩‍🚀語`);
    const data = `${lines.join('\n')}\n`;
    await page.keyboard.type(`stty -echo; echo rea""dy; head -c ${Buffer.byteLength(data)} >/tmp/u; sha256sum </tmp/u; stty echo\n`);
    await waitText(page, /^ready$/m);
    await paste(page, data);
    await waitText(page, sum(data), { timeout: 60000 });
    const { out } = await shell(page, 'cat /tmp/u');
    // The first line that differs says more than both texts.
    out.split('\n').forEach((line, i) => assert.equal(line, lines[i]));
    assert.equal(out.length, lines.join('\n').length);
}));

test('a file is dropped, changed in the guest, downloaded', () => withPage('', async (page) => {
    await prompt(page);
    const bytes = randomBytes(300000);
    await drop(page, [{ name: 'data.bin', bytes }]);
    await page.getByText('data.bin → /mnt/host').waitFor();
    assert.equal((await shell(page, 'sha256sum </mnt/host/data.bin')).out, `${sum(bytes)}  -`);
    await page.getByRole('button', { name: 'Files and disks' }).click();
    await shell(page, 'cd /mnt/host && { echo before; cat data.bin; echo after; } >changed.bin && cd');
    await page.getByRole('button', { name: 'Download changed.bin' }).waitFor(); // the list follows the guest
    const [download] = await Promise.all([page.waitForEvent('download'),
        page.getByRole('button', { name: 'Download changed.bin' }).click()]);
    const wanted = Buffer.concat([Buffer.from('before\n'), bytes, Buffer.from('after\n')]);
    assert.equal(sum(readFileSync(await download.path())), sum(wanted));
    await page.getByRole('button', { name: 'Delete data.bin' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.locator('.files li', { hasText: 'data.bin' }).waitFor({ state: 'detached' });
    assert.equal((await shell(page, 'ls /mnt/host')).out, 'changed.bin');
}));

/** The renderer dies at once, as by the hand of the system. */
async function kill(context, page) {
    const session = await context.newCDPSession(page);
    const crashed = page.waitForEvent('crash');
    session.send('Page.crash').catch(() => {});
    await crashed;
    await page.close();
}

test('what was synced to a persistent disk is there after the page was killed', () => withPage(
    '?persist=kept:16M', async (first, context) => {
        await prompt(first);
        const { out } = await shell(first, 'dd if=/dev/urandom of=/dev/vda bs=4096 count=512 conv=fsync 2>/dev/null; ' +
            'dd if=/dev/vda bs=4096 count=512 2>/dev/null | sha256sum');
        await kill(context, first);
        const page = await openPage(context, `${server.url}?persist=kept:16M`);
        await prompt(page);
        assert.equal((await shell(page, 'dd if=/dev/vda bs=4096 count=512 2>/dev/null | sha256sum')).out, out);
        await page.locator('#status .disk:not(:empty)').waitFor();
        const tops = await page.locator('#status span:not(:empty)').evaluateAll((all) =>
            all.map((one) => one.getBoundingClientRect().top));
        assert.ok(tops.every((top) => top === tops[0]), `in one line: ${tops}`);
        assert.deepEqual(page.wrongs, []);
        first.wrongs = [];
    }, { profile: true }));

test('a page that was left lets go of its persistent disk', () => withPage('?persist=left:8M', async (page) => {
    await prompt(page);
    await shell(page, 'echo kept-here | dd of=/dev/vda bs=512 conv=sync,fsync 2>/dev/null');
    await page.goto('about:blank');
    await page.goto(`${server.url}?persist=left:8M`);
    await prompt(page);
    assert.equal((await shell(page, 'head -c 9 /dev/vda; echo')).out, 'kept-here');
    await page.goto('about:blank');
    await page.goBack();
    await prompt(page);
    assert.equal((await shell(page, 'head -c 9 /dev/vda; echo')).out, 'kept-here');
}, { profile: true }));

test('a second tab does not get a persistent disk that is in use', () => withPage('?persist=one:8M', async (page, context) => {
    await prompt(page);
    const other = await openPage(context, `${server.url}?persist=one:8M`);
    assert.match(await message(other), /in use/);
    await shell(page, 'echo still here');
}));

test('a full browser is told; nothing of before is lost', () => withPage('?persist=full:64M', async (page, context) => {
    await prompt(page);
    const { out } = await shell(page, 'dd if=/dev/urandom of=/dev/vda bs=4096 count=100 conv=fsync 2>/dev/null; ' +
        'dd if=/dev/vda bs=4096 count=100 2>/dev/null | sha256sum');
    const session = await context.newCDPSession(page);
    const { origin } = new URL(server.url);
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 20 << 20 });
    const wrote = await shell(page, 'dd if=/dev/urandom of=/dev/vda bs=65536 seek=100 count=800 conv=fsync');
    assert.notEqual(wrote.status, 0, wrote.out);
    assert.match(await message(page), /no more room/);
    assert.equal((await shell(page, 'dd if=/dev/vda bs=4096 count=100 2>/dev/null | sha256sum')).out, out);
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    await page.reload();
    await prompt(page);
    assert.equal((await shell(page, 'dd if=/dev/vda bs=4096 count=100 2>/dev/null | sha256sum')).out, out);
}, { expected: /room|quota/i, profile: true }));

test('a disk is exported, whole and its changes, and the changes come back', () => withPage('?persist=moved:8M', async (page) => {
    await page.addInitScript(() => { delete window.showSaveFilePicker; });
    await page.reload();
    await prompt(page);
    const { out } = await shell(page, 'dd if=/dev/urandom of=/dev/vda bs=4096 seek=9 count=99 conv=fsync 2>/dev/null; sha256sum </dev/vda');
    await page.getByRole('button', { name: 'Files and disks' }).click();
    const save = async (name) => (await Promise.all([page.waitForEvent('download'),
        page.getByRole('button', { name, exact: true }).click()]))[0].path();
    assert.equal(`${sum(readFileSync(await save('Export')))}  -`, out);
    const changes = readFileSync(await save('Export changes'));
    assert.ok(changes.length < 2 << 20, `only what was changed: ${changes.length} bytes`);
    await shell(page, 'dd if=/dev/zero of=/dev/vda bs=4096 count=200 conv=fsync 2>/dev/null');
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'),
        page.getByRole('button', { name: 'Import changes' }).click()]);
    await chooser.setFiles({ name: 'moved.rvkit', mimeType: 'application/octet-stream', buffer: changes });
    await page.getByRole('button', { name: 'Replace' }).click();
    await page.getByText('The disk was imported.').waitFor();
    await prompt(page);
    assert.equal((await shell(page, 'sha256sum </dev/vda')).out, out);
}, { profile: true }));

test('programs get at the clipboard when they may, and name their tab', () => withPage('', async (page, context) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await prompt(page);
    const text = Buffer.from('from the guest: é漢').toString('base64');
    await page.keyboard.type(`printf '\\033]0;a title\\a\\033]52;c;${text}\\a'\n`);
    await page.getByText('wants to put text into your clipboard').waitFor();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForFunction(async () => await navigator.clipboard.readText() === 'from the guest: é漢');
    assert.match(await page.getByRole('tab', { name: 'hvc0' }).getAttribute('title'), /a title/);
    // A program that asks is refused: it gets an empty answer.
    await page.keyboard.type("stty -icanon -echo; printf '\\033]52;c;?\\a'; head -c 9 | od -An -tx1; stty sane\n");
    await page.getByText('wants to read your clipboard').waitFor();
    await page.getByRole('button', { name: 'Refuse' }).click();
    await waitText(page, /^ 1b 5d 35 32 3b 63 3b 1b 5c$/m);
}));

// --- Network ---

/** rvkit-relay on its own; {url, port, kill()}. */
async function relay(...options) {
    const child = spawn(`${top}build/rvkit-relay`, ['-serve', dist, '-loopback', ...options],
        { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const line = new Promise((resolve, reject) => {
        const read = (data) => {
            said += data;
            const found = /http:\/\/127\.0\.0\.1:(\d+)\/#token=(\S+)/.exec(said);
            if (found) {
                resolve({ url: found[0], port: Number(found[1]), token: found[2] });
            }
        };
        child.stdout.on('data', read);
        child.stderr.on('data', read);
        child.on('error', reject);
        child.on('exit', () => reject(new Error(`rvkit-relay ended: ${said}`)));
    });
    return {
        ...await line,
        kill: async () => {
            if (child.exitCode === null && child.signalCode === null) {
                child.kill('SIGKILL');
                await once(child, 'exit');
            }
        },
    };
}

/** A server on this computer's loopback. */
async function webServer(answer) {
    const web = createServer(answer);
    await new Promise((resolve) => web.listen(0, '127.0.0.1', resolve));
    return { port: web.address().port, close: () => {
        web.closeAllConnections();
        web.close();
    } };
}

const address = (page) => waitFor(page, 'ip -4 addr show dev eth0', /inet 10\.0\.2\./);

async function waitFor(page, command, what) {
    for (let i = 0; i < 20; i++) {
        const { out } = await shell(page, command);
        if (what.test(out)) {
            return out;
        }
        await sleep(500);
    }
    throw new Error(`${command} never said ${what}`);
}

test('HTTP through the relay, whose token is out of sight', async () => {
    const net = await relay('-listen', '127.0.0.1:0');
    const data = randomBytes(500000);
    const web = await webServer((request, response) => response.end(data));
    try {
        await withPage('', async (page) => {
            await prompt(page);
            assert.equal(page.url(), `http://127.0.0.1:${net.port}/`);
            await address(page);
            const { out } = await shell(page, `wget -qO- http://10.0.2.2:${web.port}/ | sha256sum`);
            assert.equal(out, `${sum(data)}  -`);
            assert.match(await page.locator('#status').innerText(), /relay: connected/);
            await page.reload(); // the token is kept for this tab
            await prompt(page);
            await address(page);
        }, { url: net.url });
    } finally {
        web.close();
        await net.kill();
    }
});

test('the relay breaks off in a transfer: told, tried again, and then it goes on', async () => {
    let net = await relay('-listen', '127.0.0.1:0');
    const web = await webServer((request, response) => {
        if (request.url === '/small') {
            response.end('small\n');
            return;
        }
        response.writeHead(200, { 'content-length': 1 << 30 });
        const timer = setInterval(() => response.write(Buffer.alloc(20000)), 20);
        response.on('close', () => clearInterval(timer));
    });
    try {
        await withPage('', async (page) => {
            await prompt(page);
            await address(page);
            await shell(page, `wget -qO /dev/null http://10.0.2.2:${web.port}/large & sleep 1`);
            const { port, token } = net;
            await net.kill();
            assert.match(await message(page), /relay is not reachable/);
            assert.equal((await shell(page, 'echo alive')).out, 'alive');
            net = await relay('-listen', `127.0.0.1:${port}`, '-token', token);
            await page.locator('#message .card').waitFor({ state: 'detached', timeout: 60000 });
            await shell(page, 'kill %1 2>/dev/null; true');
            await waitFor(page, `wget -T 5 -qO- http://10.0.2.2:${web.port}/small`, /small/);
        }, { url: net.url, expected: /WebSocket connection|ERR_CONNECTION_REFUSED/ });
    } finally {
        web.close();
        await net.kill();
    }
});

test('two tabs ping each other', () => withPage('?net=lan&lan=test', async (one, context) => {
    const two = await openPage(context, `${server.url}?net=lan&lan=test`);
    await prompt(one);
    await prompt(two);
    await shell(one, 'ip addr add 10.9.0.1/24 dev eth0; ip link set eth0 up');
    await shell(two, 'ip addr add 10.9.0.2/24 dev eth0; ip link set eth0 up');
    assert.match((await shell(one, 'ping -c 3 10.9.0.2')).out, /3 packets received/);
    assert.match((await shell(two, 'ping -c 3 10.9.0.1')).out, /3 packets received/);
}));

// --- The screen ---

/** A picture's pixels, decoded by the browser: the mean colour of a region, in parts of the whole. */
function regionOf(page, png, [x, y, width, height]) {
    return page.evaluate(async ([data, rx, ry, rw, rh]) => {
        const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
        const context = canvas.getContext('2d');
        context.drawImage(bitmap, 0, 0);
        const { data: pixels } = context.getImageData(rx * bitmap.width, ry * bitmap.height,
            rw * bitmap.width, rh * bitmap.height);
        const mean = [0, 0, 0];
        for (let i = 0; i < pixels.length; i++) {
            if (i % 4 < 3) {
                mean[i % 4] += pixels[i] / (pixels.length / 4);
            }
        }
        return mean.map(Math.round);
    }, [png.toString('base64'), x, y, width, height]);
}

test('the canvas shows the guest’s console, and its keyboard types there', () => withPage('?display=1024x768', async (page) => {
    await prompt(page);
    // The first 12 of 48 lines red, the next green, the next blue, the rest black.
    const stripes = [41, 42, 44].map((colour) => `\\033[${colour}m${'\\033[K\\n'.repeat(12)}`).join('');
    await shell(page, `sleep 1; printf '\\033[2J\\033[H${stripes}\\033[0m' >/dev/tty1; sleep 1`);
    await page.keyboard.press('Control+Alt+3');
    await sleep(1000);
    const canvas = page.locator('.stage canvas').first();
    const box = await canvas.boundingBox();
    assert.ok(Math.abs(box.width / box.height - 1024 / 768) < 0.02, 'its shape is the guest’s');
    const png = await page.screenshot({ clip: { x: box.x + 2, y: box.y + 2, width: box.width - 4, height: box.height - 4 } });
    for (const [from, [red, green, blue]] of [[0.02, [170, 0, 0]], [0.27, [0, 170, 0]], [0.52, [0, 0, 170]], [0.85, [0, 0, 0]]]) {
        const seen = await regionOf(page, png, [0.3, from, 0.6, 0.12]);
        const near = [red, green, blue].every((wanted, i) => Math.abs(seen[i] - wanted) <= 12);
        assert.ok(near, `at ${from}: ${seen}, not ${[red, green, blue]}`);
    }
    await canvas.click();
    await page.keyboard.type('\ncp /etc/hostname /tmp/typed; seq 3 ', { delay: 15 });
    await page.keyboard.press('Shift+Period');
    await page.keyboard.type('/tmp/typed\n', { delay: 15 });
    await page.keyboard.press('Control+Alt+1');
    await waitFor(page, 'cat /tmp/typed', /^1\n2\n3$/);
}));

test('the guest’s screen takes the window’s size when it is asked to', () => withPage('?display=1&tab=3', async (page) => {
    await prompt(page);
    await page.getByRole('button', { name: /Ask the guest/ }).click();
    const { width, height } = await page.evaluate(() => {
        const { clientWidth, clientHeight } = document.querySelector('.stage');
        return { width: clientWidth & ~7, height: clientHeight & ~7 };
    });
    await page.keyboard.press('Control+Alt+1');
    await waitFor(page, 'cat /sys/class/drm/card0-Virtual-1/modes | head -1', new RegExp(`^${width}x${height}$`));
}));

test('a phone boots, types, and has Ctrl-C', () => withPage('', async (page) => {
    await prompt(page);
    await page.locator('.view.shown .host').tap();
    await page.keyboard.type('sleep 1000\n');
    await waitText(page, /sleep 1000$/m);
    const key = (name) => page.locator('#keys').getByRole('button', { name, exact: true });
    await key('Ctrl').tap();
    await page.keyboard.type('c');
    await waitText(page, '^C');
    const [rows, cols] = (await shell(page, 'stty size')).out.split(' ').map(Number);
    assert.ok(cols >= 40 && rows >= 30, `${rows} ${cols}`);
    await key('Up').tap();
    await waitText(page, /stty size[^]*stty size/);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
}, phone));

test('no violation of accessibility that axe-core knows', () => withPage('?reader=1', async (page) => {
    await prompt(page);
    assert.deepEqual(await violations(page), []);
}));

// --- Offline ---

test('it works without a network after the first visit, and tells of a new version', async () => {
    const host = await serve(dist);
    await withPage('', async (page, context) => {
        await prompt(page);
        await page.evaluate(async () => {
            await navigator.serviceWorker.ready;
            while (!await caches.match(new URL('guest/Image.gz', location.href).href)) {
                await new Promise((resolve) => setTimeout(resolve, 100));
            }
        });
        await host.close();
        await page.reload();
        await prompt(page);
        assert.equal((await shell(page, 'echo off""line')).out, 'offline');
        const again = await serve(dist, { port: host.port, instead: {
            'sw.js': Buffer.from(readFileSync(`${dist}/sw.js`, 'utf8').replace(/version = '/, 'version = \'x')),
        } });
        await page.reload();
        await prompt(page);
        await page.getByText('A new version of this page is there.').waitFor();
        const other = await openPage(context, host.url); // what it still loads would not fit what it has
        await prompt(other);
        await page.bringToFront();
        await page.getByRole('button', { name: 'Reload' }).click();
        await other.getByText('Another tab has taken a new version of this page.').waitFor();
        await other.close();
        await page.waitForFunction(async () => (await caches.keys()).some((name) => name.includes('shell x')));
        await prompt(page);
        await again.close();
    }, { url: host.url, expected: /ERR_CONNECTION_REFUSED|Failed to fetch|fetching the script/ });
});

// --- What goes wrong ---

/** A page whose kernel is given by `answer`. */
async function withKernel(answer, fn) {
    const host = await serve(dist, { instead: { 'guest/Image.gz': answer } });
    try {
        await withPage('', (page) => fn(page, host), { url: host.url, expected: /./ });
    } finally {
        await host.close();
    }
}

const image = () => readFileSync(`${dist}/guest/Image.gz`);

for (const [what, answer, words] of [
    ['is not there', (request, response) => response.writeHead(404).end(), /could not be loaded[^]*404[^]*http:.*Image.gz/],
    ['is cut off', (request, response) => {
        response.writeHead(200, { 'content-length': image().length });
        response.write(image().subarray(0, 1000000));
        setTimeout(() => response.destroy(), 300);
    }, /ended too early|could not be loaded/],
    ['is half of a gzip file', () => image().subarray(0, image().length / 2), /ended too early|damaged/],
    ['is no kernel', () => randomBytes(200000), /shows nothing[^]*neither a RISC-V kernel Image|cannot load/],
    ['is a web page', () => Buffer.from('\n<!DOCTYPE html><html><body>Not found</body></html>'), /cannot load[^]*web page/],
    ['is a program of another machine', () => readFileSync(process.execPath).subarray(0, 3000000), /cannot load/],
]) {
    test(`a kernel that ${what}: a message, and another try`, () => withKernel(
        answer.length === 0 ? answer() : answer, async (page, host) => {
            assert.match(await message(page), words);
            assert.equal(await page.locator('#progress').isVisible(), false);
            delete host.instead['guest/Image.gz'];
            await page.getByRole('button', { name: /Try again|Restart/ }).click();
            await prompt(page);
        }));
}

test('the worker fails: a message, and a restart with the disk as it was', () => withPage('?persist=w:8M', async (page) => {
    await prompt(page);
    const read = 'head -c 100 /dev/vda | sha256sum';
    const { out } = await shell(page, `dd if=/dev/urandom of=/dev/vda bs=4096 count=1 conv=fsync 2>/dev/null; ${read}`);
    await page.workers()[0].evaluate(() => { setTimeout(() => { throw new Error('it fell over'); }); });
    assert.match(await message(page), /The machine has stopped[^]*it fell over/);
    await page.getByRole('button', { name: 'Restart' }).click();
    await prompt(page);
    assert.equal((await shell(page, read)).out, out);
}, { expected: /it fell over/, profile: true }));

test('the worker goes without a word: noticed, and a restart', () => withPage('', async (page) => {
    await prompt(page);
    await page.workers()[0].evaluate(() => self.close());
    assert.match(await message(page, 5000), /ended without a word/);
    await page.getByRole('button', { name: 'Restart' }).click();
    await prompt(page);
}, { expected: /worker/ }));

test('the worker is stuck: noticed, and a restart', () => withPage('', async (page) => {
    await prompt(page);
    page.workers()[0].evaluate(() => {
        for (;;);
    }).catch(() => {});
    assert.match(await message(page, 60000), /has not answered for 20 s/);
    await page.getByRole('button', { name: 'Restart' }).click();
    await prompt(page);
}, { expected: /worker/ }));

test('power off, and on again', () => withPage('', async (page) => {
    await prompt(page);
    await page.keyboard.type('poweroff -f\n');
    assert.match(await message(page), /The machine is off/);
    await page.getByRole('button', { name: 'Start again' }).click();
    await waitText(page, /Power down[^]*# $|rvkit:~#\s*$/);
    await shell(page, 'true');
    assert.ok(await textOf(page));
}));

test('its process is stopped for a while under a busy guest: the guest’s time is right again', () => withPage('',
    async (page) => {
        await prompt(page);
        await shell(page, '(while :; do :; done) & true');
        const session = await browser.newBrowserCDPSession();
        const { processInfo } = await session.send('SystemInfo.getProcessInfo');
        const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
        const late = async () => {
            const begun = Date.now();
            const date = Number((await shell(page, 'date +%s')).out);
            return { least: begun / 1000 - date - 1, most: Date.now() / 1000 - date };
        };
        const before = await late();
        renderers.forEach((id) => process.kill(id, 'SIGSTOP'));
        await sleep(4000);
        renderers.forEach((id) => process.kill(id, 'SIGCONT'));
        let after;
        do {
            after = await late();
        } while (after.least > before.most);
        assert.ok(after.most >= before.least, 'its time is ahead');
        assert.equal((await shell(page, "dmesg | grep -iE 'rcu.*(stall|self-det)|lockup|backwards'")).out, '');
    }));
