// SPDX-License-Identifier: MPL-2.0
// The page in Debian's Firefox.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dist } from './browser.js';
import { launchFirefox } from './firefox.js';
import { serve } from './serve.js';

let server, firefox;

before(async () => {
    server = await serve(dist);
    firefox = await launchFirefox();
});
after(async () => {
    await firefox?.close();
    await server?.close();
});

const text = () => firefox.run(`
    const buffer = window.rvkit?.terminals?.[0]?.buffer.active;
    return Array.from({ length: buffer?.length ?? 0 }, (_, i) => buffer.getLine(i).translateToString(true))
        .join('\\n').trimEnd();`);

async function waitText(what, ms = 60000) {
    const end = Date.now() + ms;
    let seen;
    do {
        seen = await text();
        if (what.test(seen)) {
            return seen;
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
    } while (Date.now() < end);
    const said = await firefox.run('return document.getElementById("message").innerText');
    throw new Error(`${what} did not come, but: ${said}\n${seen.slice(-1000)}`);
}

test('Firefox boots to a prompt; type and see', async () => {
    await firefox.go(server.url);
    await waitText(/rvkit:~# ?$/);
    await firefox.type('echo a-$((6 * 7))-b\n');
    await waitText(/^a-42-b$/m);
});

test('Firefox: what was synced to a persistent disk is there at the next visit', async () => {
    await firefox.go(`${server.url}?persist=ff:8M`);
    await waitText(/rvkit:~# ?$/);
    await firefox.type('echo kept-here | dd of=/dev/vda bs=512 conv=sync,fsync 2>/dev/null; echo do""ne\n');
    await waitText(/^done$/m);
    await firefox.go('about:blank');
    await firefox.go(`${server.url}?persist=ff:8M`);
    await waitText(/rvkit:~# ?$/);
    await firefox.type('head -c 9 /dev/vda; echo\n');
    assert.match(await waitText(/^kept-here$/m), /kept-here/);
});
