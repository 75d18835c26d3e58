// SPDX-License-Identifier: MPL-2.0
// What the browser tests share: Debian's Chromium, and a person at a terminal of the page.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');

export const top = fileURLToPath(new URL('../..', import.meta.url));
export const dist = process.env.DIST ?? `${top}web/dist`;
const axeSource = require.resolve('axe-core/axe.min.js');

const program = {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
};

export function launch() {
    return chromium.launch(program);
}

/** A context whose storage is on disk, as a person's is; it ends with close(). */
export async function launchProfile(options) {
    const folder = mkdtempSync(join(tmpdir(), 'rvkit-page-'));
    const context = await chromium.launchPersistentContext(folder, { ...program, ...options });
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    return context;
}

/** A page that remembers what went wrong in it: page.wrongs. */
export async function openPage(context, url) {
    const page = await context.newPage();
    page.wrongs = [];
    page.on('pageerror', (error) => page.wrongs.push(error.stack));
    page.on('console', (message) => {
        if (message.type() === 'error') {
            page.wrongs.push(message.text());
        }
    });
    await page.goto(url);
    return page;
}

/** All that a terminal holds, as lines; wrapped ones are joined. */
export function textOf(page, index = 0) {
    return page.evaluate((at) => {
        const buffer = window.rvkit?.terminals?.[at]?.buffer.active;
        const lines = [];
        for (let i = 0; i < (buffer?.length ?? 0); i++) {
            const line = buffer.getLine(i);
            const text = line.translateToString(true);
            if (line.isWrapped && lines.length) {
                lines[lines.length - 1] += text;
            } else {
                lines.push(text);
            }
        }
        return lines.join('\n').trimEnd();
    }, index);
}

/** Waits until the terminal's text fits; gives the text. */
export async function waitText(page, what, { index = 0, timeout = 30000 } = {}) {
    const end = Date.now() + timeout;
    for (;;) {
        const text = await textOf(page, index);
        if (typeof what === 'string' ? text.includes(what) : what.test(text)) {
            return text;
        }
        if (Date.now() > end) {
            throw new Error(`${what} did not come; the terminal ends with:\n${text.slice(-1500)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 60));
    }
}

export const prompt = (page, options) => waitText(page, /rvkit:.*# $|rvkit:.*#$/m, { timeout: 60000, ...options });

let count = 0;

/** Types a command as a person does; gives what it printed. */
export async function shell(page, command, { timeout = 60000 } = {}) {
    const id = `${++count}x${Date.now().toString(36)}`;
    await page.evaluate(() => window.rvkit.terminals[0].clear());
    await page.locator('.view.shown .xterm-helper-textarea').focus();
    // The marks are typed in two parts, so that their echo is not taken for them.
    await page.keyboard.type(`echo be''gin${id}; ${command}; echo e''nd${id}:$?\n`);
    const text = await waitText(page, new RegExp(`^end${id}:\\d+$`, 'm'), { timeout });
    const lines = text.split('\n');
    const to = lines.findIndex((line) => line.startsWith(`end${id}:`));
    const out = lines.slice(lines.indexOf(`begin${id}`) + 1, to).join('\n');
    return { out, status: Number(lines[to].split(':')[1]) };
}

/** Pastes into the terminal, through the browser's own event. */
export function paste(page, text) {
    return page.evaluate((what) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData('text/plain', what);
        document.querySelector('.view.shown .xterm-helper-textarea').dispatchEvent(
            new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    }, text);
}

/** Drops files on the page: [{name, bytes}]. */
export function drop(page, files) {
    return page.evaluate((list) => {
        const dataTransfer = new DataTransfer();
        for (const { name, bytes } of list) {
            dataTransfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name));
        }
        const target = document.querySelector('.view.shown');
        for (const type of ['dragover', 'drop']) {
            target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
        }
    }, files.map(({ name, bytes }) => ({ name, bytes: Buffer.from(bytes).toString('base64') })));
}

/** The panel over the machine, when it comes. */
export async function message(page, timeout = 30000) {
    const card = page.locator('#message .card');
    await card.waitFor({ timeout });
    return card.innerText();
}

/** axe-core's violations, as lines. */
export async function violations(page) {
    // The page's policy allows no scripts but its own: this goes through the debugger.
    await page.evaluate(readFileSync(axeSource, 'utf8'));
    return page.evaluate(async () => (await window.axe.run()).violations.map(({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes.map(({ target }) => target.join(' ')).join('; ')}`));
}
