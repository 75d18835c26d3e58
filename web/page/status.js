// SPDX-License-Identifier: MPL-2.0
// The line below: what the machine does, once a second while somebody looks.
import { bytes, el } from './dom.js';

const words = { new: '', loading: 'loading', paused: 'paused', running: 'running', off: 'off',
    failed: 'stopped' };

export class Status {
    #machine = null;
    #timer = 0;
    #parts = {};
    #state = '';
    #last = null;

    constructor(line) {
        for (const name of ['state', 'speed', 'time', 'memory', 'disk', 'net']) {
            this.#parts[name] = el('span', { class: name });
        }
        line.append(...Object.values(this.#parts));
        document.addEventListener('visibilitychange', () => this.#schedule());
    }

    use(machine, net = 'off') {
        this.#machine = machine;
        this.#last = null;
        for (const part of Object.values(this.#parts)) {
            part.textContent = '';
        }
        if (machine) {
            this.#parts.net.textContent = net === 'off' ? 'no network' : `${net}: connecting`;
        }
        this.#kind = net;
        this.#schedule();
    }

    #kind = 'off';

    state(state) {
        this.#state = state;
        this.#parts.state.textContent = words[state];
        this.#parts.state.dataset.state = state;
        if (state !== 'running') {
            this.#parts.speed.textContent = '';
        }
        this.#schedule();
    }

    net(up, why) {
        this.#parts.net.textContent = `${this.#kind}: ${up ? 'connected' : 'not connected'}`;
        this.#parts.net.title = why ?? '';
    }

    #schedule() {
        clearTimeout(this.#timer);
        if (!this.#machine || this.#state !== 'running' || document.hidden) {
            return;
        }
        this.#timer = setTimeout(() => this.#look(), 1000);
    }

    async #look() {
        const machine = this.#machine;
        const stats = await machine.stats().catch(() => null);
        if (machine !== this.#machine) {
            return;
        }
        if (stats) {
            this.#show(stats);
        }
        this.#schedule();
    }

    #show(stats) {
        const now = performance.now();
        const done = stats.instructions - (this.#last?.instructions ?? stats.instructions);
        const busy = done / (now - (this.#last?.at ?? 0)) / 1000;
        this.#last = { instructions: stats.instructions, at: now };
        this.#parts.speed.textContent = busy < 1 ? 'idle' : `${Math.round(busy)} MIPS`;
        this.#parts.time.textContent = duration(stats.guestTime);
        this.#parts.memory.textContent = stats.wasmMemory ? `${bytes(stats.wasmMemory)} of memory` : '';
        const moved = stats.drives.reduce((sum, drive) => sum + drive.bytesRead + drive.bytesWritten, 0);
        this.#parts.disk.textContent = moved ? `disk ${bytes(moved)}` : '';
    }
}

/** "1:02:03" */
function duration(ms) {
    const seconds = Math.floor(ms / 1000);
    const pad = (value) => String(value).padStart(2, '0');
    const minutes = Math.floor(seconds / 60);
    return minutes < 60 ? `${minutes}:${pad(seconds % 60)}`
        : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`;
}
