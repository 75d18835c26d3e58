// SPDX-License-Identifier: MPL-2.0
/**
 * The browser page beside other emulators' WebAssembly builds: page load to prompt, memory, key echo, idle CPU, in
 * headless Chromium. `make bench-web` builds the page and calls this.
 *
 *   node tests/bench/web.mjs [ROUNDS]           default 5; rounds alternate between the subjects
 *   RVVM_WEB=DIR      RVVM's WebAssembly build with xterm-pty (docs/web-performance.md): rvvm_wasm32.mjs, .wasm; what its
 *                     page needs: xterm.js, xterm.css, xterm-pty.mjs; what it boots: firmware.bin, kernel.bin (with an
 *                     initramfs in or behind it), machine.dtb (optional)
 *   RV32EMU_WEB=DIR   rv32emu's, as its own `make prepare-web` puts it together for a web server
 *   CHROMIUM=PROGRAM  default chromium
 */
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { chromium } = createRequire(join(root, 'web/package.json'))('playwright-core');

const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css',
    '.wasm': 'application/wasm', '.json': 'application/json', '.svg': 'image/svg+xml' };
const PROMPT = /[#$] $/;
const KEYS = 40;
const IDLE_S = 10;

/** RVVM has no page of its own: this is xterm.js, and between it and RVVM's blocking read() xterm-pty. */
function rvvmPage(folder) {
    const files = ['firmware.bin', 'kernel.bin'];
    const words = ['/firmware.bin', '-k', '/kernel.bin', '-m', '128M', '-rv32', '-nogui', '-nonet'];
    if (existsSync(join(folder, 'machine.dtb'))) {
        files.push('machine.dtb');
        words.push('-dtb', '/machine.dtb');
    }
    return `<!doctype html><link rel="stylesheet" href="xterm.css"><div id="terminal"></div>
<script src="xterm.js"></script><script type="module">
import { openpty } from './xterm-pty.mjs';
import rvvm from './rvvm_wasm32.mjs';
const get = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer());
window.term = new Terminal();
term.open(document.getElementById('terminal'));
const { master, slave } = openpty();
term.loadAddon(master);
const names = ${JSON.stringify(files)}, files = await Promise.all(names.map(get));
window.Module = await rvvm({
    pty: slave,
    arguments: ${JSON.stringify(words)},
    preRun: [({ FS }) => names.forEach((name, i) => FS.writeFile('/' + name, files[i]))],
});
</script>`;
}

/** Where the cursor of a page's `term` (a variable, not always of the window) is. */
const TERM_TEXT = `() => {
    const buffer = typeof term === 'undefined' ? null : term?.buffer?.active;
    return buffer ? buffer.getLine(buffer.baseY + buffer.cursorY).translateToString(false, 0, buffer.cursorX) : '';
}`;

/** What differs between subjects: where the page is, and in it, how to read its last line and press a key. */
function subjects() {
    const list = [{
        name: 'rvkit', folder: join(root, 'web/dist'), page: 'index.html?net=off',
        text: () => {
            const terminal = window.rvkit?.terminals?.[0];
            const buffer = terminal?.buffer.active;
            return buffer ? buffer.getLine(buffer.baseY + buffer.cursorY)
                .translateToString(false, 0, buffer.cursorX) : '';
        },
        press: (key) => window.rvkit.terminals[0].input(key),
        wasm: () => window.rvkit.machine.stats().then((stats) => stats.wasmMemory),
    }];
    if (process.env.RVVM_WEB) {
        list.push({
            name: 'RVVM', folder: process.env.RVVM_WEB, page: 'bench.html', isolated: true,
            made: { 'bench.html': rvvmPage(process.env.RVVM_WEB) },
            text: TERM_TEXT, press: (key) => window.term.input(key),
            wasm: () => window.Module.HEAPU8.length,
        });
    }
    if (process.env.RV32EMU_WEB) {
        list.push({
            name: 'rv32emu', folder: process.env.RV32EMU_WEB, page: 'index.html', isolated: true,
            begin: () => {
                const click = () => {
                    const button = document.getElementById('runSysButton');
                    if (button && !button.disabled) {
                        button.click();
                    } else {
                        setTimeout(click, 4);
                    }
                };
                click();
            },
            // Its terminal hears onKey alone, which typed text is not; it keeps 16 characters, and no more.
            text: TERM_TEXT, press: (key) => window.Module._u8250_put_rx_char(key.charCodeAt(0)), pace: 200,
            wasm: () => window.Module.HEAPU8.length,
        });
    }
    return list;
}

function serve({ folder, made = {}, isolated }) {
    const server = createServer((request, response) => {
        const name = normalize(decodeURIComponent(new URL(request.url, 'http://host').pathname)).slice(1);
        const headers = { 'content-type': types[extname(name)] ?? 'application/octet-stream' };
        if (isolated) {
            headers['cross-origin-opener-policy'] = 'same-origin';
            headers['cross-origin-embedder-policy'] = 'require-corp';
        }
        const path = join(folder, name);
        if (made[name]) {
            response.writeHead(200, headers).end(made[name]);
        } else if (statSync(path, { throwIfNoEntry: false })?.isFile()) {
            response.writeHead(200, headers);
            createReadStream(path).pipe(response);
        } else {
            response.writeHead(404).end();
        }
    });
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

// --- What the page's process costs ---

async function rendererOf(browser) {
    const session = await browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    await session.detach();
    const sizes = processInfo.filter((info) => info.type === 'renderer')
        .map(({ id }) => ({ id, bytes: privateBytes(id) }));
    return sizes.sort((a, b) => b.bytes - a.bytes)[0];
}

function privateBytes(pid) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return [...text.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)]
        .reduce((sum, match) => sum + Number(match[1]) * 1024, 0);
}

