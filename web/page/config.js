// SPDX-License-Identifier: MPL-2.0
// What machine the page runs: machine.json beside the page, then what the person has set (kept in
// this browser), then the page's address. docs/web.md tells the options.

/** What can be set, what it is, and what it is when nobody says anything. */
const defaults = {
    kernel: '', initrd: '', bios: '', dtb: '',
    memory: '128M', harts: 1, cmdline: '', append: '', virtio: '', icount: false,
    drives: [], persist: '', consoles: ['virtio', 'serial'], share: 'host',
    net: 'auto', relay: '', lan: 'rvkit', display: false, sound: false, tab: 1,
};

/** What the settings dialog may keep: of the machine, and of the page itself. */
export const settingKeys = ['memory', 'harts', 'append', 'net', 'display', 'sound', 'persist'];
export const pageDefaults = {
    theme: 'auto', fontSize: 14, scrollback: 5000, screenReader: false, keys: 'auto', renderer: 'auto',
};

const storeKey = 'rvkit.settings';

export class ConfigError extends Error {
    code = 'config';
}

/** The person's settings; {} when there are none, or the browser keeps nothing. */
export function loadSettings() {
    try {
        const value = JSON.parse(localStorage.getItem(storeKey) ?? '{}');
        return value && typeof value === 'object' ? value : {};
    } catch {
        return {};
    }
}

/** False: the browser keeps nothing. */
export function saveSettings(settings) {
    try {
        localStorage.setItem(storeKey, JSON.stringify(settings));
        return true;
    } catch {
        return false;
    }
}

/** How the page itself looks. */
export function pageSettings(search = location.search) {
    const kept = loadSettings();
    const result = { ...pageDefaults };
    for (const key of Object.keys(pageDefaults)) {
        if (kept[key] !== undefined) {
            result[key] = kept[key];
        }
    }
    const query = new URLSearchParams(search);
    if (['light', 'dark', 'auto'].includes(query.get('theme'))) {
        result.theme = query.get('theme');
    }
    if (query.has('font')) {
        result.fontSize = bounded(query.get('font'), 'font', 6, 40);
    }
    if (query.has('scrollback')) {
        result.scrollback = bounded(query.get('scrollback'), 'scrollback', 0, 1e6);
    }
    if (query.has('reader')) {
        result.screenReader = truth(query.get('reader'), 'reader');
    }
    if (['webgl', 'dom', 'auto'].includes(query.get('renderer'))) {
        result.renderer = query.get('renderer');
    }
    return result;
}

function bounded(text, name, low, high) {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < low || value > high) {
        throw new ConfigError(`${name}=${text}: it is a number from ${low} to ${high}`);
    }
    return value;
}

function truth(text, name) {
    if (['', '1', 'on', 'yes', 'true'].includes(text)) {
        return true;
    }
    if (['0', 'off', 'no', 'false'].includes(text)) {
        return false;
    }
    throw new ConfigError(`${name}=${text}: it is 1 or 0`);
}

/** "128M" → bytes. */
export function sizeOf(text, name = 'size') {
    const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(String(text).trim());
    if (!match) {
        throw new ConfigError(`${name}=${text}: sizes look like 64M or 1G`);
    }
    return Math.floor(match[1] * 1024 ** ' kmg'.indexOf(match[2].toLowerCase() || ' '));
}

function displayOf(text) {
    const size = /^(?:(gpu|fb),?)?(?:(\d+)x(\d+))?$/.exec(text);
    if (size && text) {
        const [, kind = 'gpu', width, height] = size;
        return {
            type: kind === 'fb' ? 'framebuffer' : 'gpu',
            ...(width ? { width: bounded(width, 'display', 64, 4096) } : {}),
            ...(height ? { height: bounded(height, 'display', 64, 4096) } : {}),
        };
    }
    return truth(text, 'display') && { type: 'gpu' };
}

