// SPDX-License-Identifier: MPL-2.0
// The command line: native rvkit's options with native rvkit's meaning (src/frontends/options.c).
import { RvkitError } from '../../src/errors.js';
import { HARTS_MAX, parseMemory, parseVirtio } from '../../src/options.js';

const DRIVES_MAX = 16;
const APPEND = 'append';

function usage(message) {
    return new RvkitError('usage', message);
}

/* names, the value's name (null: none), what is done with it, help (null: not on the page) */
const rows = [
    ['What to run'],
    ['bios bootrom', 'FILE', once('bios'),
        'M-mode firmware, ELF or flat (OpenSBI, bare metal);\n' +
        'without it, a built-in SBI starts the kernel'],
    ['k kernel', 'FILE', once('kernel'), 'kernel: a Linux Image, ELF, or flat'],
    ['initrd', 'FILE', once('initrd'), 'initial RAM disk (cpio archive)'],
    ['cmdline', 'TEXT', set('cmdline'), 'kernel command line, instead of the default'],
    ['append', 'TEXT', (o, name, value) => o[APPEND].push(value), 'added to the kernel command line'],
    ['dtb', 'FILE', once('dtb'), 'device tree blob, instead of the generated one'],
    ['dumpdtb', 'FILE', once('dumpdtb'), 'write the generated device tree to FILE'],
    ['The machine'],
    ['m mem', 'SIZE', (o, name, value) => {
        o.memory = parsed(() => parseMemory(value, '-m'));
    }, 'RAM, such as 64M or 1G (default 256M, at most 2G)'],
    ['s smp', 'N', setHarts, `number of harts, 1 to ${HARTS_MAX} (default 1)`],
    ['rv32', null, () => {}, '32-bit RISC-V: always so'],
    ['icount', null, flag('icount'), 'time from executed instructions'],
    ['virtio', 'HOW', (o, name, value) => {
        parsed(() => parseVirtio(value), '-');
        o.virtio = value;
    }, 'how the VirtIO devices talk, a list with commas:\n' +
        'legacy, packed=off, event_idx=off, indirect_desc=off,\nin_order=on'],
    ['nojit', null, () => {}, 'interpret only: always so in this version'],
    ['Disks'],
    ['drive', 'DISK', (o, name, value) => addDrive(o, parseDrive(value)),
        'FILE[,ro][,cow=OVERLAY] as a virtio-blk disk\n' +
        '(repeat for more); ro: never written;\n' +
        'cow: what is written goes to OVERLAY'],
    ['Network'],
    ['net', 'WHERE', addNet,
        'a virtio-net card on a relay, ws://HOST/PATH, or none\n' +
        '(the default); Node 22 or later'],
    ['nonet', null, flag('nonet'), 'no network card'],
    ['Input and output'],
    ['script', 'FILE', once('script'), 'play a script instead of the keyboard (- is stdin)'],
    ['log', 'FILE', once('log'), 'write messages to FILE instead of stderr'],
    ['version', null, flag('version'), 'print the version'],
    ['h help H', null, flag('help'), 'print this page'],
    ['image i nvme', 'FILE', (o, name, value) => {
        addDrive(o, { source: value });
        o.notes.push(`-${name} is a virtio-blk disk here: /dev/vda`);
    }, null],
    ['noisolation', null, note('has no effect: the process is not isolated'), null],
    ['jitcache', 'SIZE', note('has no effect: this version only interprets'), null],
    ['v verbose', null, note('has no effect: there are no more messages here'), null],
    ['nographic', null, () => {}, null],
    ...missing('sound share portfwd serial console port monitor attach vsock balloon signature trace d',
        'is an option of the native rvkit; this one does without'),
    ...missing('gpu res font poweroff_key nosound nogui', 'needs a window: rvkit-sdl, or a page in a browser'),
    ...missing('ata', 'rvkit has no ATA; use -drive FILE (/dev/vda)'),
    ...missing('bochs_display', 'rvkit has no Bochs display'),
    ...missing('vfio_pci', 'rvkit has no PCI passthrough'),
    ...missing('gdbstub', 'this version has no GDB stub'),
    ...missing('riscv_aia', 'rvkit has a PLIC, no AIA'),
    ...missing('hda_test', 'rvkit has no HD Audio'),
    ...missing('rv64', 'rvkit is a 32-bit machine (rv32)'),
    ...missing('isa', "the harts always have all extensions of rvkit's rv32"),
];

function missing(names, why) {
    const refuse = (o, name) => {
        throw usage(`-${name}: ${why}`);
    };
    return names.split(' ').map((name) => [name, undefined, refuse, null]);
}

function set(field) {
    return (o, name, value) => {
        o[field] = value;
    };
}

function flag(field) {
    return (o) => {
        o[field] = true;
    };
}

function note(text) {
    return (o, name) => o.notes.push(`-${name} ${text}`);
}

