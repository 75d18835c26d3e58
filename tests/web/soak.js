// SPDX-License-Identifier: MPL-2.0
// node tests/web/soak.js [COUNT]: boots the guest so many times in a row (50), half of them in a worker, and
// powers it off. One that hangs ends the run with status 1. Prints how long boots took.
import { Machine } from '../../web/src/index.js';
import { PROMPT, guest, timeout } from './guest.js';

const count = Number(process.argv[2] ?? 50);
const times = [];

for (let i = 0; i < count; i++) {
    const begun = performance.now();
    const machine = new Machine({ ...guest, memory: '128M', worker: i % 2 === 0, harts: 1 + i % 3 });
    await machine.start();
    await machine.expect(PROMPT, { timeout });
    times.push(performance.now() - begun);
    const exit = new Promise((resolve) => machine.addEventListener('exit', resolve));
    await machine.send('poweroff -f\n');
    await Promise.race([exit, new Promise((resolve, reject) => {
        setTimeout(() => reject(new Error(`boot ${i + 1}: it does not power off`)), timeout).unref();
    })]);
    await machine.stop();
}
times.sort((a, b) => a - b);
const at = (part) => `${Math.round(times[Math.floor((times.length - 1) * part)])} ms`;
console.log(`${count} boots: fastest ${at(0)}, median ${at(0.5)}, slowest ${at(1)}`);
