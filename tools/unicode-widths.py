#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
# Writes src/frontends/vt_width_table.h from the Unicode Character Database (Debian: unicode-data 15.0.0-1).
# Usage: tools/unicode-widths.py [UCD] >src/frontends/vt_width_table.h     UCD is /usr/share/unicode
import sys

ucd = sys.argv[1] if len(sys.argv) > 1 else '/usr/share/unicode'
widths = [1] * 0x110000


def fields(name):
    for line in open(f'{ucd}/{name}', encoding='utf-8'):
        line = line.split('#')[0].strip()
        if line:
            yield [f.strip() for f in line.split(';')]


def span(text):
    first, _, last = text.partition('..')
    return range(int(first, 16), int(last or first, 16) + 1)


version = open(f'{ucd}/EastAsianWidth.txt', encoding='utf-8').readline().split('-')[1].split('.txt')[0]

# Wide: East Asian Wide and Fullwidth; unassigned code points of the ideographic planes count as wide (UAX #11).
for first, last in ((0x3400, 0x4dbf), (0x4e00, 0x9fff), (0xf900, 0xfaff), (0x20000, 0x2fffd), (0x30000, 0x3fffd)):
    for c in range(first, last + 1):
        widths[c] = 2
for f in fields('EastAsianWidth.txt'):
    for c in span(f[0]):
        widths[c] = 2 if f[1] in 'WF' else 1

# None: marks that stand on or around another character, format controls but the soft hyphen, the vowels and final
# consonants of conjoining Hangul, and the zero width space.
first = 0
for f in fields('UnicodeData.txt'):
    c = int(f[0], 16)
    if f[1].endswith('First>'):
        first = c
        continue
    codes = range(first, c + 1) if f[1].endswith('Last>') else (c,)
    for d in codes:
        if f[2] in ('Mn', 'Me', 'Cf') and d != 0xad:
            widths[d] = 0
for first, last in ((0, 0x1f), (0x7f, 0x9f), (0x1160, 0x11ff), (0x200b, 0x200b)):
    for c in range(first, last + 1):
        widths[c] = 0


def rows(width):
    out, c = [], 0
    while c < len(widths):
        if widths[c] != width:
            c += 1
            continue
        first = c
        while c < len(widths) and widths[c] == width:
            c += 1
        out.append((first, c - 1))
    return out


def table(name, width):
    print(f'static const vt_range_t {name}[] = {{')
    line = '   '
    for first, last in rows(width):
        item = f' {{0x{first:x}, 0x{last:x}}},'
        if len(line) + len(item) > 100:
            print(line)
            line = '   '
        line += item
    print(line)
    print('};')


print('/* SPDX-License-Identifier: MPL-2.0 */')
print('/*')
print(f' * Made by tools/unicode-widths.py from the Unicode Character Database {version}; not edited by hand.')
print(' * Code points in neither table are one column wide.')
print(' */')
print('/* clang-format off */')
table('vt_zero', 0)
print()
table('vt_wide', 2)
