// SPDX-License-Identifier: MPL-2.0
// What the screens of vttest have to show, told by this file and not by vttest: rows are computed.
// Usage: node vttest.mjs SCREENS PROGRAM [ARGUMENT...]
import { spawnSync } from 'node:child_process';

const [program, ...args] = process.argv.slice(2);
let passed = 0, failed = 0;

// The screens that KEYS lead to, those with a choice left out: row(n), marks(n, kind) with n from 1.
function screens(keys) {
    const run = spawnSync(program, [keys, ...args], { encoding: 'utf8', timeout: 300000 });
    const found = run.status === 0 ? run.stdout.split(/^== /m).slice(1) : [];
    return found.filter(text => !text.includes('choice number')).map(text => {
        const lines = text.split('\n'), part = (n, kind) => {
            const line = lines.slice(1).find(l => l.startsWith(String(n).padStart(2, '0') + kind));
            return line === undefined ? '' : kind === '|' ? line.slice(3, -1) : line.slice(3);
        };
        return { text, head: lines[0], row: n => part(n, '|'), marks: (n, kind = ':') => part(n, kind) };
    });
}

function check(name, good, screen) {
    good ? passed++ : failed++;
    console.log(`${good ? 'ok' : 'not ok'} ${name}`);
    if (!good) {
        console.log(`# error: ${screen ? screen.text.replace(/\n/g, '\n# ') : 'no such screen'}`);
    }
}