function cpuSeconds(pid) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
    return (Number(fields[11]) + Number(fields[12])) / ticks;
}

// --- One visit ---

/** Milliseconds from the page's beginning to the prompt, by the page's own clock. */
async function boot(page, subject, url) {
    await page.addInitScript(`(() => {
        const text = ${subject.text};
        const look = () => {
            if (${subject.ready ?? PROMPT}.test(text())) {
                window.benchPrompt = performance.now();
            } else {
                setTimeout(look, 4);
            }
        };
        look();
    })()`);
    if (subject.begin) {
        await page.addInitScript(subject.begin);
    }
    await page.goto(url, { waitUntil: 'commit' });
    await page.waitForFunction(() => window.benchPrompt, null, { timeout: 90000, polling: 20 });
    return page.evaluate(() => window.benchPrompt);
}

/** Milliseconds from each key to its echo on the terminal's cursor line. */
function echoes(page, subject, count) {
    return page.evaluate(`(async () => {
        const text = ${subject.text}, press = ${subject.press}, times = [];
        for (let i = 0; i < ${count}; i++) {
            await new Promise((resolve) => setTimeout(resolve, 30 + Math.random() * 40));
            const before = text(), begun = performance.now();
            press('x');
            while (text() === before && performance.now() - begun < 3000) {
                await new Promise((resolve) => {
                    const channel = new MessageChannel();
                    channel.port1.onmessage = resolve;
                    channel.port2.postMessage(0);
                });
            }
            if (text() === before) {
                throw new Error('a key is not echoed within 3 s');
            }
            times.push(performance.now() - begun);
        }
        return times;
    })()`);
}

async function type(page, subject, text) {
    for (const key of text) {
        await page.evaluate(`(${subject.press})(${JSON.stringify(key)})`);
        await page.waitForTimeout(subject.pace ?? 0);
    }
}

async function echoesBusy(page, subject) {
    await type(page, subject, '\x15while :; do :; done &\r');
    await page.waitForTimeout(1000);
    return echoes(page, subject, KEYS);
}

async function visit(browser, subject) {
    const server = await serve(subject);
    const context = await browser.newContext({ serviceWorkers: 'block' });
    try {
        const page = await context.newPage();
        // Fonts from elsewhere, which some pages wait for, are not part of it.
        await page.route((address) => address.hostname !== '127.0.0.1', (route) => route.abort());
        await page.goto(`http://127.0.0.1:${server.address().port}/none`).catch(() => {});
        const empty = (await rendererOf(browser)).bytes;
        const prompt = await boot(page, subject, `http://127.0.0.1:${server.address().port}/${subject.page}`);
        const renderer = await rendererOf(browser);
        const wasm = await page.evaluate(subject.wasm);
        const idle = subject.press ? await echoes(page, subject, KEYS) : [];
        const before = cpuSeconds(renderer.id);
        await page.waitForTimeout(IDLE_S * 1000);
        const cpu = (cpuSeconds(renderer.id) - before) / IDLE_S * 100;
        const busy = subject.press ? await echoesBusy(page, subject) : [];
        return { prompt, wasm: wasm / 2 ** 20, over: (renderer.bytes - empty) / 2 ** 20, idle, cpu, busy };
    } finally {
        await context.close();
        server.close();
    }
}

// --- The table ---

function quantile(values, q) {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

const median = (values) => quantile(values, 0.5);

function row(name, runs) {
    const all = (key) => runs.map((run) => run[key]);
    const keys = (key) => all(key).flat().length === 0 ? '–' : `${median(all(key).flat()).toFixed(1)} / ${quantile(all(key).flat(), 0.95).toFixed(1)}`;
    return [name, runs.length, (median(all('prompt')) / 1000).toFixed(2), median(all('over')).toFixed(0),
        median(all('wasm')).toFixed(0), keys('idle'), keys('busy'), median(all('cpu')).toFixed(1)];
}

const rounds = Number(process.argv[2] ?? 5);
if (!Number.isInteger(rounds) || rounds < 1) {
    console.error('web.mjs: ROUNDS is a number from 1 on');
    process.exit(2);
}
const list = subjects();
const results = new Map(list.map(({ name }) => [name, []]));
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'],
});
console.log(`Chromium ${browser.version()}, ${rounds} rounds`);
for (let round = 0; round < rounds; round++) {
    for (const subject of list) {
        process.stderr.write(`round ${round + 1}, ${subject.name} …\r`);
        try {
            results.get(subject.name).push(await visit(browser, subject));
        } catch (error) {
            console.log(`${subject.name}: ${error.message.split('\n')[0]}`);
        }
    }
}
await browser.close();
console.log('| | runs | load to prompt, s | memory over an empty page, MB | of it wasm (reserved), MB ' +
    '| key echo idle, ms (median / p95) | key echo busy, ms | idle CPU, % of a core |');
console.log('|---|---|---|---|---|---|---|---|');
for (const [name, runs] of results) {
    if (runs.length) {
        console.log(`| ${row(name, runs).join(' | ')} |`);
    }
}
