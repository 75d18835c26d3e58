// SPDX-License-Identifier: MPL-2.0
// A process with a machine, for clock.test.js to stop: {command} from the parent is answered by {out}.
import { Machine } from '../../web/src/index.js';
import { PROMPT, ask, guest, timeout } from './guest.js';

const options = JSON.parse(process.argv[2]);
const machine = new Machine({ ...guest, memory: '64M', ...options });
await machine.start();
await machine.expect(PROMPT, { timeout });
await ask(machine, 'stty cols 999'); // so that no line is broken where it is typed
process.on('message', async ({ command }) => {
    try {
        const begun = Date.now();
        const out = await ask(machine, command);
        process.send({ out, begun, ended: Date.now() });
    } catch (error) {
        process.send({ error: error.message });
    }
});
process.send({ out: 'ready' });
