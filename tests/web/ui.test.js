// SPDX-License-Identifier: MPL-2.0
// What the page itself does, with a stand-in for the machine (fake/): so these tests need no guest,
// and every failure can be had.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { drop, launch, dist, message, openPage, textOf, violations, waitText } from './browser.js';
import { serve } from './serve.js';
import { fileURLToPath } from 'node:url';

const fake = (name) => fileURLToPath(new URL(`fake/${name}`, import.meta.url));
let server, browser;

before(async () => {
    server = await serve(dist, { instead: { 'rvkit/index.js': fake('index.js') } });
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await server?.close();
});

/** Runs fn with a page of a context of its own. */
async function withPage(query, fn, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1000, height: 640 }, ...options });
    await context.addInitScript(() => { window.rvkitFake = {}; });
    try {
        await fn(await openPage(context, server.url + query), context);
    } finally {
        await context.close();
    }
}

const ready = (page) => waitText(page, 'rvkit:~#');
const typed = (page) => page.evaluate(() => window.rvkit.machine.consoles[0].typed.join(''));
const options = (page) => page.evaluate(() => window.rvkit.machine.options);
const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

test('it starts by itself, and what is typed goes to the guest', () => withPage('', async (page) => {
    await ready(page);
    await page.keyboard.type('ls -l\n');
    assert.equal(await typed(page), 'ls -l\r');
    assert.deepEqual(page.wrongs, []);
    const { kernel, memory, net, shares, cmdline } = await options(page);
    assert.equal(kernel, `${server.url}guest/Image.gz`);
    assert.deepEqual([memory, net.type, shares[0].tag, cmdline], ['128M', 'none', 'host', 'console=hvc0']);
}));

test('options in the address', () => withPage(
    '?memory=64M&harts=3&append=quiet&net=lan&lan=here&display=fb,640x400&drive=disk.img&drive=b.img,ro' +
    '&consoles=serial&kernel=my/Image&initrd=none', async (page) => {
        await page.waitForFunction(() => window.rvkit?.machine);
        const given = await options(page);
        assert.deepEqual(given, {
            memory: '64M', harts: 3, append: 'quiet', consoles: ['serial'], kernel: `${server.url}my/Image`,
            net: { type: 'broadcast', channel: 'here' }, shares: [{ tag: 'host', fs: '9p' }],
            display: { type: 'framebuffer', width: 640, height: 400 },
            drives: [{ source: `${server.url}disk.img`, ephemeral: true },
                { source: `${server.url}b.img`, readOnly: true, ephemeral: false }],
        });
    }));

test('firmware alone goes without the page’s kernel; a persistent disk may be empty', () => withPage(
    '?bios=fw.elf&persist=work:8M', async (page) => {
        await page.waitForFunction(() => window.rvkit?.machine);
        const { bios, kernel, initrd, cmdline, drives } = await options(page);
        assert.deepEqual([bios, kernel, initrd, cmdline], [`${server.url}fw.elf`, undefined, undefined, undefined]);
        assert.deepEqual(drives, [{ source: 'blank:8388608', persist: 'work' }]);
    }));

for (const [query, word] of [['?memory=lots', 'memory=lots'], ['?harts=99', '1 to 16'], ['?net=maybe', 'net=maybe'],
    ['?persist=a/b', 'persist=a/b'], ['?display=what', 'display=what'], ['?config=none.json', '404'],
    ['?font=3', 'font=3'], ['?consoles=usb', 'consoles=usb'], ['?kernel=http://[', 'kernel=http://['],
    ['?drive=http://[', 'drive=http://['], ['?net=relay&relay=http://[', 'relay=http://['],
    ['?config=http://[', 'config=http://[']]) {
    test(`what is wrong in the address is told: ${query}`, () => withPage(query, async (page) => {
        const text = await message(page);
        assert.match(text, /not understood/);
        assert.ok(text.includes(word), text);
    }));
}

test('a link with another host’s kernel does not get at the disks unasked', () => withPage(
    '?kernel=https://example.org/Image&persist=work', async (page) => {
        const text = await message(page);
        assert.match(text, /example\.org/);
        assert.match(text, /disk “work”/);
        assert.equal(await page.evaluate(() => window.rvkit.machine), null);
        await page.getByRole('button', { name: 'Start it' }).click();
        await ready(page);
        await page.reload(); // once allowed in this tab
        await ready(page);
    }));

