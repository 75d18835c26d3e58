// SPDX-License-Identifier: MPL-2.0
// A stand-in for the package, for tests of what the page says and shows: a "guest" that echoes, a
// screen with colours, a folder in memory. rvkitFake in the page makes it fail in every way.
export const version = '0.0.0-fake';

export class RvkitError extends Error {
    constructor(code, message) {
        super(message);
        this.code = code;
    }
}

export const stores = {
    listOverlays: async () => [{ name: 'old', stored: 4096 }],
    deleteOverlay: async (name) => { globalThis.rvkitFake.deleted = name; },
    importOverlay: async (name, file) => { globalThis.rvkitFake.imported = [name, file.size]; },
};

function tell(target, type, detail) {
    target.dispatchEvent(new CustomEvent(type, { detail }));
}

class FakeConsole extends EventTarget {
    typed = [];
    sizes = [];
    listeners = new Set();
    backlog = '';

    constructor(name) {
        super();
        this.name = name;
    }

    print(text) {
        this.backlog += text;
        this.listeners.forEach((listener) => listener(text));
    }

    type(text) {
        this.typed.push(text);
        this.print(text.replace(/\r/g, '\r\nrvkit:~# '));
    }
}

class FakeDisplay extends EventTarget {
    width = 640;
    height = 400;
    asked = [];

    attach(canvas) {
        canvas.width = this.width;
        canvas.height = this.height;
        const context = canvas.getContext('2d');
        context.fillStyle = '#000';
        context.fillRect(0, 0, 640, 400);
        ['#c33', '#3c3', '#33c'].forEach((colour, i) => {
            context.fillStyle = colour;
            context.fillRect(40 + i * 200, 60, 160, 200);
        });
        return () => {};
    }

    requestSize(...size) {
        this.asked.push(size);
    }

    async screenshot() {
        return new ImageData(this.width, this.height);
    }
}

class FakeInput {
    log = [];

    constructor() {
        for (const name of ['button', 'move', 'place', 'wheel', 'touch', 'leave']) {
            this[name] = (...args) => { this.log.push([name, ...args]); };
        }
    }

    key(code, down) {
        this.log.push(['key', code, down]);
        return true;
    }
}

class FakeFiles extends EventTarget {
    tag = 'host';
    entries = new Map();

    async list(path = '') {
        const prefix = path ? `${path}/` : '';
        return [...this.entries.values()].filter(({ path: at }) =>
            at.startsWith(prefix) && !at.slice(prefix.length).includes('/'));
    }

    async stat(path) {
        if (!this.entries.has(path)) {
            throw new RvkitError('file', `${path}: no such file`);
        }
        return this.entries.get(path);
    }

    async read(path) {
        return (await this.stat(path)).data;
    }

    async write(path, data) {
        const bytes = new Uint8Array(await new Response(data).arrayBuffer());
        this.#add(path, { type: 'file', size: bytes.length, data: bytes });
    }

    async mkdir(path) {
        this.#add(path, { type: 'directory', size: 0 });
    }

    async remove(path) {
        this.entries.delete(path);
    }

    #add(path, more) {
        this.entries.set(path, { name: path.split('/').pop(), path, mtime: new Date(), mode: 0o644, ...more });
    }
}

export class Machine extends EventTarget {
    state = 'new';
    input = new FakeInput();
    files = [new FakeFiles()];

    constructor(options) {
        super();
        this.options = options;
        this.consoles = options.consoles.map((kind) => new FakeConsole(kind === 'virtio' ? 'hvc0' : 'ttyS0'));
        this.displays = options.display ? [new FakeDisplay()] : [];
        this.drives = (options.drives ?? []).map(() => ({
            size: 64 << 20, readOnly: false, export: () => new Blob(['disk']).stream(),
            exportOverlay: async () => new Blob(['changes']),
        }));
    }

    become(state) {
        this.state = state;
        tell(this, 'state', state);
    }

    async start() {
        const fail = new URLSearchParams(location.search).get('fake');
        this.become('loading');
        tell(this, 'progress', { what: 'kernel', loaded: 1300000, total: 3000000 });
        if (fail === 'loading') {
            return new Promise(() => {});
        }
        if (fail) {
            this.break(fail, `what the package says about ${fail}`);
            throw new RvkitError(fail, 'the same');
        }
        this.become('running');
        this.consoles[0].print('\r\nLinux on rvkit.\r\nrvkit:~# ');
    }

    async pause() {
        this.become('paused');
    }

    async reset() {
        this.consoles[0].print('\x1b[H\x1b[2Jagain\r\nrvkit:~# ');
    }

    async stop() {
        this.become('off');
    }

    /** As if the worker had been killed, a disk were full … */
    break(code, message) {
        if (code !== 'quota') {
            this.become('failed');
        }
        tell(this, 'error', new RvkitError(code, message));
    }

    async stats() {
        return { instructions: performance.now() * 1000, mips: 1, guestTime: performance.now(), lag: 0,
            idle: 0.9, wasmMemory: 150e6, drives: [], net: [] };
    }
}

export function attachTerminal(terminal, console, options = {}) {
    const show = (text) => terminal.write(text);
    show(console.backlog);
    console.listeners.add(show);
    console.options = options;
    const ends = [terminal.onData((data) => console.type(data)),
        terminal.onResize(({ cols, rows }) => console.sizes.push([cols, rows]))];
    return { dispose: () => {
        console.listeners.delete(show);
        ends.forEach((end) => end.dispose());
    } };
}
