// SPDX-License-Identifier: MPL-2.0
/*
 * <rvkit-machine>: a machine with its terminal, for those who write HTML only.
 *
 *   <script type="module" src="node_modules/rvkit/src/element.js"></script>
 *   <rvkit-machine kernel="Image" initrd="initramfs.cpio.gz" memory="128M"></rvkit-machine>
 *
 * Attributes; addresses are relative to the page, or, in the file of src, to that file:
 *
 *   src          a JSON file with MachineOptions ({"kernel": "Image", "memory": "256M", …}); the
 *                attributes below come before what it says
 *   kernel, initrd, bios, dtb             files
 *   cmdline, append                       the kernel's command line
 *   memory, harts, virtio                 as in MachineOptions
 *   drive        a disk's address, or more, with spaces between; "blank:64M" is an empty one
 *   persist      changes of the first disk are kept in this browser under this name
 *   net          none, broadcast, broadcast:NAME, or the address of a relay (ws:, wss:)
 *   display      WIDTHxHEIGHT, or nothing for 1024x768: a screen, below the terminal
 *   sound        (no value) a sound device; the page plays it: 'sound' events of the machine
 *   manual       (no value) the machine waits for start()
 *   clipboard    ask (the default), allow, deny
 *   font-size    of the terminal, in pixels
 *   xterm        where the packages of xterm.js are: the folder that has @xterm/xterm and
 *                @xterm/addon-fit; default: node_modules beside this package
 *
 * They are read when the element comes into a document; later changes count at the next start.
 * Properties: machine (a Machine; null before), terminal (an xterm.js Terminal). Methods: start(),
 * stop(). Events: those of Machine, and `ready`, when there is a machine that is still to be
 * started. The terminal may be styled by ::part(terminal), the screen by ::part(display), messages
 * by ::part(message).
 */
import { RvkitError } from './errors.js';
import { Machine } from './machine.js';
import { attachTerminal } from './terminal.js';

const FILES = ['kernel', 'initrd', 'bios', 'dtb'];
const TEXTS = ['cmdline', 'append', 'memory', 'virtio'];
const EVENTS = ['state', 'progress', 'error', 'warning', 'log', 'leds', 'exit', 'net', 'sound'];

const STYLE = `
:host { display: block; position: relative; min-height: 10em; }
:host([hidden]) { display: none; }
.terminal { height: 100%; min-height: inherit; background: #000; overflow: hidden; }
.display { display: block; max-width: 100%; outline-offset: -2px; }
.display:not([hidden]) { touch-action: none; }
.message { position: absolute; inset: auto 0 0 0; margin: 0; padding: .3em .6em; font: 14px/1.4 system-ui, sans-serif;
    background: #222; color: #fff; white-space: pre-wrap; }
.message:empty { display: none; }
.message.error { background: #8b1a1a; }
`;

function parseNet(text) {
    if (/^wss?:/.test(text) || /^https?:/.test(text)) {
        return { type: 'websocket', url: text };
    }
    const [type, channel] = text.split(':');
    return channel ? { type, channel } : { type };
}

function parseDisplay(text) {
    const [, width, height] = /^(\d+)x(\d+)$/.exec(text) ?? [];
    if (text && !width) {
        throw new RvkitError('option', `display="${text}": give WIDTHxHEIGHT`);
    }
    return text ? { width: Number(width), height: Number(height) } : {};
}

/** Addresses in the JSON file are relative to it. */
function resolveOptions(options, base) {
    const whole = { ...options };
    const resolve = (source) => typeof source === 'string' ? new URL(source, base).href : source;
    for (const name of FILES) {
        if (whole[name] !== undefined) {
            whole[name] = resolve(whole[name]);
        }
    }
    whole.drives = options.drives?.map((drive) => typeof drive === 'string'
        ? resolve(drive) : { ...drive, source: resolve(drive.source) });
    return whole;
}

async function readJson(url) {
    const response = await fetch(url);
    if (!response.ok) {
        throw new RvkitError('http', `${url}: HTTP ${response.status}`, { status: response.status });
    }
    try {
        return await response.json();
    } catch (cause) {
        throw new RvkitError('option', `${url}: is no JSON (${cause.message})`, { cause });
    }
}