for (const [what, query] of Object.entries({
    'what looks like a token does not let it': () => '?kernel=https://example.org/Image&persist=work#token=abcdef012345',
    'nor do options in a file elsewhere': (own) => `?persist=work&config=data:application/json,${
        encodeURIComponent(JSON.stringify({ kernel: `${own}guest/Image.gz`, append: 'init=/evil' }))}`,
})) {
    test(`a link and the disks: ${what}`, () => withPage(query(server.url), async (page) => {
        assert.match(await message(page), /disk “work”/);
        assert.equal(await page.evaluate(() => window.rvkit.machine), null);
    }));
}

test('nor does one with kernel options get at the network by a token of before', () => withPage(
    '#token=abcdef012345', async (page) => {
        await ready(page);
        assert.equal(page.url(), server.url, 'the token is out of sight');
        const { net } = await options(page);
        assert.deepEqual(net, { type: 'websocket', url: `${server.url.replace('http', 'ws')}net?token=abcdef012345` });
        await page.goto(`${server.url}?append=init=/evil`);
        assert.match(await message(page), /network of this computer/);
        await page.goto(server.url);
        await ready(page); // without options there is nothing to ask
        assert.equal((await options(page)).net.type, 'websocket');
    }));

for (const [code, words] of Object.entries({
    http: /could not be loaded/, truncated: /ended too early/, load: /cannot load/, gzip: /damaged/,
    memory: /not enough memory/, busy: /in use/, unsupported: /browser cannot/,
})) {
    test(`a machine that cannot start says why: ${code}`, () => withPage(`?fake=${code}`, async (page) => {
        const text = await message(page);
        assert.match(text, words);
        assert.ok(text.includes(`what the package says about ${code}`), text);
        assert.equal(await page.locator('#progress').isVisible(), false);
        await page.evaluate(() => history.replaceState(null, '', location.pathname));
        await page.getByRole('button', { name: 'Try again' }).click();
        await ready(page);
        assert.equal(await page.locator('#message .card').count(), 0);
    }));
}

test('a dead worker: the reason, and a restart', () => withPage('', async (page) => {
    await ready(page);
    await page.evaluate(() => window.rvkit.machine.break('worker', 'it was killed'));
    assert.match(await message(page), /The machine has stopped: it was killed/);
    const before = await page.evaluateHandle(() => window.rvkit.machine);
    await page.getByRole('button', { name: 'Restart' }).click();
    await ready(page);
    assert.ok(await page.evaluate((old) => old !== window.rvkit.machine, before));
    assert.deepEqual(await page.locator('[role=tab]').allInnerTexts(), ['hvc0', 'ttyS0']);
}));

test('a full browser: told, and the machine goes on', () => withPage('', async (page) => {
    await ready(page);
    await page.evaluate(() => window.rvkit.machine.break('quota', 'no room for 4096 bytes'));
    assert.match(await message(page), /no more room/);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.keyboard.type('x');
    await page.locator('.view.shown .xterm-helper-textarea').focus();
    await page.keyboard.type('y');
    assert.match(await typed(page), /y/);
}));

test('the relay goes and comes', () => withPage('?net=relay&relay=ws://127.0.0.1:1/', async (page) => {
    await page.getByRole('button', { name: 'Start it' }).click();
    await ready(page);
    const net = (up, why) => page.evaluate(([isUp, reason]) => window.rvkit.machine.dispatchEvent(
        new CustomEvent('net', { detail: { index: 0, up: isUp, why: reason } })), [up, why]);
    await net(false, 'no connection (code 1006)');
    assert.match(await message(page), /relay is not reachable[^]*code 1006/);
    await net(true);
    await page.locator('#message .card').waitFor({ state: 'detached' });
    assert.match(await page.locator('#status').innerText(), /relay: connected/);
}));

test('a browser without WebAssembly is told so', async () => {
    const context = await browser.newContext();
    await context.addInitScript(() => { delete window.WebAssembly; });
    const page = await context.newPage();
    await page.goto(server.url);
    await page.getByText('This browser cannot run the machine').waitFor();
    assert.match(await page.locator('.plain').innerText(), /It has no WebAssembly/);
    await context.close();
});