// One screen: what(screen) is true.
function judge(name, screen, what) {
    check(name, screen !== undefined && what(screen), screen);
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const letter = n => String.fromCharCode(64 + n);
const every = (from, to, what) => range(from, to).every(what);

function cursor() {
    const s = screens('1 *');
    check('cursor: six screens', s.length === 6);
    for (const i of [0, 1]) {
        judge(`cursor: frames ${i}`, s[i], t => [1, 24].every(n => t.row(n) === '*'.repeat(80)) &&
            [2, 23].every(n => t.row(n) === `*${'+'.repeat(78)}*`) &&
            every(3, 22, n => /^\*\+.{76}\+\*$/.test(t.row(n))) &&
            [9, 16].every(n => t.row(n).slice(10, 70) === 'E'.repeat(60)) &&
            every(10, 15, n => t.row(n)[10] === 'E' && t.row(n)[69] === 'E'));
        judge(`cursor: wrapped letters in both margins ${i}`, s[i + 2], t => !t.text.includes('+++') &&
            every(3, 20, n => t.row(n) === letter(n + 6) + ' '.repeat(78) + letter(n + 6).toLowerCase()));
    }
    judge('cursor: controls inside sequences', s[4], t => every(4, 7, n => t.row(n) === 'A B C D E F G H I'));
    judge('cursor: leading zeros', s[5], t => /^This is a .* sentence$/.test(t.row(4)) && !t.row(5));
}

// Attributes of the pattern, left and right.
const renditions = [' 1', '23', '45', '67', '89', 'ab', 'cd', 'ef'];

function features() {
    const s = screens('2 *');
    check('features: fifteen screens', s.length === 15);
    judge('features: wrap', s[0], t => every(1, 3, n => t.row(n) === '*'.repeat(80)) && !t.row(4));
    judge('features: tabs', s[1], t => t.row(1) === t.row(2) && t.row(1) === ` ${'     *'.repeat(13)}`);
    range(2, 5).forEach(i => judge(`features: columns ${i}`, s[i], t =>
        t.head.includes('reverse') === i < 4 && t.row(1) === '1234567890'.repeat(8).slice(0, 79) &&
        every(3, 20, n => t.row(n).search(/\S/) === n - 1)));
    for (const i of [6, 8]) {
        judge(`features: region of two ${i}`, s[i], t => t.row(12) && t.row(13).endsWith(' 29') && !t.row(11) && !t.row(14));
        judge(`features: region of all ${i}`, s[i + 1], t => every(2, 24, n => t.row(n).endsWith(` ${31 - n}`)));
    }
    judge('features: origin mode', s[10], t => t.row(23) && t.row(24) && every(1, 22, n => !t.row(n)));
    judge('features: origin mode off', s[11], t => t.row(1) && t.row(24) && every(2, 23, n => !t.row(n)));
    for (const i of [12, 13]) {
        judge(`features: renditions ${i}`, s[i], t => t.head.includes('reverse') === (i === 13) &&
            renditions.every((r, k) => {
                const m = t.marks(4 + 2 * k), left = m.slice(0, 38), right = m.slice(38);
                return new RegExp(`^ *${r[0]}+ *$`).test(left || ' ') && new RegExp(`^ *${r[1]}+$`).test(right);
            }));
    }
    judge('features: saved cursor', s[14], t => every(1, 4, n => t.row(n) === 'AAAAA') &&
        ['*', '\u2500', 'x', '\u25c6'].every((c, k) => t.row(10 + 2 * k).slice(11) === Array(5).fill(c.repeat(10)).join('  ') &&
            t.marks(10 + 2 * k).trim() === [1, 2, 4, 8].map(a => String(a).repeat(10)).join('  ')));
}

function charsets() {
    const ascii = (from, to) => String.fromCharCode(...range(from, to));
    const graphics = '◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·';
    const [s, nrc] = [screens('3 8 *')[0], screens('3 10 *')[0]];
    const both = (t, n, text) => t.row(n).slice(9, 41).trimEnd() === text.trimEnd() && t.row(n).slice(47).trimEnd() === text.trimEnd();
    const rows = (t, n, low, high) => both(t, n, low) && both(t, n + 1, high) && both(t, n + 2, ascii(0x60, 0x7e));
    judge('charsets: ASCII', s, t => rows(t, 4, ascii(0x20, 0x3f), ascii(0x40, 0x5f)));
    judge('charsets: British', s, t => rows(t, 8, ascii(0x20, 0x3f).replace('#', '£'), ascii(0x40, 0x5f)));
    judge('charsets: graphics', s, t => both(t, 12, ascii(0x20, 0x3f)) && both(t, 13, ascii(0x40, 0x5e)) && both(t, 14, graphics));
    // GR is bytes above 0x7f: what is not UTF-8 is U+FFFD.
    judge('charsets: no GR in UTF-8', nrc, t => t.row(4).endsWith('\ufffd'.repeat(32)));
}

function reports() {
    const s = screens('6 2 * 3 * 4 * 5 * 6 *');
    const has = (name, i, ...rows) => judge(`reports: ${name}`, s[i], t => rows.every(r => t.text.includes(r)));
    check('reports: seven screens', s.length === 7);
    has('new line mode', 2, '<13> <10>  -- OK', '<13>  -- OK');
    has('status and position', 3, '[ 0 n ', '[ 5 ; 1 R  -- OK');
    has('DA1', 4, '[ ? 6 2 ; 1 ; 6 ; 2 2 c');
    has('DA2', 5, '[ > 1 ; 2 7 7 ; 0 c');
    has('DA3', 6, 'P ! | 0 0 0 0 0 0 0 0 <27> \\');
    const dsr = screens('11 1 1 1 1 * 2 * 3 * 4 *');
    ['[ ? 2 7 ; 1 n', '[ 0 n', '[ ? 1 3 n', '[ ? 2 1 n'].forEach((r, i) =>
        judge(`reports: DSR ${i}`, dsr[i], t => t.text.includes(r) && !t.text.includes('failed')));
}

function editing() {
    const s = screens('8 *');
    check('editing: fourteen screens', s.length === 14);
    for (const i of [0, 7]) {
        judge(`editing: rows ${i}`, s[i], t => every(1, 24, n => t.row(n).length === 80 && t.row(n).endsWith(letter(n).repeat(20))));
        judge(`editing: accordion ${i}`, s[i + 1], t => t.row(1) === 'A'.repeat(80) && t.row(24) === 'X'.repeat(80) &&
            t.row(2) && every(3, 23, n => !t.row(n)));
        judge(`editing: insert mode ${i}`, s[i + 2], t => t.row(1) === `A${'*'.repeat(78)}B`);
        judge(`editing: delete ${i}`, s[i + 3], t => t.row(1) === 'AB');
        judge(`editing: staggered ${i}`, s[i + 4], t => every(1, 24, n => t.row(n).length === 80 - n && t.row(n).endsWith(n === 4 ? 'D' : letter(n).repeat(16))));
        judge(`editing: staggered wide ${i}`, s[i + 5], t => every(1, 24, n => n === 4 || (t.row(n).length === 40 - n && t.row(n).endsWith(letter(n)))));
        judge(`editing: insert character ${i}`, s[i + 6], t => t.row(6) === t.row(3) && t.row(3).trim() === range(1, 26).map(letter).join(' '));
    }
}

function ecma() {
    const s = screens('11 5 1 * 2 * 3 * 4 * 5 * 6 * 7 * 8 * 9 *');
    check('ECMA-48: nine screens', s.length === 9);
    for (const [i, name] of [[0, 'HPA'], [2, 'CHA'], [4, 'HPR'], [5, 'VPA'], [8, 'VPR']]) {
        judge(`ECMA-48: ${name}`, s[i], t => {
            const at = t.row(6).indexOf('*'), width = 60 - 1 - at;
            return [6, 18].every(n => t.row(n) === ' '.repeat(at) + '*'.repeat(width)) &&
                every(7, 17, n => t.row(n) === `${' '.repeat(at)}*${' '.repeat(width - 2)}*`);
        });
    }
    judge('ECMA-48: CBT', s[1], t => every(1, 20, n => t.row(n) === range(1, 10).map(k => String(k).padEnd(8)).join('').trimEnd()));
    judge('ECMA-48: CHT', s[3], t => t.row(2) === t.row(8) && t.row(3) === t.row(9) && t.row(2) === ' '.repeat(8) + '*       '.repeat(8) + '*      *');
    judge('ECMA-48: CNL', s[6], t => every(1, 19, n => t.row(n) === `${n}.`));
    judge('ECMA-48: CPL', s[7], t => every(1, 20, n => t.row(n) === `${n}.`));
    const more = screens('11 7 2 * 3 * 4 * 5 * 6 *');
    judge('ECMA-48: REP', more[0], t => every(1, 17, n => t.row(n) === ' '.repeat(n) + '++'));
    judge('ECMA-48: SD', more[1], t => t.row(20).trim() === '*'.repeat(20) && every(1, 19, n => !t.row(n)));
    [2, 3].forEach(i => judge(`ECMA-48: SL, SR ${i}`, more[i], t => every(1, 20, n => t.row(n) === ' '.repeat(39) + '*')));
    judge('ECMA-48: SU', more[4], t => t.row(1).trim() === '*'.repeat(20) && every(2, 20, n => !t.row(n)));
}

function colours() {
    const s = screens('11 6 2 * 4 * 5 *');
    check('colours: five screens', s.length === 5);
    judge('colours: matrix', s[0], t => every(0, 7, k => [4, 15].every(n =>
        t.marks(n + k, 'f').trim() === range(0, 7).map(c => String(c).repeat(5)).join('   ') &&
        t.marks(n + k, 'b').trim() === Array(8).fill(String(k).repeat(5)).join('   '))));
    for (const i of [1, 3]) {
        judge(`colours: erased with the background ${i}`, s[i], t => every(1, 24, n => t.marks(n, 'b') === '4'.repeat(80)));
    }
}

function margins() {
    // Origin mode and margins in the upper left quarter.
    const s = screens('11 3 3 2 3 4 9 * 10 * 11 * 12 *'), dots = '.'.repeat(40);
    check('margins: twelve screens', s.length === 12);
    judge('margins: DECIC', s[0], t => every(1, 12, n => t.row(n) === ' '.repeat(39) + letter(n).toLowerCase() + dots) && t.row(13)[12] === 'm');
    judge('margins: DECDC', s[1], t => every(1, 12, n => t.row(n) === letter(n).toLowerCase() + ' '.repeat(39) + dots));
    judge('margins: scrolled up', s[3], t => /^[a-z]{40}\.{40}$/.test(t.row(1)) && every(2, 12, n => t.row(n) === ' '.repeat(40) + dots) && t.row(15) === dots + dots);
    judge('margins: scrolled down', s[5], t => t.row(12) === '0123456789'.repeat(4) + dots && every(1, 11, n => t.row(n) === ' '.repeat(40) + dots));
    judge('margins: IL', s[7], t => t.row(12) === '0123456789'.repeat(4) + dots && every(1, 11, n => t.row(n) === ' '.repeat(40) + dots));
    judge('margins: DL', s[9], t => /^[a-z]{40}\.{40}$/.test(t.row(1)) && every(2, 12, n => t.row(n) === ' '.repeat(40) + dots));
    judge('margins: ICH', s[10], t => every(2, 12, n => t.row(n)[39] === letter(n).toLowerCase() && t.row(n).slice(40) === dots));
    judge('margins: DCH', s[11], t => every(1, 12, n => t.row(n) === letter(n).toLowerCase() + ' '.repeat(39) + dots));
    const box = screens('11 3 2 3 4 5 9 *')[0];
    judge('margins: the cursor stops at them', box, t => t.row(1) === 'u'.repeat(40) + dots && t.row(12) === 'd'.repeat(40) + dots &&
        every(2, 11, n => t.row(n) === `l${' '.repeat(38)}r${dots}`));
}

for (const part of [cursor, features, charsets, reports, editing, ecma, colours, margins]) {
    part();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