/** The options in the page's address, checked. */
export function queryOptions(search) {
    const query = new URLSearchParams(search);
    const options = {};
    for (const key of ['kernel', 'initrd', 'bios', 'dtb', 'cmdline', 'append', 'virtio', 'persist',
        'relay', 'lan', 'share']) {
        if (query.has(key)) {
            options[key] = query.get(key) === 'none' ? '' : query.get(key);
        }
    }
    if (options.relay) {
        addressOf('relay', options.relay, location.href);
    }
    if (query.has('memory')) {
        sizeOf(query.get('memory'), 'memory');
        options.memory = query.get('memory');
    }
    if (query.has('harts')) {
        options.harts = bounded(query.get('harts'), 'harts', 1, 16);
    }
    if (query.has('tab')) {
        options.tab = bounded(query.get('tab'), 'tab', 1, 9);
    }
    if (query.has('icount')) {
        options.icount = truth(query.get('icount'), 'icount');
    }
    if (query.has('sound')) {
        options.sound = truth(query.get('sound'), 'sound');
    }
    if (query.has('display')) {
        options.display = displayOf(query.get('display'));
    }
    if (query.has('drive')) {
        options.drives = query.getAll('drive').map(driveOf);
    }
    if (query.has('consoles')) {
        options.consoles = consolesOf(query.get('consoles'));
    }
    if (query.has('net')) {
        options.net = query.get('net');
        if (!['auto', 'off', 'relay', 'lan'].includes(options.net)) {
            throw new ConfigError(`net=${options.net}: it is off, relay or lan`);
        }
    }
    // Firmware or a kernel of one's own goes without the page's own one.
    if (options.bios && !query.has('kernel')) {
        options.kernel = '';
    }
    if (options.bios && !query.has('initrd')) {
        options.initrd = '';
    }
    return options;
}

function driveOf(text) {
    const [, source, readOnly] = /^(.*?)(,ro)?$/.exec(text);
    if (!source) {
        throw new ConfigError('drive=: the address of a disk image is missing');
    }
    return { source, ...(readOnly ? { readOnly: true } : {}) };
}

function consolesOf(text) {
    const kinds = text.split(',');
    const wrong = kinds.find((kind) => !['serial', 'virtio'].includes(kind));
    if (wrong !== undefined) {
        throw new ConfigError(`consoles=${text}: they are serial and virtio`);
    }
    return kinds;
}

/** The whole configuration, with addresses made absolute. */
export async function loadConfig(search = location.search, base = document.baseURI) {
    const query = new URLSearchParams(search);
    const where = new URL(addressOf('config', query.get('config') || 'machine.json', base));
    const response = await fetch(where).catch(() => null);
    if (!response?.ok && query.has('config')) {
        throw new ConfigError(`config=${query.get('config')}: ${response ? `the server answers ${
            response.status}` : 'it cannot be reached'}`);
    }
    const file = response?.ok ? await response.json().catch(() => {
        throw new ConfigError(`${where.pathname} is no JSON`);
    }) : {};
    const kept = loadSettings();
    const settings = Object.fromEntries(settingKeys.filter((key) => kept[key] !== undefined)
        .map((key) => [key, kept[key]]));
    const config = { ...defaults, ...absolute(file, where), ...settings,
        ...absolute(queryOptions(search), base) };
    if (typeof config.display === 'string') {
        config.display = displayOf(config.display);
    }
    if (config.display === true) {
        config.display = { type: 'gpu' };
    }
    config.foreign = foreignSources(config, base);
    const own = new URL(base).origin;
    if (where.origin !== own && !config.foreign.includes(where.origin)) {
        config.foreign.unshift(where.origin);
    }
    config.linked = query.has('append') || query.has('cmdline') || query.has('relay');
    return config;
}

function addressOf(name, text, base) {
    try {
        return new URL(text, base).href;
    } catch {
        throw new ConfigError(`${name}=${text}: it is no address`);
    }
}

function absolute(options, base) {
    const result = { ...options };
    for (const key of ['kernel', 'initrd', 'bios', 'dtb']) {
        if (result[key]) {
            result[key] = addressOf(key, result[key], base);
        }
    }
    if (result.drives) {
        result.drives = result.drives.map((drive) =>
            ({ ...drive, source: addressOf('drive', drive.source ?? drive, base) }));
    }
    return result;
}

