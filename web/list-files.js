// SPDX-License-Identifier: MPL-2.0
// node list-files.js DIST: puts the names of the page's files, and a version made from what is in
// them, into its service worker.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const dist = process.argv[2];
const names = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dist, join(entry.path ?? entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
// What its owner may change without a build, and is looked at anew when there is a network.
const changing = names.filter((name) => name === 'machine.json' || name.startsWith('guest/'));
const fixed = names.filter((name) => !changing.includes(name) && name !== 'sw.js');

const hash = createHash('sha256');
for (const name of [...fixed, 'sw.js']) {
hash.update(`${name}\0`).update(readFileSync(join(dist, name)));
}
const worker = join(dist, 'sw.js');
const text = readFileSync(worker, 'utf8')
    .replace('@VERSION@', hash.digest('hex').slice(0, 16))
    .replace('/* @FILES@ */ []', JSON.stringify(fixed))
    .replace('/* @GUEST@ */ []', JSON.stringify(changing));
writeFileSync(worker, text);