test('loading shows bytes', () => withPage('?fake=loading', async (page) => {
    await page.locator('#progress').waitFor();
    assert.match(await page.locator('#progress').innerText(), /Kernel\s*1\.3 MB of 3\.0 MB/);
}));

test('tabs by keyboard, as ARIA has them', () => withPage('?display=1', async (page) => {
    await ready(page);
    const selected = () => page.locator('[role=tab][aria-selected=true]').innerText();
    await page.getByRole('tab', { name: 'hvc0' }).focus();
    await page.keyboard.press('ArrowRight');
    assert.equal(await selected(), 'ttyS0');
    await page.keyboard.press('End');
    assert.equal(await selected(), 'Screen');
    await page.keyboard.press('ArrowRight');
    assert.equal(await selected(), 'hvc0');
    await page.keyboard.press('Control+Alt+2');
    assert.equal(await selected(), 'ttyS0');
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Terminal ttyS0');
    await page.keyboard.press('Control+Alt+0');
    assert.equal(await page.evaluate(() => document.activeElement.closest('#tools') !== null), true);
}));

test('pause, go on, reset', () => withPage('', async (page) => {
    await ready(page);
    await page.getByRole('button', { name: 'Pause' }).click();
    assert.equal(await page.evaluate(() => window.rvkit.machine.state), 'paused');
    await page.getByRole('button', { name: 'Go on' }).click();
    assert.equal(await page.evaluate(() => window.rvkit.machine.state), 'running');
    await page.getByRole('button', { name: 'Reset' }).click();
    await waitText(page, 'again');
}));

test('the search finds, counts and leaves', () => withPage('', async (page) => {
    await ready(page);
    await page.keyboard.press('Control+Alt+f');
    await page.keyboard.type('rvkit');
    await page.locator('.search .count', { hasText: '/2' }).first().waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.search').first().isVisible(), false);
    await page.keyboard.type('z');
    assert.equal(await typed(page), 'z');
}));

test('files: dropped, listed, in folders, downloaded, deleted', () => withPage('', async (page) => {
    await ready(page);
    await drop(page, [{ name: 'a.txt', bytes: 'hello' }, { name: 'b <b>.bin', bytes: 'xyz' }]);
    await page.getByText('2 files → /mnt/host').waitFor();
    await page.getByRole('button', { name: 'Files and disks' }).click();
    await page.locator('.files li').nth(1).waitFor();
    assert.deepEqual(await page.locator('.files .name').allInnerTexts(), ['a.txt', 'b <b>.bin']);
    const [download] = await Promise.all([page.waitForEvent('download'),
        page.getByRole('button', { name: 'Download a.txt' }).click()]);
    assert.equal(download.suggestedFilename(), 'a.txt');
    await page.getByRole('button', { name: 'Delete a.txt' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.locator('.files li', { hasText: 'a.txt' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'New folder' }).click();
    await page.getByRole('button', { name: 'folder', exact: true }).click();
    await drop(page, [{ name: 'in.txt', bytes: '1' }]);
    await page.locator('.files .name', { hasText: 'in.txt' }).waitFor();
    assert.deepEqual(await page.evaluate(() => [...window.rvkit.machine.files[0].entries.keys()]),
        ['b <b>.bin', 'folder', 'folder/in.txt']);
    assert.equal(await page.evaluate(() => document.activeElement.closest('#panel') !== null), true);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('#panel').isVisible(), false);
}));

test('disks: exported, changes imported with a restart, old ones deleted', () => withPage('?persist=work', async (page) => {
    await ready(page);
    await page.getByRole('button', { name: 'Files and disks' }).click();
    await page.getByText('kept in this browser as “work”').waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'),
        page.getByRole('button', { name: 'Export changes' }).click()]);
    assert.equal(download.suggestedFilename(), 'work.rvkit');
    await page.getByRole('button', { name: 'Delete the disk old' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.waitForFunction(() => window.rvkitFake.deleted === 'old');
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'),
        page.getByRole('button', { name: 'Import changes' }).click()]);
    await chooser.setFiles({ name: 'x', mimeType: 'application/octet-stream', buffer: Buffer.from('12345') });
    await page.getByRole('button', { name: 'Replace' }).click();
    await page.waitForFunction(() => window.rvkitFake.imported?.join() === 'work,5');
    await ready(page);
}));

