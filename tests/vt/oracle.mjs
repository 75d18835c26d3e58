// SPDX-License-Identifier: MPL-2.0
// node oracle.mjs MODULES DUMP SEED COUNT [RECORDING...]   compares this terminal with @xterm/headless, case by case.
// node oracle.mjs MODULES bench FILE                       tells @xterm/headless's MB/s.
import {spawnSync} from 'node:child_process';
import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';
import {generate} from './generate.mjs';
import {amend, amendments} from './amend.mjs';

const [modules, dump, ...rest] = process.argv.slice(2);
const require = createRequire(modules + '/');
const {Terminal} = require('@xterm/headless');
const {Unicode11Addon} = require('@xterm/addon-unicode11');

function terminal(cols, rows, scrollback) {
    const t = new Terminal({cols, rows, scrollback, allowProposedApi: true, logLevel: 'off',
        windowOptions: {pushTitle: true, popTitle: true, getWinSizeChars: true}});
    t.loadAddon(new Unicode11Addon());
    t.unicode.activeVersion = '11';
    return t;
}

const kind = v => v & 0x3000000;
const color = v => kind(v) === 0 ? 0 : kind(v) === 0x3000000 ? v & 0x3ffffff : v & 0x30000ff;

// xterm.js forgets a link when the line on which it began is gone; its cells do not.
const links = new Map();
function keepLinks(t) {
    const service = t._core._oscLinkService, register = service.registerLink;
    links.clear();
    service.registerLink = function (link) {
        const id = register.call(this, link);
        links.set(id, link.uri);
        return id;
    };
}

function cellText(t, line, x) {
    const chars = line.getString(x), fg = line.getFg(x), bg = line.getBg(x);
    const extended = bg & 0x10000000 ? line._extendedAttrs[x] : undefined;
    let flags = 0;
    [0x8000000, 0, 0, 0x4000000, 0x40000000, 0x80000000, 0x20000000].forEach((bit, i) => flags |= fg & bit ? 1 << i : 0);
    [0, 0x8000000, 0x4000000, 0, 0, 0, 0, 0x40000000, 0x20000000].forEach((bit, i) => flags |= bg & bit ? 1 << i : 0);
    const style = fg & 0x10000000 ? extended ? extended._ext >>> 26 & 7 : 1 : 0;
    const under = style && extended && ~extended.underlineColor ? color(extended.underlineColor) : 0;
    const link = extended && extended.urlId ? links.get(extended.urlId) : '';
    const codes = Array.from(chars, c => c.codePointAt(0).toString(16)).join('+');
    return `${codes}/${line.getWidth(x)}/${color(fg).toString(16)}/${color(bg).toString(16)}/${flags.toString(16)}` +
        `/${style}/${(under === 0x3ffffff ? 0 : under).toString(16)}/${link}`;
}

function rowText(t, line, row) {
    let out = `${row}${line.isWrapped ? 'w' : ''}`, last = null, run = 0;
    for (let x = 0; x < t.cols; x++) {
        const now = cellText(t, line, x);
        if (run && now !== last) {
            out += ` ${run}*${last}`;
            run = 0;
        }
        last = now;
        run++;
    }
    return `${out} ${run}*${last}`;
}

function tell(c) {
    const t = terminal(c.cols, c.rows, c.scrollback);
    let replies = '', bells = 0, title = '';
    amend(t);
    keepLinks(t);
    t.onData(d => replies += Buffer.from(d, 'utf8').toString('hex'));
    t.onBell(() => bells++);
    t.onTitleChange(v => title = v);
    const decoder = new TextDecoder('utf-8', {ignoreBOM: true});
    for (const part of [c.bytes.subarray(0, c.cut), c.bytes.subarray(c.cut)]) {
        t._core.writeSync(decoder.decode(part, {stream: true}));
    }
    const b = t._core.buffer, core = t._core.coreService, m = core.decPrivateModes, mouse = t._core.coreMouseService;
    const shape = m.cursorStyle === 'underline' ? 1 : m.cursorStyle === 'bar' ? 2 : 0;
    const n = v => v ? 1 : 0;
    const out = [`replies ${replies}`, `bells ${bells}`, `title ${title}`,
        `cursor ${b.y} ${Math.min(b.x, t.cols - 1)} ${n(b.x >= t.cols)} ${n(!core.isCursorHidden)} ${shape} ${n(m.cursorBlink ?? t.options.cursorBlink)}`,
        'modes ' + [m.applicationCursorKeys, m.applicationKeypad, m.origin, m.wraparound, m.reverseWraparound, core.modes.insertMode,
            t.options.convertEol, m.bracketedPasteMode, m.sendFocus, m.synchronizedOutput,
            t._core._bufferService.buffers.active === t._core._bufferService.buffers.alt].map(n).join('') +
        ` ${['NONE', 'X10', 'VT200', 'DRAG', 'ANY'].indexOf(mouse.activeProtocol)} ${['DEFAULT', 'SGR', 'SGR_PIXELS'].indexOf(mouse.activeEncoding)}`];
    for (let row = -b.ybase; row < t.rows; row++) {
        out.push(rowText(t, b.lines.get(b.ybase + row), row));
    }
    t.dispose();
    return out.join('\n');
}