function once(field) {
    return (o, name, value) => {
        if (!value) {
            throw usage(`-${name}: the name is empty`);
        }
        if (o[field] !== undefined) {
            throw usage(`-${name} is given twice: ${o[field]} and ${value}`);
        }
        o[field] = value;
    };
}

/** A wrong value, in the command line's words. */
function parsed(fn, prefix = '') {
    try {
        return fn();
    } catch (error) {
        throw usage(prefix + error.message);
    }
}

function setHarts(o, name, value) {
    o.harts = /^\d+$/.test(value) ? Number(value) : 0;
    if (o.harts < 1 || o.harts > HARTS_MAX) {
        throw usage(`-smp ${value}: the number of harts is 1 to ${HARTS_MAX}`);
    }
}

function addDrive(o, drive) {
    if (!drive.source) {
        throw usage('-drive: the name is empty');
    }
    if (o.drives.length === DRIVES_MAX) {
        throw usage(`-drive: at most ${DRIVES_MAX} disks`);
    }
    o.drives.push(drive);
}

/** FILE[,ro][,cow=OVERLAY]; a comma in a name is written twice. */
function parseDrive(text) {
    const [source, ...words] = text.replaceAll(',,', '\0').split(',').map((word) => word.replaceAll('\0', ','));
    const drive = { source };
    for (const word of words) {
        if (word === 'ro') {
            drive.readOnly = true;
        } else if (word.startsWith('cow=') && word.length > 4) {
            drive.persist = word.slice(4);
        } else {
            throw usage(`-drive ${text}: "${word}" is not known; there are ro and cow=OVERLAY`);
        }
    }
    if (drive.readOnly && drive.persist) {
        throw usage(`-drive ${text}: ro and cow= exclude each other`);
    }
    return drive;
}

function addNet(o, name, value) {
    if (value === 'none') {
        o.nonet = true;
        return;
    }
    const [url, mac] = value.split(/,mac=/);
    if (!/^wss?:\/\//.test(url)) {
        throw usage(`-net ${value}: here a network is a relay's address, such as ws://127.0.0.1:8080/net, or none`);
    }
    o.nets.push({ type: 'websocket', url, mac });
}

function find(name) {
    return rows.find(([names, ...rest]) => rest.length && names.split(' ').includes(name));
}

/** @returns {object} what the command line says, or throws an RvkitError with code 'usage' */
export function parseArguments(args) {
    const o = { append: [], drives: [], nets: [], notes: [] };
    let onlyFiles = false;
    for (let i = 0; i < args.length; i++) {
        const arg = args[i];
        if (onlyFiles || !/^-./.test(arg)) {
            once('bios')(o, 'bios', arg);
            continue;
        }
        if (arg === '--') {
            onlyFiles = true;
            continue;
        }
        const [, name, , inline] = /^--?([^=]*)(=([^]*))?$/.exec(arg);
        const row = find(name);
        if (!row) {
            throw usage(`unknown option -${name} (rvkit -h lists all)`);
        }
        const [, valueName, apply] = row;
        if (valueName === null && inline !== undefined) {
            throw usage(`-${name} takes no value`);
        }
        let value = inline;
        if (valueName && value === undefined) {
            value = args[++i];
            if (value === undefined) {
                throw usage(`-${name} needs a value: -${name} ${valueName}`);
            }
        }
        apply(o, name, value);
    }
    return check(o);
}

function check(o) {
    if (o.help || o.version) {
        return o;
    }
    if (!o.bios && !o.kernel) {
        throw usage('nothing to run: give a kernel (-k FILE) or firmware; rvkit -h explains');
    }
    if (o.initrd && !o.kernel) {
        throw usage('-initrd needs a kernel (-k FILE) that uses it');
    }
    if (o.icount && !o.nonet && o.nets.length) {
        throw usage('-icount cannot have a network: no two runs would be identical');
    }
    return o;
}

function helpLine([names, value, , text]) {
    const left = names.split(' ').map((name) => `-${name}`).join(', ') + (value ? ` ${value}` : '');
    return `  ${left.padEnd(22)} ${text.replaceAll('\n', `\n${' '.repeat(25)}`)}`;
}

export function helpText() {
    const lines = rows.filter((row) => row.length === 1 || row[3])
        .map((row) => row.length === 1 ? `\n${row[0]}:` : helpLine(row));
    return `rvkit runs RISC-V (RV32) systems: Linux, firmware, bare-metal programs. In Node, by WebAssembly.

Usage: npx rvkit [FIRMWARE] [-k KERNEL] [OPTION]...

Files may also be URLs. Options may be written with one dash or two; -name VALUE or -name=VALUE.
In the terminal: Ctrl-A x exits, Ctrl-A h helps, Ctrl-A Ctrl-A sends Ctrl-A.
${lines.join('\n')}

Exit status: 0 the guest powered off (or the script's or the test program's own
status), 1 something failed, 2 wrong usage, 3 a script waited in vain.
Other options of native rvkit are refused by name.
`;
}
