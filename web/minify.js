// SPDX-License-Identifier: MPL-2.0
// node minify.js DIST: the page's own modules without what only readers need. File by file: each
// stays a module of its own, with the names that it exports. The service worker is still to be filled in.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { minify } from 'terser';

const dist = process.argv[2];
for (const name of readdirSync(dist, { recursive: true })) {
    const path = join(dist, name);
    if (!name.endsWith('.js') || name === 'sw.js' || !statSync(path).isFile()) {
        continue;
    }
    const text = readFileSync(path, 'utf8');
    const { code } = await minify({ [name]: text }, {
        module: /^(import|export)\b/m.test(text), ecma: name === 'check.js' ? 5 : 2020,
        format: { preamble: '// SPDX-License-Identifier: MPL-2.0' },
    });
    writeFileSync(path, `${code}\n`);
}
