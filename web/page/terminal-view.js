// SPDX-License-Identifier: MPL-2.0
// A console in xterm.js.
import { Terminal } from './vendor/xterm.mjs';
import { FitAddon } from './vendor/addon-fit.mjs';
import { SearchAddon } from './vendor/addon-search.mjs';
import { UnicodeGraphemesAddon } from './vendor/addon-unicode-graphemes.mjs';
import { WebLinksAddon } from './vendor/addon-web-links.mjs';
import { WebglAddon } from './vendor/addon-webgl.mjs';
import { attachTerminal } from './rvkit/index.js';
import { ask, el } from './dom.js';
import { SearchBar } from './search-bar.js';
import { onTheme, terminalThemes, theme } from './theme.js';

const fonts = 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono", ' +
    '"Liberation Mono", monospace, "Noto Color Emoji", "Apple Color Emoji", "Segoe UI Emoji"';

/** Where WebGL is a program instead of a graphics card, drawing by the DOM is much less work. */
function hasFastWebgl() {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('webgl2', { failIfMajorPerformanceCaveat: true });
    context?.getExtension('WEBGL_lose_context')?.loseContext();
    return context !== null;
}

export class TerminalView {
    kind = 'terminal';
    #console;
    #page;
    #ends = [];
    #fit = new FitAddon();
    #webgl = null;
    #clipboardAllowed = new Set();

    /** page: {settings, modifiers (what the key bar holds down), onTitle, onBell}. */
    constructor(console, page) {
        this.name = console.name;
        this.#console = console;
        this.#page = page;
        this.terminal = new Terminal({
            allowProposedApi: true, cursorBlink: false, fontFamily: fonts,
            fontSize: page.settings.fontSize, scrollback: page.settings.scrollback,
            screenReaderMode: page.settings.screenReader, theme: terminalThemes[theme()],
            minimumContrastRatio: 4.5, macOptionIsMeta: true, rightClickSelectsWord: true,
            linkHandler: { activate: (event, uri) => openLink(uri) },
        });
    }

    /** Nothing was ever written on it. */
    get isEmpty() {
        const { baseY, cursorX, cursorY } = this.terminal.buffer.normal;
        return baseY + cursorX + cursorY === 0;
    }

