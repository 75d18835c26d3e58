// SPDX-License-Identifier: MPL-2.0
// The loader of rvkit.wasm against what a module imports, which is not the same with every Emscripten.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import load, { lacks } from '../../web/engine/rvkit.js';

const text = (value) => [value.length, ...Buffer.from(value)];
const section = (id, parts) => [id, parts.flat().length + 1, parts.length, ...parts.flat()];

/** A module that exports each function it imports ('module.name', of no argument, giving an i32) under its name. */
function reexports(...wanted) {
    const imports = wanted.map((name) => [...name.split('.').flatMap(text), 0, 0]);
    const exports = wanted.map((name, i) => [...text(name.split('.')[1]), 0, i]);
    return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
        ...section(1, [[0x60, 0, 1, 0x7f]]), ...section(2, imports), ...section(7, exports)]);
}

const start = (bytes, host = {}) => {
    const lines = [];
    return load({ module: bytes, host, log: (line) => lines.push(line) }).then((machine) => ({ machine, lines }));
};

describe('the loader of the module', () => {
    it('has all that the module made here wants', async () => {
        const module = await WebAssembly.compile(readFileSync(new URL('../../web/src/rvkit.wasm', import.meta.url)));
        assert.deepEqual(lacks(module), []);
        // Without it the guest's random numbers come from nowhere: Emscripten's own library has one that aborts.
        assert.ok(WebAssembly.Module.imports(module).some(({ name }) => name === 'random_get'));
    });

    it('gives the functions it has', async () => {
        const bytes = reexports('env.emscripten_notify_memory_growth', 'wasi_snapshot_preview1.fd_close', 'rvkit.net');
        assert.deepEqual(lacks(await WebAssembly.compile(bytes)), []);
        const { machine, lines } = await start(bytes, { net: () => 7 });
        assert.deepEqual([machine._net(), machine._fd_close(), lines], [7, 8, []]);
    });

    it('answers system calls that are not there, and tells each once', async () => {
        const bytes = reexports('wasi_snapshot_preview1.fd_pread', 'env.__syscall_openat');
        assert.deepEqual(lacks(await WebAssembly.compile(bytes)),
            ['wasi_snapshot_preview1.fd_pread', 'env.__syscall_openat']);
        const { machine, lines } = await start(bytes);
        assert.deepEqual(lines, []);
        assert.deepEqual([machine._fd_pread(), machine._fd_pread(), machine.___syscall_openat()], [52, 52, -52]);
        assert.deepEqual(lines, ['rvkit.wasm calls wasi_snapshot_preview1.fd_pread, which is not there',
            'rvkit.wasm calls env.__syscall_openat, which is not there']);
    });

    it('says in one line what else is missing, and starts nothing', async () => {
        await assert.rejects(start(reexports('env.getentropy', 'env.invoke_v', 'rvkit.printer', 'other.fd_close')),
            { message: 'it wants env.invoke_v, rvkit.printer, other.fd_close, which its loader does not have' });
        // Names that every object has are none of ours.
        await assert.rejects(start(reexports('env.toString')), { message: /^it wants env\.toString, / });
    });
});
