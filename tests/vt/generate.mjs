// SPDX-License-Identifier: MPL-2.0
// Bytes from a seed: text of all widths and the control set, with what is cut short or malformed among it.
export class Random {
    constructor(seed) {
        this.s = (seed * 2654435761 + 0x9e3779b9) >>> 0 || 1;
    }
    next() {
        let s = this.s;
        s ^= s << 13;
        s ^= s >>> 17;
        s ^= s << 5;
        return (this.s = s >>> 0);
    }
    below(n) {
        return this.next() % n;
    }
    pick(list) {
        return list[this.below(list.length)];
    }
}

const WIDE = ['世', '界', '한', '글', 'あ', '😀', '🚀', '❤', '✨', '字', 'ｱ', 'Ａ', '⌚', '🇩'];
const MARKS = ['\u0301', '\u0308', '\u20dd', '\u200d', '\ufe0f', '\u0e34', '\u1160'];
const LATIN = ['é', 'ß', '─', '│', '░', 'Ω', 'я', '\u00ad', '€', '\u{1d400}'];

function text(r) {
    let out = '';
    for (let n = 1 + r.below(12); n--;) {
        const kind = r.below(14);
        if (kind < 8) {
            out += String.fromCharCode(0x20 + r.below(0x5f));
        } else if (kind < 10) {
            out += r.pick(WIDE);
        } else if (kind < 11) {
            out += r.pick(MARKS);
        } else if (kind < 12) {
            out += r.pick(LATIN);
        } else {
            out += 'x'.repeat(r.below(25));
        }
    }
    return out;
}

const small = r => r.pick(['', '0', '1', '2', '3', '4', '5', '7', '8', '12', '20', '300']);
const csi = (r, finals, most = 1) => {
    const p = [];
    for (let n = r.below(most + 1); n--;) {
        p.push(small(r));
    }
    return `\x1b[${p.join(';')}${r.pick(finals)}`;
};

function color(r) {
    const n = () => r.below(256), t = r.pick([38, 48, 58]);
    return r.pick([`${t};5;${n()}`, `${t}:5:${n()}`, `${t};2;${n()};${n()};${n()}`, `${t}:2::${n()}:${n()}:${n()}`,
        `${t}:2:1:${n()}:${n()}:${n()}`, `${t};5`, `${t}`]);
}

function sgr(r) {
    const p = [];
    for (let n = r.below(5); n--;) {
        const kind = r.below(6);
        p.push(kind < 2 ? String(r.below(56)) : kind < 3 ? String(30 + r.below(20)) : kind < 4 ? color(r)
            : kind < 5 ? r.pick(['4:0', '4:1', '4:2', '4:3', '4:4', '4:5', '4:9', '4:', '21', '24', '59', '0', '', '1', '7'])
                : String(90 + r.below(18)));
    }
    // 38, 48 and 58 without their parameters take those that follow; only as the last one is that defined.
    return `\x1b[${p.filter((v, i) => i === p.length - 1 || !/^(38|48|58)(;5)?$/.test(v)).join(';')}m`;
}

const MODES = ['1', '6', '7', '7', '12', '25', '45', '66', '9', '1000', '1002', '1003', '1004', '1006', '1016', '47',
    '1047', '1048', '1049', '2004', '2026', '2', '1005', '9999'];
const OSC = ['0;title', '2;Fenêtre 世界', '1;icon', '8;;http://a.example/x;y', '8;id=7;file:///b', '8;;', '4;1;rgb:ff/00/80',
    '10;#fff', '104', '110', '777;x', ';', 'abc', '2', '52;c;aGk='];
const SETS = ['B', '0', 'A', 'K', 'R', 'Q', 'Y', 'E', '6', 'Z', 'H', '7', 'C', '5', '=', '?'];

