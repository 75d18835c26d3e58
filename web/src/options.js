// SPDX-License-Identifier: MPL-2.0
// MachineOptions checked, and with their defaults: what cannot be is said before anything is loaded.
import { RvkitError } from './errors.js';

export const HARTS_MAX = 16;
const MEMORY_MIN = 2 ** 20;
const MEMORY_MAX = 2 ** 31;
const UNITS = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

function wrong(message) {
    return new RvkitError('option', message);
}

/** Bytes from a number, "128M", "1G", "65536". */
export function parseSize(size, what = 'size') {
    if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) {
        return size;
    }
    const match = /^(\d+)([KMG]?)(?:i?B)?$/i.exec(typeof size === 'string' ? size.trim() : '');
    const bytes = match ? Number(match[1]) * UNITS[match[2].toUpperCase()] : NaN;
    if (!Number.isSafeInteger(bytes)) {
        throw wrong(`${what} ${size}: not a size; give one such as "128M" or "1G"`);
    }
    return bytes;
}

export function parseMemory(size, what = 'memory') {
    const bytes = parseSize(size, what);
    if (bytes < MEMORY_MIN) {
        throw wrong(`${what} ${size}: too little RAM; give at least 1M`);
    }
    if (bytes > MEMORY_MAX) {
        throw wrong(`${what} ${size}: too much RAM; the machine takes at most 2G`);
    }
    return bytes;
}

function parseHarts(harts) {
    if (!Number.isInteger(harts) || harts < 1 || harts > HARTS_MAX) {
        throw wrong(`harts ${harts}: the number of harts is 1 to ${HARTS_MAX}`);
    }
    return harts;
}

const VIRTIO = {
    legacy: { flag: 1, when: true },
    packed: { flag: 2, when: false },
    event_idx: { flag: 4, when: false },
    indirect_desc: { flag: 8, when: false },
    in_order: { flag: 16, when: true },
};

/** "legacy", "packed=off,in_order=on": the engine's flags. As native -virtio. */
export function parseVirtio(text) {
    let flags = 0;
    for (const word of text ? text.split(',') : []) {
        const [, name, state = 'on'] = /^([^=]*)(?:=(.*))?$/.exec(word);
        const feature = Object.hasOwn(VIRTIO, name) ? VIRTIO[name] : null;
        if (!feature || !['on', 'off'].includes(state)) {
            throw wrong('virtio: give legacy, packed, event_idx, indirect_desc or in_order, ' +
                `with =on or =off, not "${word}"`);
        }
        const set = (state === 'on') === feature.when;
        flags = set ? flags | feature.flag : flags & ~feature.flag;
        if (flags & 1 && ((name === 'packed' || name === 'in_order') && state === 'on')) {
            throw wrong(`virtio: the legacy interface has no ${name === 'packed' ? 'packed rings' : name}`);
        }
    }
    return flags & 1 ? flags & ~16 : flags;
}

const MAC = /^([0-9a-f]{1,2}[:-]){5}[0-9a-f]{1,2}$/i;

/** Six bytes; without a text a random address that is locally administered. */
export function parseMac(text) {
    if (text === undefined || text === null) {
        // Node 18 has no global crypto; nobody has to guess an address.
        const mac = globalThis.crypto?.getRandomValues(new Uint8Array(6)) ??
            Uint8Array.from({ length: 6 }, () => Math.random() * 256);
        mac[0] = (mac[0] & 0xfc) | 2;
        return mac;
    }
    if (!MAC.test(text)) {
        throw wrong(`mac ${text}: not an address such as 02:00:00:12:34:56`);
    }
    const mac = Uint8Array.from(text.split(/[:-]/), (byte) => parseInt(byte, 16));
    if (mac[0] & 1) {
        throw wrong(`mac ${text}: that is a group's address, not a card's`);
    }
    return mac;
}

function list(value) {
    return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
}

function atMost(items, max, what) {
    if (items.length > max) {
        throw wrong(`at most ${max} ${what}`);
    }
    return items;
}

/** Consoles of one kind are numbered: ttyS0, ttyS1, hvc0, … */
function parseConsoles(value) {
    const count = { serial: 0, virtio: 0 };
    const prefix = { serial: 'ttyS', virtio: 'hvc' };
    return list(value ?? ['serial']).map((item) => {
        const { type, name } = typeof item === 'string' ? { type: item } : item ?? {};
        if (!Object.hasOwn(count, type)) {
            throw wrong(`consoles: "${type}": give "serial" or "virtio"`);
        }
        if (count[type] === 4) {
            throw wrong(`consoles: at most 4 of type ${type}`);
        }
        return { type, name: String(name ?? `${prefix[type]}${count[type]++}`) };
    });
}

