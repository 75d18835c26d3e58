// SPDX-License-Identifier: MPL-2.0
// A machine whose process is stopped for a while, as a tab is that the browser freezes: the guest's time goes on
// where it was, catches up, and the guest does not notice. FREEZE is for how many seconds (4).
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';

import { tick, timeout } from './guest.js';

const seconds = Number(process.env.FREEZE ?? 4);
const child = fileURLToPath(new URL('clock-child.js', import.meta.url));

/** Runs fn(ask, process) with a machine in a process of its own. */
async function withProcess(options, fn) {
    const process = fork(child, [JSON.stringify(options)]);
    const answer = async () => {
        const [message] = await once(process, 'message');
        assert.equal(message.error, undefined);
        return message;
    };
    try {
        await answer();
        await fn((command) => {
            process.send({ command });
            return answer();
        }, process);
    } finally {
        process.kill('SIGKILL');
    }
}

/** The guest's clocks beside the host's, in seconds. */
async function clocks(ask) {
    const { out, begun, ended } = await ask('cut -d" " -f1 /proc/uptime; date +%s');
    const [uptime, date] = out.split('\n').map(Number);
    return { uptime, date, now: (begun + ended) / 2000, doubt: (ended - begun) / 2000 };
}

/** Steps of the uptime, as large as the stop, between two looks of a guest that looks all the time; catching up is faster than time. */
const WATCH = 'a=$(cut -d. -f1 /proc/uptime); (while read b c </proc/uptime; do b=${b%.*}; ' +
    '[ $((b - a)) -gt 2 ] && echo $((b - a)) >>/tmp/steps; a=$b; done) & touch /tmp/steps';

for (const { name, options = {}, prepare = 'true', watched } of [
    { name: 'an idle guest' },
    { name: 'an idle guest in the same thread', options: { worker: false } },
    { name: 'a busy guest', prepare: WATCH, watched: true },
    { name: 'a busy guest with two harts', options: { harts: 2 }, prepare: `${WATCH}; (while :; do :; done) & true`,
        watched: true },
]) {
    describe(name, () => it(`does not notice that it was frozen for ${seconds} s`, () =>
        withProcess(options, async (ask, process) => {
            await ask(prepare);
            const before = await clocks(ask);
            process.kill('SIGSTOP');
            await tick(1000 * seconds);
            process.kill('SIGCONT');
            const woken = Date.now();
            let after;
            let behind;
            do {
                assert.ok(Date.now() < woken + timeout, `still ${behind} s behind`);
                after = await clocks(ask);
                behind = (after.now - before.now) - (after.uptime - before.uptime);
            } while (behind > before.doubt + after.doubt + 0.2);
            console.log(`# ${name}: in time again ${(Date.now() - woken) / 1000} s after a stop of ${seconds} s`);
            assert.ok(behind > -before.doubt - after.doubt - 0.2, `${-behind} s too far`);
            const wrong = (after.now - before.now) - (after.date - before.date);
            assert.ok(Math.abs(wrong) < 1.2 + before.doubt + after.doubt, `the date is ${wrong} s late`);
            const { out } = await ask('dmesg | grep -iE "rcu.*stall|hung|lockup|clocksource.*(unst|skew)|backwards"');
            assert.equal(out, '');
            if (watched) {
                const steps = (await ask('cat /tmp/steps')).out;
                assert.equal(steps, '', 'steps of the uptime');
            }
        })));
}