const makers = [
    [30, text],
    [14, r => r.pick(['\r', '\n', '\r\n', '\b', '\b\b\b', '\t', '\v', '\f', '\x0e', '\x0f', '\x07', '\0', '\x7f', '\u0084', '\u0085', '\u0088'])],
    [6, r => '\x1b' + r.pick(['7', '8', 'D', 'E', 'M', 'M', 'H', '=', '>', 'n', 'o', '~', '|', '}', '%G', '\\', '#3'])],
    [2, r => r.pick(['\x1b#8', '\x1b[!p', '\x1bc'])],
    [3, r => '\x1b' + r.pick(['(', ')', '*', '+']) + r.pick(SETS)],
    [18, r => csi(r, [...'ABCDEFGHIZ`adef'], 2)],
    [14, r => csi(r, [...'@PLMSTXJK'])],
    [3, r => csi(r, ['"q', ' @', ' A', "'}", "'~", 'g'])],
    [3, r => `\x1b[?${small(r)}${r.pick(['J', 'K'])}`],
    [1, r => `\x1b[${r.below(7)} q`],
    [3, r => `\x1b[${r.pick(['', '1', '3'])}${r.pick(['b', 'b'])}`],
    [12, sgr],
    [4, r => csi(r, ['r'], 2)],
    [2, r => r.pick(['\x1b[s', '\x1b[u'])],
    [6, r => `\x1b[?${r.pick(MODES)}${r.below(4) ? '' : ';' + r.pick(MODES)}${r.pick(['h', 'l'])}`],
    [3, r => `\x1b[${r.pick(['4', '20', '4;20', '3'])}${r.pick(['h', 'l', 'l'])}`],
    [4, r => r.pick(['\x1b[c', '\x1b[>c', '\x1b[5n', '\x1b[6n', '\x1b[?6n', '\x1b[0c', '\x1b[1c', '\x1b[18t'])],
    [3, r => `\x1b[${r.below(2) ? '?' + r.pick(MODES) : r.pick(['2', '4', '12', '20', '99'])}$p`],
    [2, r => `\x1bP$q${r.pick(['r', '"q', '"p', 'z', 'xyzzyxyzzy'])}${r.pick(['\x1b\\', '\u009c', '\x18'])}`],
    [3, r => `\x1b]${r.pick(OSC)}${r.pick(['\x07', '\x1b\\', '\u009c', '\x18', '\x1a'])}`],
    [1, r => r.pick(['\x1b[22t', '\x1b[23t', '\x1b[22;0t', '\x1b[23;2t'])],
    [2, r => r.pick(['\x1b_apc data\x1b\\', '\x1b^pm\u009c', '\x1bXsos\x07more\x1b\\', '\x1bP1;2|abc\x1b\\', '\u009fx\x18'])],
    [3, r => r.pick(['\x1b[12\x183A', '\x1b[?1\x1b[2C', '\x1b[1\n2C', '\x1b[;;;5H', '\x1b[3:4H', '\x1b[>4;1m', '\x1b[<1h', '\x1b[1?h',
        '\x1b[ !p', '\x1b[99999999999B', '\x1b[' + '1;'.repeat(40) + '4m', '\x1b', '\x1b[', '\x1b[1é2C', '\u009b3C', '\x1b( B', '\x1b[=5u'])],
];
const total = makers.reduce((n, m) => n + m[0], 0);
const BAD = [[0xff], [0xc3], [0xe4, 0xb8], [0x80], [0xf0, 0x9f], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf5, 0x80], [0xf4, 0x90, 0x80, 0x80],
    [0xe0, 0x80, 0x80], [0xef, 0xbb, 0xbf]];

// {cols, rows, scrollback, cut, bytes, items}
export function generate(seed) {
    const r = new Random(seed), parts = [];
    const items = 4 + r.below(36);
    for (let i = 0; i < items; i++) {
        let at = r.below(total), m = 0;
        while (at >= makers[m][0]) {
            at -= makers[m++][0];
        }
        parts.push(Buffer.from(makers[m][1](r), 'utf8'));
        if (r.below(60) === 0) {
            parts.push(Buffer.from(r.pick(BAD)));
        }
    }
    const bytes = Buffer.concat(parts);
    return {cols: 2 + r.below(22), rows: 2 + r.below(8), scrollback: r.pick([0, 3, 50]), cut: r.below(bytes.length + 1), bytes, items};
}