test('settings are kept, and used with a restart', () => withPage('', async (page) => {
    await ready(page);
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByLabel('Colours').selectOption('dark');
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    await page.getByLabel('Font size').fill('20');
    await page.getByLabel('Memory').fill('none');
    await page.getByLabel('Memory').blur();
    const restart = page.getByRole('button', { name: 'Restart with these' });
    await page.getByLabel('Harts').fill('2');
    await page.getByLabel('Harts').blur();
    await restart.click();
    assert.equal(await page.locator('dialog[open]').count(), 1, 'not with a wrong size');
    await page.getByLabel('Memory').fill('256M');
    await page.getByLabel('Screen', { exact: true }).check();
    await restart.click();
    await ready(page);
    const check = async () => {
        const { memory, harts, display } = await options(page);
        assert.deepEqual([memory, harts, display], ['256M', 2, { type: 'gpu' }]);
        assert.equal(await page.evaluate(() => window.rvkit.terminals[0].options.fontSize), 20);
    };
    await check();
    await page.reload();
    await ready(page);
    await check();
    await page.goto(`${server.url}?memory=32M`);
    await ready(page);
    assert.equal((await options(page)).memory, '32M', 'the address comes first');
}));

test('the screen’s keys, mouse and wheel go to the guest', () => withPage('?display=1&tab=3', async (page) => {
    await page.waitForFunction(() => window.rvkit?.machine?.state === 'running');
    const log = () => page.evaluate(() => window.rvkit.machine.input.log.splice(0));
    await log();
    await page.keyboard.press('Shift+KeyA');
    await page.keyboard.press('Tab');
    assert.deepEqual(await log(), [['key', 'ShiftLeft', true], ['key', 'KeyA', true], ['key', 'KeyA', false],
        ['key', 'ShiftLeft', false], ['key', 'Tab', true], ['key', 'Tab', false]]);
    const box = await page.locator('.stage canvas').first().boundingBox();
    await page.mouse.move(box.x + box.width / 4, box.y + box.height / 2);
    await page.mouse.down({ button: 'right' });
    await page.mouse.up({ button: 'right' });
    await page.mouse.wheel(0, 250);
    await page.waitForFunction(() => window.rvkit.machine.input.log.some(([what]) => what === 'wheel'));
    const seen = await log();
    const [, x, y] = seen.find(([what]) => what === 'place');
    assert.ok(Math.abs(x - 0.25) < 0.01 && Math.abs(y - 0.5) < 0.01, `${x} ${y}`);
    assert.deepEqual(seen.filter(([what]) => what === 'button'), [['button', 2, true], ['button', 2, false]]);
    assert.deepEqual(seen.filter(([what]) => what === 'wheel'), [['wheel', 0, -2]]);
    await page.keyboard.press('Control+Alt+1'); // leaving lets go of all keys
    assert.ok((await log()).some(([what]) => what === 'leave'));
}));