function compare(cases) {
    const input = [];
    for (const c of cases) {
        const head = Buffer.alloc(20);
        [c.cols, c.rows, c.scrollback, c.cut, c.bytes.length].forEach((v, i) => head.writeUInt32LE(v, 4 * i));
        input.push(head, c.bytes);
    }
    const run = spawnSync(dump, [], {input: Buffer.concat(input), maxBuffer: 1 << 30});
    const told = run.stdout.toString('utf8').split('\nend\n');
    let bad = run.status === 0 && told.length === cases.length + 1 ? 0 : cases.length;
    for (let i = 0; i < cases.length; i++) {
        const want = tell(cases[i]);
        if (told[i] !== want) {
            bad++;
            if (shown++ < 5) {
                const a = want.split('\n'), b = (told[i] ?? '').split('\n');
                console.log(`# case ${cases[i].name}, ${cases[i].cols}x${cases[i].rows}: ${JSON.stringify(cases[i].bytes.toString('utf8')).slice(-1500)}`);
                a.forEach((line, j) => line !== b[j] && console.log(`#  xterm: ${line.slice(0, 600)}\n#  rvkit: ${(b[j] ?? '').slice(0, 600)}`));
            }
        }
    }
    return bad;
}

function check(name, good) {
    console.log(`${good ? 'ok' : 'not ok'} ${name}`);
    good ? passed++ : failed++;
}

let shown = 0, passed = 0, failed = 0;
if (dump === 'bench') {
    const bytes = readFileSync(rest[0]), t = terminal(80, 24, 10000), start = process.hrtime.bigint();
    let total = 0, ns = 0;
    while (ns < 1e9) {
        t._core.writeSync(new Uint8Array(bytes));
        total += bytes.length;
        ns = Number(process.hrtime.bigint() - start);
    }
    console.log(Math.round(total / ns * 1e3));
    process.exit(0);
}
const [seed, count, ...recordings] = rest;
const listed = readFileSync(new URL('differences.txt', import.meta.url), 'utf8');
for (const name in amendments) {
    if (!listed.includes(`\n${name}\n`)) {
        check(`${name} is in differences.txt`, false);
    }
}
let differ = 0, sequences = 0, cells = 0;
for (let from = 0; from < Number(count); from += 500) {
    const cases = [];
    for (let i = from; i < Math.min(from + 500, Number(count)); i++) {
        const c = {...generate(Number(seed) + i), name: Number(seed) + i};
        sequences += c.items;
        cells += c.cols * c.rows;
        cases.push(c);
    }
    differ += compare(cases);
}
check(`${count} generated sessions from seed ${seed}, ${sequences} sequences, ${cells} cells of screens: ${differ} differ`, differ === 0);
for (const path of recordings) {
    const bytes = readFileSync(path);
    const cuts = [...Array(8).keys()].map(i => Math.floor(bytes.length * (i + 1) / 8));
    const bad = compare(cuts.map((end, i) => ({cols: 80, rows: 24, scrollback: 1000, cut: Math.floor(end / 2), bytes: bytes.subarray(0, end), name: `${path}:${i}`})));
    check(`${path.replace(/.*\//, '')}: ${bytes.length} bytes recorded, 8 prefixes: ${bad} differ`, bad === 0);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