    open(panel) {
        const { terminal } = this;
        const host = el('div', { class: 'host' });
        panel.append(host);
        terminal.loadAddon(this.#fit);
        terminal.loadAddon(new UnicodeGraphemesAddon());
        terminal.loadAddon(new WebLinksAddon((event, uri) => openLink(uri)));
        const search = new SearchAddon();
        terminal.loadAddon(search);
        terminal.open(host);
        terminal.textarea.setAttribute('aria-label', `Terminal ${this.name}`);
        this.search = new SearchBar(search, () => terminal.focus());
        panel.append(this.search.element);
        terminal.attachCustomKeyEventHandler((event) => this.#key(event));
        this.#scrollByTouch(host);
        this.#follow(host);
        const attached = attachTerminal(this.#sticky(), this.#console, {
            fit: this.#fit,
            clipboard: (request) => this.#clipboard(request),
            onTitle: (title) => this.#page.onTitle(this, title),
            onBell: () => this.#page.onBell(this),
        });
        this.#ends.push(() => attached.dispose(), onTheme((name) => {
            terminal.options.theme = terminalThemes[name];
        }));
    }

    show() {
        const wanted = this.#page.settings.renderer;
        if (!this.#webgl && (wanted === 'webgl' || (wanted !== 'dom' && hasFastWebgl()))) {
            this.#useWebgl();
        }
        this.#fit.fit();
    }

    hide() {}

    focus() {
        this.terminal.focus();
    }

    apply(settings) {
        const { options } = this.terminal;
        options.fontSize = settings.fontSize;
        options.scrollback = settings.scrollback;
        options.screenReaderMode = settings.screenReader;
        this.#fit.fit();
    }

    /** What the key bar types. */
    press(key) {
        const cursor = this.terminal.modes.applicationCursorKeysMode ? '\x1bO' : '\x1b[';
        this.terminal.input(key.text ?? (key.cursor ? cursor + key.cursor : key.sequence), true);
    }

    paste(text) {
        this.terminal.paste(text);
    }

    dispose() {
        for (const end of this.#ends.splice(0)) {
            end();
        }
        this.search.dispose();
        this.terminal.dispose();
    }

    /** WebGL where there is one; after its context is lost the DOM renderer goes on. */
    #useWebgl() {
        try {
            const webgl = new WebglAddon();
            webgl.onContextLoss(() => webgl.dispose());
            this.terminal.loadAddon(webgl);
            this.#webgl = webgl;
            this.renderer = 'webgl';
            webgl.onContextLoss(() => {
                this.renderer = 'dom'; 
            });
        } catch {
            this.#webgl = {};
            this.renderer = 'dom';
        }
    }

    #follow(host) {
        let frame = 0;
        const observer = new ResizeObserver(() => {
            cancelAnimationFrame(frame);
            frame = requestAnimationFrame(() => {
                if (host.clientWidth > 40 && host.clientHeight > 20) {
                    this.#fit.fit();
                }
            });
        });
        observer.observe(host);
        this.#ends.push(() => observer.disconnect());
    }

    /** The terminal, where the key bar's Ctrl and Alt change the key that comes next. */
    #sticky() {
        const { modifiers } = this.#page;
        return new Proxy(this.terminal, {
            get: (target, name) => {
                if (name === 'onData') {
                    return (listener) => target.onData((data) => listener(modifiers.take(data)));
                }
                const value = Reflect.get(target, name, target);
                return typeof value === 'function' ? value.bind(target) : value;
            },
            set: (target, name, value) => Reflect.set(target, name, value, target),
        });
    }

    /** False: not for the guest. Ctrl+Shift+C and V are the person's; others are the page's. */
    #key(event) {
        if (this.#page.isShortcut(event)) {
            return false;
        }
        if (!event.ctrlKey || !event.shiftKey || event.altKey) {
            return true;
        }
        if (event.code === 'KeyC' && this.terminal.hasSelection()) {
            if (event.type === 'keydown') {
                navigator.clipboard?.writeText(this.terminal.getSelection());
                event.preventDefault();
            }
            return false;
        }
        return event.code !== 'KeyV'; // the browser pastes
    }

    /** Once for each console and direction: may the guest's programs use the clipboard? */
    async #clipboard({ action, text = '' }) {
        if (this.#clipboardAllowed.has(action)) {
            return true;
        }
        const question = action === 'read'
            ? [`A program on ${this.name} wants to read your clipboard.`]
            : [`A program on ${this.name} wants to put text into your clipboard:`,
                text.length > 200 ? `${text.slice(0, 200)}…` : text];
        const yes = await ask('Clipboard', question, 'Allow', 'Refuse');
        if (yes) {
            this.#clipboardAllowed.add(action);
        }
        this.terminal.focus();
        return yes;
    }

    /** Fingers move the lines; where a full-screen program runs they are cursor keys. */
    #scrollByTouch(host) {
        let last = null, rest = 0;
        host.addEventListener('touchstart', (event) => {
            last = event.touches.length === 1 ? event.touches[0].clientY : null;
            rest = 0;
        }, { passive: true });
        host.addEventListener('touchmove', (event) => {
            if (last === null || event.touches.length !== 1) {
                return;
            }
            const y = event.touches[0].clientY;
            const height = host.clientHeight / this.terminal.rows;
            rest += (last - y) / height;
            last = y;
            const lines = Math.trunc(rest);
            rest -= lines;
            if (lines) {
                this.#scroll(lines);
            }
            event.preventDefault();
        }, { passive: false });
    }

    #scroll(lines) {
        if (this.terminal.buffer.active.type === 'normal') {
            this.terminal.scrollLines(lines);
            return;
        }
        for (let i = 0; i < Math.min(Math.abs(lines), 5); i++) {
            this.press({ cursor: lines > 0 ? 'B' : 'A' });
        }
    }
}

/** Only what is surely a web page, and never with access to this one. */
function openLink(uri) {
    if (/^https?:/i.test(uri)) {
        window.open(uri, '_blank', 'noopener,noreferrer');
    }
}