test('the mouse is given to the guest, and its cursor is the guest’s', () => withPage('?display=1&tab=3', async (page) => {
    await page.waitForFunction(() => window.rvkit?.machine?.state === 'running');
    await page.evaluate(() => window.rvkit.machine.displays[0].dispatchEvent(new CustomEvent('cursor',
        { detail: { image: new ImageData(16, 16), hotX: 3, hotY: 4 } })));
    const canvas = page.locator('.stage canvas').first();
    assert.match(await canvas.evaluate((node) => node.style.cursor), /^url\("data:image\/png.*\) \d+ \d+, default$/);
    await page.getByRole('button', { name: /Give the mouse/ }).click();
    await page.waitForFunction(() => document.pointerLockElement?.tagName === 'CANVAS');
    const box = await canvas.boundingBox();
    await page.mouse.move(box.x + 50, box.y + 50);
    await page.mouse.move(box.x + 60, box.y + 57);
    const moves = await page.evaluate(() => window.rvkit.machine.input.log.filter(([what]) => what === 'move'));
    assert.ok(moves.length, 'relative moves');
    // The browser shows no cursor now; the guest's is drawn, its hot spot where the guest has it.
    const place = await page.evaluate(() => {
        const display = window.rvkit.machine.displays[0];
        display.pointer = { x: 320, y: 200, visible: true };
        display.dispatchEvent(new CustomEvent('pointer', { detail: display.pointer }));
        const [screen, cursor] = [...document.querySelectorAll('.stage canvas')].map((node) => node.getBoundingClientRect());
        const scale = screen.width / 640;
        return [(cursor.left - screen.left) / scale + 3, (cursor.top - screen.top) / scale + 4];
    });
    assert.ok(Math.abs(place[0] - 320) < 1 && Math.abs(place[1] - 200) < 1, `${place}`);
    await page.keyboard.press('Control+Alt+1');
    await page.waitForFunction(() => !document.pointerLockElement);
}));

test('sound: what the guest plays is heard', () => withPage('', async (page) => {
    await page.addInitScript(() => {
        // Listens to all that goes to the loudspeaker.
        const { connect } = AudioNode.prototype;
        AudioNode.prototype.connect = function (target, ...rest) {
            if (target instanceof AudioDestinationNode) {
                window.heard = new AnalyserNode(this.context, { fftSize: 4096 });
                connect.call(this, window.heard);
            }
            return connect.call(this, target, ...rest);
        };
    });
    await page.reload();
    await ready(page);
    await page.keyboard.type('x');
    const peak = await page.evaluate(async () => {
        const tell = (detail) => window.rvkit.machine.dispatchEvent(new CustomEvent('sound', { detail }));
        tell({ type: 'open', stream: 0, capture: false, format: 's16', rate: 22050, channels: 1 });
        let at = 0, most = 0, frequency = 0;
        for (let i = 0; i < 60; i++) { // 20 ms each
            const samples = Int16Array.from({ length: 441 }, () =>
                16000 * Math.sin(2 * Math.PI * 1000 * at++ / 22050));
            tell({ type: 'play', stream: 0, bytes: new Uint8Array(samples.buffer) });
            await new Promise((resolve) => setTimeout(resolve, 20));
            if (!window.heard) {
                continue;
            }
            const wave = new Float32Array(4096), power = new Float32Array(2048);
            window.heard.getFloatTimeDomainData(wave);
            window.heard.getFloatFrequencyData(power);
            if (Math.max(...wave) > most) {
                most = Math.max(...wave);
                frequency = power.indexOf(Math.max(...power)) * window.heard.context.sampleRate / 4096;
            }
        }
        tell({ type: 'close', stream: 0 });
        return { most, frequency };
    });
    assert.ok(peak.most > 0.3 && peak.most < 0.6, `as loud as it was: ${peak.most}`);
    assert.ok(Math.abs(peak.frequency - 1000) < 30, `as high as it was: ${peak.frequency}`);
}));

test('fingers on the screen are touches', () => withPage('?display=1&tab=3', async (page) => {
    await page.waitForFunction(() => window.rvkit?.machine?.state === 'running');
    const box = await page.locator('.stage canvas').first().boundingBox();
    await page.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2);
    const touches = await page.evaluate(() => window.rvkit.machine.input.log.filter(([what]) => what === 'touch'));
    assert.deepEqual(touches.map(([, slot, down]) => [slot, down]), [[0, true], [0, false]]);
    assert.ok(Math.abs(touches[0][3] - 0.5) < 0.02);
}, phone));

test('the key bar: Ctrl for one key, arrows, signs', () => withPage('', async (page) => {
    await ready(page);
    await page.locator('.view.shown .host').tap();
    const key = (name) => page.locator('#keys').getByRole('button', { name, exact: true });
    await key('Ctrl').tap();
    assert.equal(await key('Ctrl').getAttribute('aria-pressed'), 'true');
    await page.keyboard.type('cd');
    assert.equal(await key('Ctrl').getAttribute('aria-pressed'), 'false');
    await key('Up').tap();
    await key('Esc').tap();
    await key('|').tap();
    await key('Alt').tap();
    await page.keyboard.type('b');
    assert.equal(await typed(page), '\x03d\x1b[A\x1b|\x1bb');
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'TEXTAREA', 'the keyboard stays');
}, phone));

