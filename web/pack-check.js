// SPDX-License-Identifier: MPL-2.0
// Before `npm pack`: the engine is there, the versions agree, and the licence comes along.
import { copyFileSync, existsSync, readFileSync } from 'node:fs';

const here = (name) => new URL(name, import.meta.url);
const { version: packed } = JSON.parse(readFileSync(here('package.json')));
const { version } = await import('./src/version.js');

for (const name of ['src/rvkit.js', 'src/rvkit.wasm']) {
    if (!existsSync(here(name))) {
        console.error(`web/${name} is missing: make web-engine`);
        process.exitCode = 1;
    }
}
copyFileSync(here('../LICENSE'), here('LICENSE'));
if (version !== packed) {
    console.error(`package.json has version ${packed}, src/version.js ${version}`);
    process.exitCode = 1;
}