/** Hosts, other than the page's, that the machine is loaded from. */
function foreignSources(config, base) {
    const own = new URL(base).origin;
    const all = [config.kernel, config.initrd, config.bios, config.dtb,
        ...config.drives.map((drive) => drive.source)];
    return [...new Set(all.filter(Boolean).map((url) => new URL(url).origin))]
        .filter((origin) => origin !== own);
}

/**
 * The relay's token: in the address after '#' at first, which then goes out of sight (and out of
 * what people copy from the address bar); kept for this tab. {token, fresh}.
 */
export function takeToken() {
    const match = /(?:^#|&)token=([0-9A-Za-z_-]+)/.exec(location.hash);
    try {
        if (match) {
            sessionStorage.setItem('rvkit.token', match[1]);
        }
        const token = match?.[1] ?? sessionStorage.getItem('rvkit.token') ?? '';
        if (match) {
            history.replaceState(history.state, '', location.pathname + location.search);
        }
        return { token, fresh: Boolean(match) };
    } catch {
        return { token: match?.[1] ?? '', fresh: Boolean(match) };
    }
}

/** 'off', 'relay' or 'lan'. */
export function netKind(config, token) {
    if (config.net !== 'auto') {
        return config.net;
    }
    return config.relay || token ? 'relay' : 'off';
}

function relayUrl(config, token) {
    if (config.relay) {
        const url = new URL(addressOf('relay', config.relay, location.href));
        url.protocol = url.protocol.replace(/^http/, 'ws');
        return url.href;
    }
    const url = new URL('net', location.href);
    url.protocol = url.protocol.replace(/^http/, 'ws');
    url.search = token ? `?token=${encodeURIComponent(token)}` : '';
    url.hash = '';
    return url.href;
}

/**
 * A link from elsewhere must not run programs of its own on the person's network or disks
 * unasked. True: ask before the machine starts. Who gives the relay's token may use the relay; that
 * says nothing about disks, since any link can have something of this form.
 */
export function needsConsent(config, { token, fresh }) {
    const theirs = config.foreign.length > 0 || config.linked;
    const reaches = (netKind(config, token) === 'relay' && !fresh) || config.persist;
    return Boolean(theirs && reaches);
}

function netOptions(config, token) {
    switch (netKind(config, token)) {
    case 'relay': return { type: 'websocket', url: relayUrl(config, token) };
    case 'lan': return { type: 'broadcast', channel: config.lan };
    default: return { type: 'none' };
    }
}

/** persist is NAME or NAME:SIZE. */
export function persistOf(text) {
    const [, name, size] = /^([^:]*)(?::(.*))?$/.exec(text);
    if (text && !/^[\w.-]{1,64}$/.test(name)) {
        throw new ConfigError(`persist=${text}: a name has letters, digits, '.', '_' and '-'`);
    }
    return { name, size: sizeOf(size || '256M', 'persist') };
}

/** What `new Machine()` takes. */
export function machineOptions(config, token) {
    const options = { memory: config.memory, harts: config.harts, consoles: config.consoles,
        net: netOptions(config, token) };
    for (const key of ['kernel', 'initrd', 'bios', 'dtb', 'append', 'virtio', 'sound', 'icount']) {
        if (config[key]) {
            options[key] = config[key];
        }
    }
    const cmdline = config.cmdline || defaultCmdline(config);
    if (cmdline) {
        options.cmdline = cmdline;
    }
    if (config.share) {
        options.shares = [{ tag: config.share, fs: '9p' }];
    }
    if (config.display) {
        options.display = config.display;
    }
    const drives = config.drives.map((drive) => ({ ephemeral: !drive.readOnly, ...drive }));
    const { name, size } = persistOf(config.persist);
    if (name) {
        const first = drives.find((drive) => !drive.readOnly);
        if (first) {
            Object.assign(first, { persist: name, ephemeral: false });
        } else {
            drives.push({ source: `blank:${size}`, persist: name });
        }
    }
    if (drives.length) {
        options.drives = drives;
    }
    return options;
}

/** The virtio console knows the terminal's size, so it is the main one where there is one. */
function defaultCmdline(config) {
    if (config.bios || !config.consoles.includes('virtio')) {
        return '';
    }
    return `${config.display ? 'console=tty0 ' : ''}console=hvc0`;
}