test('a phone: nothing is cut off, and the terminal gets the room', () => withPage('', async (page) => {
    await ready(page);
    const sizes = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth, terminal: document.querySelector('.host').clientHeight,
        cols: window.rvkit.terminals[0].cols, tools: [...document.querySelectorAll('#tools button')]
            .map((button) => button.getBoundingClientRect()).every(({ left, right }) => left >= 0 && right <= 390),
    }));
    assert.equal(sizes.wide, 390);
    assert.ok(sizes.terminal > 780 * 0.8, `${sizes.terminal}`);
    assert.ok(sizes.cols >= 40, `${sizes.cols}`);
    assert.ok(sizes.tools);
    // The on-screen keyboard comes: the page is as tall as what is left.
    await page.setViewportSize({ width: 390, height: 400 });
    await page.waitForFunction(() => document.body.getBoundingClientRect().height === 400);
    const keys = await page.locator('#keys').boundingBox();
    assert.ok(keys.y + keys.height <= 400);
    assert.ok(await textOf(page));
}, phone));

test('the guest reads the clipboard only when it may', () => withPage('', async (page) => {
    await ready(page);
    const asked = page.evaluate(() => window.rvkit.machine.consoles[0].options.clipboard({ action: 'read' }));
    await page.getByRole('button', { name: 'Refuse' }).click();
    assert.equal(await asked, false);
    const again = page.evaluate(() => window.rvkit.machine.consoles[0].options.clipboard({ action: 'read' }));
    await page.getByRole('button', { name: 'Allow' }).click();
    assert.equal(await again, true);
    assert.equal(await page.evaluate(() =>
        window.rvkit.machine.consoles[0].options.clipboard({ action: 'read' })), true, 'asked once');
}));

test('links in the terminal are for the web only', () => withPage('', async (page, context) => {
    await ready(page);
    await page.evaluate(() => window.rvkit.machine.consoles[0].print(
        '\x1b[H\x1b[2J\x1b]8;;javascript:alert(1)\x07evil\x1b]8;;\x07\r\n'));
    await page.waitForTimeout(200);
    const box = await page.locator('.view.shown .xterm-screen').boundingBox();
    await page.mouse.move(box.x + 12, box.y + 8);
    await page.mouse.click(box.x + 12, box.y + 8);
    await page.waitForTimeout(200);
    assert.equal(context.pages().length, 1);
}));

test('losing WebGL leaves the DOM renderer', () => withPage('?renderer=webgl', async (page) => {
    await ready(page);
    const lost = await page.evaluate(() => {
        const canvas = [...document.querySelectorAll('.view.shown canvas')].find((one) => one.getContext('webgl2'));
        canvas?.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext();
        return Boolean(canvas);
    });
    await page.waitForTimeout(lost ? 4000 : 0); // xterm.js waits for it to come back
    await page.keyboard.type('still');
    await waitText(page, 'still');
    assert.ok(await page.locator('.view.shown .xterm-rows').count(), 'rows are in the document');
}));

for (const colorScheme of ['light', 'dark']) {
    test(`accessible: no violation that axe-core knows, ${colorScheme}`, () => withPage('?display=1&persist=work', async (page) => {
        await ready(page);
        const check = async (what) => assert.deepEqual(await violations(page), [], what);
        await check('terminal');
        await page.getByRole('button', { name: 'Files and disks' }).click();
        await drop(page, [{ name: 'a.txt', bytes: 'hello' }]);
        await page.locator('.files .name').waitFor();
        await page.locator('.toast').waitFor();
        await check('files');
        await page.keyboard.press('Control+Alt+f');
        await check('search');
        await page.keyboard.press('Escape');
        await page.getByRole('tab', { name: 'Screen' }).click();
        await check('screen');
        for (const name of ['Settings', 'Help']) {
            await page.getByRole('button', { name }).click();
            await check(name);
            await page.keyboard.press('Escape');
        }
        await page.evaluate(() => window.rvkit.machine.break('worker', 'it was killed'));
        await message(page);
        await check('message');
    }, { colorScheme, reducedMotion: 'reduce' })); // what fades in has less contrast for a moment
}

test('accessible on a phone, and with a screen reader', () => withPage('?reader=1', async (page) => {
    await ready(page);
    assert.equal(await page.evaluate(() => window.rvkit.terminals[0].options.screenReaderMode), true);
    assert.deepEqual(await violations(page), []);
    assert.match(await page.locator('.view.shown .xterm-accessibility').innerText(), /Linux on rvkit/);
}, phone));