const Base = globalThis.HTMLElement ?? class {};

export class RvkitMachineElement extends Base {
    #ends = [];
    #starting = null;
    #message = null;
    machine = null;
    terminal = null;

    connectedCallback() {
        this.#build();
        if (!this.hasAttribute('manual')) {
            this.start().catch(() => {}); // it says so itself
        }
    }

    disconnectedCallback() {
        this.stop().catch(() => {});
    }

    #build() {
        const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
        const style = document.createElement('style');
        style.textContent = STYLE;
        const make = (tag, name) => {
            const element = document.createElement(tag);
            element.className = name;
            element.part = name;
            return element;
        };
        const terminal = make('div', 'terminal');
        const display = make('canvas', 'display');
        display.tabIndex = 0;
        display.hidden = true;
        this.#message = make('p', 'message');
        this.#message.setAttribute('role', 'status');
        root.replaceChildren(style, terminal, display, this.#message);
    }

    /** Makes a machine of the attributes, and starts it; when there is one, only that. */
    async start() {
        if (this.#starting) {
            return this.#starting;
        }
        if (this.machine) {
            return this.machine.start();
        }
        const starting = this.#begin(() => this.#starting === starting).catch((error) => {
            if (this.#starting === starting) {
                this.#say(error.message, true);
                this.machine ?? this.dispatchEvent(new CustomEvent('error', { detail: error }));
            }
            throw error;
        }).finally(() => {
            if (this.#starting === starting) {
                this.#starting = null;
            }
        });
        this.#starting = starting;
        return starting;
    }

    /** Ends it. start() makes another one. */
    async stop() {
        const { machine } = this;
        this.machine = null;
        this.#starting = null; // what is still being started finds that nobody wants it
        this.#ends.splice(0).reverse().forEach((end) => end());
        this.terminal = null;
        try {
            await machine?.stop();
        } finally {
            if (machine && !this.machine && !this.#starting) {
                this.#state('off');
            }
        }
    }

    /** wanted(): it was not stopped, or taken out of the document, meanwhile. */
    async #begin(wanted) {
        this.#say('Loading …');
        const options = await this.#options();
        if (!wanted()) {
            throw new RvkitError('aborted', 'the element was taken away');
        }
        const machine = new Machine(options);
        this.machine = machine;
        const listen = (type, fn) => machine.addEventListener(type, ({ detail }) =>
            this.machine === machine && fn(detail));
        EVENTS.forEach((type) => listen(type, (detail) => this.dispatchEvent(new CustomEvent(type, { detail }))));
        listen('progress', (progress) => this.#progress(progress));
        listen('state', (state) => this.#state(state));
        listen('error', (error) => this.#say(error.message, true));
        await this.#attachTerminal(machine);
        this.#attachDisplay(machine);
        this.dispatchEvent(new CustomEvent('ready', { detail: machine }));
        await machine.start();
    }

    async #options() {
        const page = document.baseURI;
        const src = this.getAttribute('src');
        const from = src === null ? null : new URL(src, page).href;
        const options = from ? resolveOptions(await readJson(from), from) : {};
        for (const name of [...FILES, ...TEXTS]) {
            if (this.hasAttribute(name)) {
                options[name] = this.getAttribute(name);
            }
        }
        if (this.hasAttribute('harts')) {
            options.harts = Number(this.getAttribute('harts'));
        }
        if (this.hasAttribute('drive')) {
            options.drives = this.getAttribute('drive').split(/\s+/).filter(Boolean)
                .map((source) => ({ source }));
        }
        if (this.hasAttribute('persist') && options.drives?.length) {
            const [first, ...rest] = options.drives;
            const drive = typeof first === 'string' ? { source: first } : first;
            options.drives = [{ ...drive, persist: this.getAttribute('persist') }, ...rest];
        }
        if (this.hasAttribute('net')) {
            options.net = parseNet(this.getAttribute('net'));
        }
        if (this.hasAttribute('display')) {
            options.display = parseDisplay(this.getAttribute('display'));
        }
        options.sound = this.hasAttribute('sound') || options.sound;
        return options;
    }

    /* --- What is seen --- */

    async #xterm() {
        const base = this.hasAttribute('xterm')
            ? new URL(`${this.getAttribute('xterm').replace(/\/*$/, '')}/`, document.baseURI)
            : new URL('../../', import.meta.url);
        const url = (path) => new URL(path, base).href;
        try {
            const [{ Terminal }, { FitAddon }] = await Promise.all([
                import(/* webpackIgnore: true */ /* @vite-ignore */ url('@xterm/xterm/lib/xterm.mjs')),
                import(/* webpackIgnore: true */ /* @vite-ignore */ url('@xterm/addon-fit/lib/addon-fit.mjs')),
            ]);
            return { Terminal, FitAddon, css: url('@xterm/xterm/css/xterm.css') };
        } catch (cause) {
            throw new RvkitError('unsupported', `xterm.js is not at ${base.href}: install @xterm/xterm and ` +
                '@xterm/addon-fit, or say where they are by the attribute xterm', { cause });
        }
    }

    async #attachTerminal(machine) {
        const { Terminal, FitAddon, css } = await this.#xterm();
        if (this.machine !== machine) {
            throw new RvkitError('aborted', 'the element was taken away');
        }
        const link = document.createElement('link');
        link.rel = 'stylesheet';
        link.href = css;
        const styled = new Promise((resolve) => {
            link.onload = link.onerror = resolve;
        });
        this.shadowRoot.append(link);
        await styled;
        if (this.machine !== machine) {
            link.remove();
            throw new RvkitError('aborted', 'the element was taken away');
        }
        const terminal = new Terminal({ fontSize: Number(this.getAttribute('font-size')) || 14 });
        const fit = new FitAddon();
        terminal.loadAddon(fit);
        const place = this.shadowRoot.querySelector('.terminal');
        terminal.open(place);
        const attached = attachTerminal(terminal, machine.consoles[0], {
            fit, clipboard: this.getAttribute('clipboard') ?? 'ask',
        });
        const observer = new ResizeObserver(() => fit.fit());
        observer.observe(place);
        this.terminal = terminal;
        this.#ends.push(() => link.remove(), () => terminal.dispose(), () => attached.dispose(),
            () => observer.disconnect());
    }

    #attachDisplay(machine) {
        const [display] = machine.displays;
        const canvas = this.shadowRoot.querySelector('.display');
        canvas.hidden = !display;
        if (!display) {
            return;
        }
        const { input } = machine;
        const listen = (type, fn) => {
            const listener = (event) => {
                fn(event);
                event.preventDefault();
            };
            canvas.addEventListener(type, listener);
            this.#ends.push(() => canvas.removeEventListener(type, listener));
        };
        const place = ({ clientX, clientY }) => {
            const box = canvas.getBoundingClientRect();
            input.place((clientX - box.left) / box.width, (clientY - box.top) / box.height);
        };
        this.#ends.push(display.attach(canvas));
        listen('keydown', ({ code, repeat }) => repeat || input.key(code, true));
        listen('keyup', ({ code }) => input.key(code, false));
        listen('pointermove', place);
        listen('pointerdown', (event) => {
            canvas.focus();
            place(event);
            input.button(event.button, true);
        });
        listen('pointerup', ({ button }) => input.button(button, false));
        listen('wheel', ({ deltaX, deltaY }) => input.wheel(Math.sign(deltaX), -Math.sign(deltaY)));
        listen('contextmenu', () => {});
        listen('blur', () => input.leave());
    }

    #say(text, isError = false) {
        this.#message.textContent = text;
        this.#message.classList.toggle('error', isError);
    }

    #progress({ what, loaded, total }) {
        if (this.machine?.state === 'loading') {
            const percent = total ? ` ${Math.floor(100 * loaded / total)} %` : ` ${loaded >> 10} KiB`;
            this.#say(`Loading ${what}${percent}`);
        }
    }

    #state(state) {
        const texts = { running: '', paused: 'Paused', off: 'The machine is off', loading: 'Loading …' };
        if (state in texts) {
            this.#say(texts[state]);
        }
    }
}

// In Node, where there are no elements, the class is there but of no use.
globalThis.customElements?.get('rvkit-machine') ??
    globalThis.customElements?.define('rvkit-machine', RvkitMachineElement);
