// SPDX-License-Identifier: MPL-2.0
// The examples for pages, in Chromium: each boots to a prompt that can be typed at.
import assert from 'node:assert/strict';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { guest, root, timeout } from './guest.js';

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css',
    '.wasm': 'application/wasm' };

/** web/ as any server of files has it, with the guest beside the examples. */
function answer(request, response) {
    const { pathname } = new URL(request.url, 'http://host');
    const path = { '/examples/Image': guest.kernel, '/examples/initramfs.cpio': guest.initrd }[pathname] ??
        join(root, 'web', pathname);
    if (pathname.includes('..') || !existsSync(path) || !statSync(path).isFile()) {
        response.writeHead(404).end();
        return;
    }
    response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream',
        'content-length': statSync(path).size });
    createReadStream(path).pipe(response);
}

describe('examples in Chromium', { concurrency: 1, skip: !chromium && 'there is no Chromium' }, () => {
    let server;
    let browser;
    let base;

    before(async () => {
        const { chromium: engine } = await import('../../web/node_modules/playwright-core/index.mjs');
        server = createServer(answer);
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        base = `http://127.0.0.1:${server.address().port}/examples`;
        browser = await engine.launch({ executablePath: chromium, args: ['--no-sandbox'] });
    });

    after(async () => {
        await browser?.close();
        server?.closeAllConnections();
        server?.close();
    });

    /** The page's terminal shows what this matches; the rows of xterm.js are also in shadow roots. */
    async function shows(page, pattern) {
        await page.waitForFunction((source) => {
            const element = document.querySelector('rvkit-machine');
            const rows = (element?.shadowRoot ?? document).querySelector('.xterm-rows');
            return new RegExp(source).test(rows?.textContent.replaceAll('\u00a0', ' ') ?? '');
        }, pattern.source, { timeout });
    }

    for (const name of ['page.html', 'element.html']) {
        it(`${name} boots to a prompt`, async () => {
            const page = await browser.newPage();
            const errors = [];
            page.on('pageerror', (error) => errors.push(error.message));
            await page.goto(`${base}/${name}`);
            await shows(page, /~# /);
            await page.locator('.xterm-helper-textarea').focus();
            await page.keyboard.type('echo $((6*7)) 🐧 日本\n');
            await shows(page, /42 /);
            assert.deepEqual(errors, []);
            await page.close();
        });
    }

    it('the element says what is wrong, and starts again', async () => {
        const page = await browser.newPage();
        await page.goto(`${base}/element.html`);
        await shows(page, /~# /);
        const seen = await page.evaluate(async () => {
            const element = document.querySelector('rvkit-machine');
            const message = () => element.shadowRoot.querySelector('.message').textContent;
            await element.stop();
            element.setAttribute('kernel', 'nothing');
            const error = await element.start().catch((reason) => reason.code);
            const said = message();
            await element.stop();
            element.setAttribute('kernel', 'Image');
            await element.start();
            return [error, said, element.machine.state, message()];
        });
        assert.deepEqual(seen, ['http', 'nothing: HTTP 404 Not Found', 'running', '']);
        await page.close();
    });

    it('the element may be moved, also while it is loaded, and taken away', async () => {
        const page = await browser.newPage();
        await page.goto(`${base}/element.html`);
        await shows(page, /~# /);
        const [state, said] = await page.evaluate(async () => {
            const element = document.querySelector('rvkit-machine');
            const place = document.createElement('div');
            document.body.append(place);
            for (let i = 0; i < 3; i++) {
                place.append(element); // the machine of before ends while this one begins
            }
            await new Promise((resolve) => setTimeout(resolve, 5));
            place.append(element);
            await element.start();
            await new Promise((resolve) => setTimeout(resolve, 500));
            return [element.machine.state, element.shadowRoot.querySelector('.message').textContent];
        });
        assert.deepEqual([state, said], ['running', '']);
        await shows(page, /~# /);
        await page.evaluate(() => {
            const element = document.querySelector('rvkit-machine');
            const other = element.cloneNode();
            element.after(other);
            element.remove();
            other.remove();
        });
        await page.waitForTimeout(1000);
        assert.equal(page.workers().length, 0, 'nothing runs that nobody sees');
        await page.close();
    });

    it('a canvas shows the screen of the guest', async () => {
        const page = await browser.newPage();
        await page.goto(`${base}/element.html`);
        await shows(page, /~# /);
        const colours = await page.evaluate(async () => {
            const element = document.querySelector('rvkit-machine');
            await element.stop();
            element.setAttribute('display', '640x480');
            element.setAttribute('append', 'console=tty0');
            await element.start();
            const canvas = element.shadowRoot.querySelector('canvas');
            for (let i = 0; i < 1000; i++) {
                const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                const found = new Set(new Uint32Array(data.buffer));
                if (canvas.width === 640 && found.size > 1) {
                    return found.size;
                }
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
            return 0;
        });
        assert.ok(colours > 1);
        await page.close();
    });
});
