// SPDX-License-Identifier: MPL-2.0
// node tests/web/soak-browser.js [COUNT] [LINUX...]: so many loads of the page in a row (10) in Debian's Chromium, with
// each kernel (6.1 6.12); Linux has to come to its prompt, answer and power off. One that hangs ends the run with
// status 1. Prints how long the prompt took. Needs `make web GUEST=1` and the kernels.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

import { dist, launch, openPage, prompt, shell, top, waitText } from './browser.js';
import { serve } from './serve.js';

const count = Number(process.argv[2] ?? 10);
const kernels = process.argv.length > 3 ? process.argv.slice(3) : ['6.1', '6.12'];
const server = await serve(dist);
const browser = await launch();

function kernel(linux) {
    const env = { ...process.env, LINUX: linux };
    const path = execFileSync(`${top}guest/build.sh`, ['path', 'kernel'], { encoding: 'utf8', env }).trim();
    return gzipSync(readFileSync(path), { level: 9 });
}

async function boot(linux) {
    const context = await browser.newContext();
    const begun = performance.now();
    const page = await openPage(context, server.url);
    await prompt(page);
    const time = performance.now() - begun;
    const { out } = await shell(page, 'uname -r; echo $((6 * 7))');
    if (!out.startsWith(`${linux}.`) || !out.endsWith('\n42') || page.wrongs.length) {
        throw new Error(`Linux ${linux}: ${[out, ...page.wrongs].join('\n')}`);
    }
    await page.keyboard.type('poweroff -f\n');
    await waitText(page, 'reboot: Power down');
    await context.close();
    return time;
}

try {
    for (const linux of kernels) {
        server.instead['guest/Image.gz'] = kernel(linux);
        const times = [];
        while (times.length < count) {
            times.push(await boot(linux));
        }
        times.sort((a, b) => a - b);
        const at = (part) => `${Math.round(times[Math.floor((times.length - 1) * part)])} ms`;
        console.log(`Linux ${linux}: ${count} boots in Chromium; page to prompt: fastest ${at(0)}, median ${at(0.5)}, ` +
            `slowest ${at(1)}`);
    }
} finally {
    await browser.close();
    await server.close();
}