const NETS = ['websocket', 'broadcast', 'custom'];

function parseNets(value) {
    const nets = list(value).filter((net) => net.type !== 'none');
    for (const net of nets) {
        if (!NETS.includes(net.type)) {
            throw wrong(`net: type "${net.type}": give "none", "websocket", "broadcast" or "custom"`);
        }
        if (net.type === 'custom' && typeof net.link?.open !== 'function') {
            throw wrong('net: type "custom" needs a link with open(), send() and close()');
        }
        if (net.type === 'websocket' && !net.url) {
            throw wrong('net: type "websocket" needs a url');
        }
    }
    return atMost(nets, 4, 'network cards').map((net) => ({ ...net, mac: parseMac(net.mac) }));
}

function parseDisplays(value) {
    const displays = list(value).map(({ type = 'gpu', width = 1024, height = 768 }) => {
        if (!['gpu', 'framebuffer'].includes(type)) {
            throw wrong(`display: type "${type}": give "gpu" or "framebuffer"`);
        }
        if (![width, height].every((n) => Number.isInteger(n) && n > 0 && n <= 16384)) {
            throw wrong(`display: ${width}x${height} is no size`);
        }
        return { type, width, height };
    });
    if (displays.filter(({ type }) => type === 'framebuffer').length > 1) {
        throw wrong('display: at most one of type "framebuffer"');
    }
    return atMost(displays, 4, 'displays');
}

export const INPUT_KINDS = { keyboard: 1, mouse: 2, tablet: 4, touch: 8 };

function parseInput(value, displays) {
    const kinds = value ?? (displays.length ? Object.keys(INPUT_KINDS) : []);
    return list(kinds).reduce((mask, kind) => {
        if (!Object.hasOwn(INPUT_KINDS, kind)) {
            throw wrong(`input: "${kind}": give ${Object.keys(INPUT_KINDS).join(', ')}`);
        }
        return mask | INPUT_KINDS[kind];
    }, 0);
}

function parseShares(value) {
    const tags = new Set();
    return atMost(list(value), 8, 'shares').map(({ tag, fs = '9p', limit = '256M' }) => {
        if (!/^[A-Za-z0-9._-]{1,31}$/.test(tag ?? '')) {
            throw wrong(`shares: the tag "${tag}": up to 31 letters, digits, '.', '_' and '-'`);
        }
        if (tags.has(tag)) {
            throw wrong(`shares: the tag ${tag} is given twice`);
        }
        tags.add(tag);
        if (!['9p', 'virtiofs'].includes(fs)) {
            throw wrong(`shares: fs "${fs}": give "9p" or "virtiofs"`);
        }
        return { tag, fs, limit: parseSize(limit, 'shares: limit') };
    });
}

function isPlainDrive(item) {
    return item !== null && typeof item === 'object' && 'source' in item;
}

function parseDrives(value) {
    return atMost(list(value), 16, 'drives').map((item) => {
        const drive = isPlainDrive(item) ? item : { source: item };
        if (drive.source === undefined || drive.source === null) {
            throw wrong('drives: a drive needs a source');
        }
        if (drive.persist !== undefined && drive.ephemeral) {
            throw wrong('drives: persist and ephemeral exclude each other');
        }
        return drive;
    });
}

/** @param {import('./index.d.ts').MachineOptions} options */
export function parseOptions(options) {
    const o = options ?? {};
    if (!o.kernel && !o.bios) {
        throw wrong('nothing to run: give a kernel or bios (firmware)');
    }
    if (o.initrd && !o.kernel) {
        throw wrong('initrd needs a kernel that uses it');
    }
    const displays = parseDisplays(o.display);
    return {
        memory: parseMemory(o.memory ?? '128M'),
        harts: parseHarts(o.harts ?? 1),
        virtio: parseVirtio(o.virtio),
        icount: Boolean(o.icount),
        consoles: parseConsoles(o.consoles),
        drives: parseDrives(o.drives),
        shares: parseShares(o.shares),
        nets: parseNets(o.net),
        displays,
        input: parseInput(o.input, displays),
        sound: Boolean(o.sound),
        files: ['bios', 'kernel', 'initrd', 'dtb'].filter((what) => o[what]).map((what) => [what, o[what]]),
        cmdline: o.cmdline,
        append: o.append,
        worker: o.worker ?? true,
        wasm: o.wasm,
        signal: o.signal,
    };
}
