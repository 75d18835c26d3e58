// SPDX-License-Identifier: MPL-2.0
// The page: starts the machine that it is told, and shows it.
import * as rvkit from './rvkit/index.js';
import { loadConfig, loadSettings, machineOptions, needsConsent, netKind, pageSettings, persistOf,
    queryOptions, settingKeys, takeToken } from './config.js';
import { DisplayView } from './display-view.js';
import { iconButton, setIcon, toast } from './dom.js';
import { droppedFiles, FilesPanel } from './files-panel.js';
import { openHelp } from './help.js';
import { fillKeyBar, Modifiers } from './keybar.js';
import * as messages from './messages.js';
import { keepOffline } from './offline.js';
import { ProgressBox } from './progress.js';
import { openSettings } from './settings.js';
import { SoundPlayer } from './rvkit/sound.js';
import { Status } from './status.js';
import { TerminalView } from './terminal-view.js';
import { setTheme } from './theme.js';
import { Views } from './views.js';
import { followViewport } from './viewport.js';

const byId = (id) => document.getElementById(id);
/** Milliseconds: what a machine's disks have to finish before another machine takes its place. */
const STOP_MS = 10_000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class App {
    #views = new Views(byId('tabs'), byId('views'));
    #modifiers = new Modifiers();
    #progress = new ProgressBox(byId('progress'));
    #status = new Status(byId('status'));
    #files = new FilesPanel(byId('panel'), (name, file) => this.#importDisk(name, file));
    #settings = pageSettings('');
    #token = takeToken();
    #config = null;
    #machine = null;
    #sound = null;
    #buttons = {};
    #booted = false;
    #watched = null;
    #lost = false;
    #warning = null; // of the machine

    async run() {
        setTheme(this.#settings.theme);
        this.#tools();
        this.#wire();
        followViewport();
        if (window.rvkitMissing) {
            return;
        }
        try {
            this.#settings = pageSettings();
            this.#applyPage(this.#settings);
        } catch (error) {
            this.#fail(error);
            return;
        }
        await this.start();
    }

    /** A new machine from what the page is told now. */
    async start() {
        await this.#end();
        messages.clear();
        try {
            this.#config = await loadConfig();
            if (!await this.#consent()) {
                return;
            }
            const options = machineOptions(this.#config, this.#token.token);
            this.#use(new rvkit.Machine(options));
        } catch (error) {
            this.#fail(error);
            return;
        }
        // Why it fails is told by its 'error' event.
        await this.#machine.start().catch(() => {});
    }

    async #end() {
        const machine = this.#machine;
        this.#machine = null;
        window.rvkit = { ...rvkit, machine: null, terminals: [], page: this };
        this.#sound?.close();
        this.#sound = null;
        this.#views.clear();
        this.#status.use(null);
        this.#progress.clear();
        this.#files.use(null, []);
        await machine?.stop({ timeout: STOP_MS }).catch((error) => console.error(error));
    }

    /** A link from elsewhere is not let at the network or the disks by itself. */
    async #consent() {
        const known = (() => {
            try {
                return sessionStorage.getItem('rvkit.allowed') === location.search;
            } catch {
                return false;
            }
        })();
        if (known || !needsConsent(this.#config, this.#token)) {
            return true;
        }
        const what = [
            netKind(this.#config, this.#token.token) === 'relay' && 'the network of this computer',
            this.#config.persist && `the disk “${persistOf(this.#config.persist).name}” of this browser`,
        ];
        return new Promise((resolve) => messages.show({
            title: 'Start the machine of this link?', kind: 'question', closable: false,
            text: [`The page’s address names ${this.#config.foreign.length
                ? `files from ${this.#config.foreign.join(', ')}` : 'options for the kernel'}.`,
            `What runs then can use ${what.filter(Boolean).join(' and ')}.`],
            actions: [{ label: 'Start it', run: () => {
                try {
                    sessionStorage.setItem('rvkit.allowed', location.search);
                } catch { /* it is asked again */ }
                resolve(true);
            } }, { label: 'Start the usual machine', run: () => {
                resolve(false);
                location.assign(location.pathname);
            } }],
        }));
    }

    #use(machine) {
        this.#machine = machine;
        this.#warning = null;
        const on = (type, listener) => machine.addEventListener(type, (event) => {
            if (machine === this.#machine) {
                listener(event.detail);
            }
        });
        on('state', (state) => this.#state(state));
        on('progress', (progress) => this.#progress.update(progress));
        on('error', (error) => this.#fail(error));
        on('net', (change) => this.#net(change));
        on('exit', ({ status }) => this.#off(status));
        on('warning', (warning) => {
            this.#warning = warning;
            console.warn(`rvkit: ${warning.message}`);
        });
        on('log', (line) => console.info(`rvkit: ${line}`));
        const page = {
            settings: this.#settings, modifiers: this.#modifiers,
            isShortcut: (event) => Boolean(shortcutOf(event)),
            onTitle: (view, title) => this.#views.retitle(view, title),
            onBell: (view) => this.#views.mark(view),
        };
        for (const item of machine.consoles) {
            this.#views.add(new TerminalView(item, page));
        }
        machine.displays.forEach((item, i) =>
            this.#views.add(new DisplayView(item, i, machine.input, page)));
        const terminals = this.#views.all.map(({ terminal }) => terminal).filter(Boolean);
        window.rvkit = { ...rvkit, machine, terminals, page: this };
        this.#sound = new SoundPlayer(machine);
        this.#status.use(machine, netKind(this.#config, this.#token.token));
        this.#views.select(Math.min(this.#config.tab, this.#views.all.length) - 1);
        if (!matchMedia('(pointer: coarse)').matches) {
            this.#views.current?.focus();
        }
    }

    #state(state) {
        const paused = state === 'paused';
        setIcon(this.#buttons.pause, paused ? 'play' : 'pause', paused ? 'Go on' : 'Pause');
        this.#buttons.pause.disabled = !['paused', 'running'].includes(state);
        this.#status.state(state);
        document.body.dataset.state = state;
        if (state !== 'running') {
            return;
        }
        this.#progress.clear();
        const { name } = persistOf(this.#config.persist);
        if (name) {
            navigator.storage?.persist?.().catch(() => {}); // else a browser that is short of room deletes it
        }
        // The name belongs to the first disk that can be written.
        const { drives } = this.#machine;
        const first = name ? drives.findIndex((drive) => !drive.readOnly) : -1;
        this.#files.use(this.#machine, drives.map((drive, i) => i === first ? { persist: name } : {}));
        if (!this.#booted) {
            keepOffline();
        }
        if (this.#watched !== this.#machine) {
            this.#watchFirstWords(this.#machine);
        }
        this.#booted = true;
    }

    /** A file that is no kernel runs as well: it only does nothing that could be seen. */
    async #watchFirstWords(machine) {
        this.#watched = machine;
        const silent = () => machine === this.#machine && machine.state === 'running' &&
            machine.displays.every(({ width }) => !width) &&
            this.#views.all.every(({ isEmpty }) => isEmpty !== false);
        // Of a file that looks like no kernel nothing much is to be expected.
        for (let seconds = 0; seconds < (this.#warning ? 1 : 10); seconds++) {
            await sleep(1000);
            if (!silent()) {
                return;
            }
        }
        messages.show({
            title: 'The guest shows nothing', kind: 'info', id: 'silent',
            text: this.#warning ? [`${this.#warning.message}.`, 'If that is meant to be so: it has written ' +
                'nothing yet. Else give it an Image or an ELF file for RV32.']
                : ['It has run for ten seconds and has written nothing. Is its kernel one for RV32, and its ' +
                'console one of this machine’s (console=hvc0, ttyS0)?'],
            actions: [{ label: 'Restart', run: () => this.start() },
                { label: 'Settings', run: () => this.#openSettings() }],
        });
        while (silent()) {
            await sleep(500);
        }
        messages.clear('silent');
    }

    #fail(error) {
        this.#progress.clear();
        const { title, text } = messages.explain(error);
        const running = this.#machine && ['running', 'paused'].includes(this.#machine.state);
        const word = running || this.#booted ? 'Restart' : 'Try again';
        const again = { label: word, run: () => this.start() };
        const settings = { label: 'Settings', run: () => this.#openSettings() };
        messages.show({
            title, text, id: error?.code ?? '', actions: error?.code === 'config'
                ? [{ label: 'Start the usual machine', run: () => location.assign(location.pathname) }]
                : [again, settings],
        });
        console.error(error);
    }

    #off(status) {
        messages.show({
            title: 'The machine is off', kind: 'info', id: 'off',
            text: status ? `It ended with status ${status}.` : '',
            actions: [{ label: 'Start again', run: () => this.#guarded(() => this.#machine.reset()) }],
        });
    }

    /** The relay comes and goes by itself; the package tries again. */
    #net({ up, why }) {
        this.#status.net(up, why);
        if (up) {
            messages.clear('net');
            if (this.#lost) {
                toast('The network is back.');
            }
            this.#lost = false;
        } else if (why && !this.#lost) {
            this.#lost = true;
            messages.show({
                title: 'The relay is not reachable', id: 'net', kind: 'info',
                text: [why, 'The guest’s cable is unplugged; the page keeps trying.'],
            });
        }
    }

    async #importDisk(name, file) {
        this.#files.close();
        await this.#end();
        try {
            await rvkit.stores.importOverlay(name, file);
            toast('The disk was imported.');
        } catch (error) {
            this.#fail(error);
            return;
        }
        await this.start();
    }

    // --- What is around the machine ---

    #tools() {
        const add = (key, image, label, run) => {
            this.#buttons[key] = iconButton(image, label, run);
            byId('tools').append(this.#buttons[key]);
        };
        add('pause', 'pause', 'Pause', () => this.#guarded(() =>
            this.#machine.state === 'paused' ? this.#machine.start() : this.#machine.pause()));
        add('reset', 'reset', 'Reset', () => this.#reset());
        add('find', 'search', 'Find in the terminal (Ctrl+Alt+F)', () => this.#find());
        add('files', 'files', 'Files and disks', () => this.#toggleFiles());
        add('full', 'full', 'Full screen', () => this.#fullScreen());
        add('settings', 'settings', 'Settings', () => this.#openSettings());
        add('help', 'help', 'Help', () => openHelp(rvkit.version));
        this.#buttons.pause.disabled = true;
        this.#buttons.files.setAttribute('aria-expanded', 'false');
        this.#buttons.files.setAttribute('aria-controls', 'panel');
        this.#buttons.full.hidden = !document.fullscreenEnabled;
        fillKeyBar(byId('keys').firstElementChild, this.#modifiers, () => this.#views.current);
    }

    #wire() {
        addEventListener('keydown', (event) => this.#shortcut(event), true);
        document.addEventListener('fullscreenchange', () => {
            const full = Boolean(document.fullscreenElement);
            const words = full ? 'Leave full screen' : 'Full screen';
            setIcon(this.#buttons.full, full ? 'window' : 'full', words);
        });
        this.#views.onchange = (view) => {
            this.#buttons.find.disabled = view.kind !== 'terminal';
        };
        this.#files.onclose = () => {
            this.#buttons.files.setAttribute('aria-expanded', 'false');
            this.#buttons.files.focus();
        };
        byId('panel').addEventListener('keydown', (event) => {
            if (event.key === 'Escape') {
                this.#files.close();
            }
        });
        // A page that listens for this is not kept behind the next one, where its machine would be
        // frozen with its disk in its hands.
        addEventListener('unload', () => {});
        addEventListener('pageshow', (event) => event.persisted && location.reload());
        this.#drops();
    }

    #drops() {
        const carries = (event) => event.dataTransfer?.types.includes('Files');
        const sign = byId('drop');
        addEventListener('dragover', (event) => {
            if (!carries(event)) {
                return;
            }
            event.preventDefault();
            event.dataTransfer.dropEffect = 'copy';
            sign.hidden = false;
        });
        addEventListener('dragleave', (event) => {
            if (!event.relatedTarget) {
                sign.hidden = true;
            }
        });
        addEventListener('drop', async (event) => {
            if (!carries(event)) {
                return;
            }
            event.preventDefault();
            sign.hidden = true;
            await this.#files.put(await droppedFiles(event.dataTransfer));
        });
    }

    #shortcut(event) {
        const what = shortcutOf(event);
        if (!what || document.querySelector('dialog[open]')) {
            return;
        }
        event.preventDefault();
        event.stopPropagation();
        if (what === 'find') {
            this.#find();
        } else if (what === 'tools') {
            this.#buttons.pause.parentElement.querySelector(':enabled').focus();
        } else {
            this.#views.select(what - 1);
            this.#views.current?.focus();
        }
    }

    async #guarded(run) {
        if (!this.#machine) {
            return;
        }
        try {
            await run();
        } catch (error) {
            this.#fail(error);
        }
    }

    /** Instead of a machine that failed: a new one. */
    #reset() {
        messages.clear('off');
        if (['running', 'paused', 'off'].includes(this.#machine?.state)) {
            return this.#guarded(() => this.#machine.reset());
        }
        return this.start();
    }

    #find() {
        const { search } = this.#views.current ?? {};
        if (search?.isOpen) {
            search.close();
        } else {
            search?.open();
        }
    }

    #toggleFiles() {
        if (this.#files.isOpen) {
            this.#files.close();
            return;
        }
        this.#files.open();
        this.#buttons.files.setAttribute('aria-expanded', 'true');
    }

    async #fullScreen() {
        if (document.fullscreenElement) {
            await document.exitFullscreen();
        } else {
            await document.documentElement.requestFullscreen({ navigationUI: 'hide' }).catch(() => {});
        }
    }

    #openSettings() {
        let overridden = [];
        try {
            const query = queryOptions(location.search);
            overridden = settingKeys.filter((key) => query[key] !== undefined);
        } catch { /* the message is there already */ }
        openSettings({
            page: this.#settings, overridden,
            machine: { ...this.#config, ...loadSettings() },
            onpage: (settings) => this.#applyPage(settings),
            onrestart: () => this.start(),
        });
    }

    #applyPage(settings) {
        Object.assign(this.#settings, settings);
        setTheme(settings.theme);
        const touch = matchMedia('(pointer: coarse)').matches;
        byId('keys').hidden = settings.keys === 'off' || settings.keys === 'auto' && !touch;
        for (const view of this.#views.all) {
            view.apply(settings);
        }
    }
}

/** A view's number, 'tools', 'find' or null. AltGr is no Ctrl+Alt. */
function shortcutOf(event) {
    if (event.type !== 'keydown' && event.type !== 'keyup') {
        return null;
    }
    if (!event.ctrlKey || !event.altKey || event.shiftKey || event.getModifierState('AltGraph')) {
        return null;
    }
    const digit = /^Digit(\d)$/.exec(event.code)?.[1];
    if (digit === '0') {
        return 'tools';
    }
    if (digit) {
        return Number(digit);
    }
    return event.code === 'KeyF' ? 'find' : null;
}

new App().run();
