// SPDX-License-Identifier: MPL-2.0
// The Node command as a child process, and the package as others install it.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { PROMPT, guest, root, timeout } from './guest.js';

const folder = mkdtempSync(join(tmpdir(), 'rvkit-command-'));
after(() => rmSync(folder, { recursive: true }));

const program = join(root, 'web/bin/rvkit.js');
const linux = ['-k', guest.kernel, '-initrd', guest.initrd];

/** {status, signal, out, err} of a process; `input` at once, or talk(child, seen) while it runs. */
function run(command, args, { input, talk, cwd = folder } = {}) {
    const child = spawn(command, args, { cwd, timeout, env: { ...process.env, TERM: 'xterm' } });
    const seen = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => {
        seen.out += text;
        talk?.(child, seen);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
        seen.err += text;
    });
    child.stdin.on('error', () => {});
    if (!talk) {
        child.stdin.end(input ?? '');
    }
    return new Promise((resolve) => child.on('close', (status, signal) => resolve({ ...seen, status, signal })));
}

const rvkit = (args, options) => run(process.execPath, [program, ...args], options);

describe('the command', { concurrency: 2 }, () => {
    it('has help and a version', async () => {
        const help = await rvkit(['-h']);
        assert.equal(help.status, 0);
        assert.match(help.out, /^ {2}-k, -kernel FILE/m);
        assert.ok(help.out.split('\n').every((line) => line.length <= 100));
        const { version } = JSON.parse(readFileSync(join(root, 'web/package.json')));
        assert.equal((await rvkit(['--version'])).out, `rvkit ${version}\n`);
    });

    it('knows every option of the native program, or refuses it by name', async () => {
        const table = readFileSync(join(root, 'src/frontends/options_table.h'), 'utf8');
        const rows = [...table.matchAll(/^ {4}\{"([\w ]+)", (NULL|"[^"]*"),/gm)];
        assert.ok(rows.length > 50);
        const { parseArguments } = await import('../../web/bin/lib/options.js');
        for (const [, names, value] of rows) {
            for (const name of names.split(' ')) {
                try {
                    parseArguments(['-k', 'x', `-${name}`, ...(value === 'NULL' ? [] : ['1'])]);
                } catch (error) {
                    assert.ok(!/unknown option/.test(error.message), error.message);
                    assert.equal(error.code, 'usage');
                }
            }
        }
    });

    const wrong = {
        'nothing to run': [],
        'unknown option -foo': ['-foo'],
        '-k needs a value: -k FILE': ['-k'],
        '-icount takes no value': ['-icount=1', '-k', 'x'],
        '-k is given twice: x and y': ['-k', 'x', '-k', 'y'],
        'too little RAM': ['-m', '256', '-k', 'x'],
        'the number of harts is 1 to 16': ['-smp', '99', '-k', 'x'],
        '-gpu: needs a window': ['-gpu', '1', '-k', 'x'],
        '-portfwd: is an option of the native rvkit': ['-portfwd', '1', '-k', 'x'],
        '-initrd needs a kernel': ['-initrd', 'x', '-bios', 'x'],
        '"rw" is not known': ['-k', 'x', '-drive', 'disk,rw'],
        'here a network is a relay': ['-k', 'x', '-net', 'user'],
        'not a command: hello': ['-k', 'x', '-script', join(folder, 'wrong.script')],
    };
    writeFileSync(join(folder, 'wrong.script'), '# a script\nhello\n');
    for (const [message, args] of Object.entries(wrong)) {
        it(`refuses ${args.join(' ').replace(folder, '') || 'an empty command line'} with one line and status 2`, async () => {
            const { status, out, err } = await rvkit(args);
            assert.equal(status, 2);
            assert.equal(out, '');
            assert.ok(err.startsWith('rvkit: ') && err.includes(message) && err.split('\n').length === 2, err);
        });
    }

    it('says with one line and status 1 what cannot be loaded', async () => {
        for (const args of [['-k', '/does/not/exist'], ['-k', program], ['-k', guest.kernel, '-drive', '/nowhere']]) {
            const { status, err } = await rvkit(args);
            assert.equal(status, 1, err);
            assert.equal(err.split('\n').length, 2, err);
        }
    });

    it('types what comes through a pipe, and shows all of the output', async () => {
        const paste = 'x'.repeat(60).concat('\n').repeat(200);
        const input = `cat >/tmp/a <<'EOF'\n${paste}EOF\nwc -c </tmp/a; echo la""st; poweroff -f\n`;
        const { status, out, err } = await rvkit([...linux, '-s', '2', '-m', '64M'], { input });
        assert.equal(status, 0, err);
        assert.match(out, new RegExp(`^${paste.length}\r\nlast\r\n`, 'm'));
        assert.match(out, /reboot: Power down\r\n$/);
    });

    it('plays scripts, and gives their status', async () => {
        const script = (text) => {
            const path = join(folder, `${Math.random()}.script`);
            writeFileSync(path, text);
            return path;
        };
        const dtb = join(folder, 'machine.dtb');
        const good = script(`expect "${PROMPT}"\nsend "echo \\x61\\142c\\n"\nexpect "abc\\r\\n" 30\nquit 7\n`);
        assert.equal((await rvkit([...linux, '-script', good, '-dumpdtb', dtb])).status, 7);
        assert.equal(readFileSync(dtb).readUInt32BE(0), 0xd00dfeed);
        const vain = await rvkit([...linux, '-script', script('expect "never" 1\n')]);
        assert.equal(vain.status, 3);
        assert.match(vain.err, /^rvkit: script, line 1: .*"never"/);
        const off = await rvkit([...linux, '-script', script(`expect "${PROMPT}"\nsend "poweroff -f\\n"\noff 30\n`)]);
        assert.equal(off.status, 0, off.err);
    });

    it('keeps changes in an overlay as native -drive FILE,cow=OVERLAY', async () => {
        const image = join(folder, 'disk.img');
        writeFileSync(image, new Uint8Array(1 << 20));
        const drive = ['-drive', `${image},cow=${join(folder, 'disk.cow')}`, '-nonet', '-v'];
        const write = 'echo persistent >/dev/vda; sync; poweroff -f\n';
        assert.equal((await rvkit([...linux, ...drive], { input: write })).status, 0);
        const { out } = await rvkit([...linux, ...drive], { input: 'head -n 1 /dev/vda; poweroff -f\n' });
        assert.match(out, /^persistent\r/m);
        assert.ok(readFileSync(image).every((byte) => byte === 0));
    });

    it('ends at a signal, and at a closed output', async () => {
        const killed = await rvkit(linux, { talk: (child, { out }) => out.includes(PROMPT) && child.kill('SIGTERM') });
        assert.equal(killed.status, 143);
        const closed = await rvkit(linux, { talk: (child) => child.stdout.destroy() });
        assert.equal(closed.status, 1);
        assert.match(closed.err, /^rvkit: the output cannot be written/);
    });

    it('has a raw terminal with keys behind Ctrl-A, and gives it back', async () => {
        const command = [process.execPath, program, ...linux].map((word) => `'${word}'`).join(' ');
        let step = 0;
        const steps = [
            [PROMPT, 'echo h""i\r'], ['hi\r\n', '\x01h'], ['this help', '\x01p'], ['paused', '\x01p'],
            ['goes on', 'echo be""gun; sleep 100\r'], ['begun\r\n', '\x03'], ['^C', '\x01r'], ['reset', ''], [PROMPT, '\x01x'],
        ];
        let from = 0;
        const { out } = await run('script', ['-qec', `${command}; echo "status $?"; stty -a`, '/dev/null'], {
            talk: (child, { out: text }) => {
                while (step < steps.length && text.includes(steps[step][0], from)) {
                    from = text.indexOf(steps[step][0], from) + steps[step][0].length;
                    child.stdin.write(steps[step++][1]);
                }
            },
        });
        assert.equal(step, steps.length, out);
        assert.match(out, /status 0\r\n/);
        assert.match(out, / icanon /);
    });
});

it('a few boots in a row do not hang (soak.js does more of them)', async () => {
    const { status, out, err } = await run(process.execPath, [join(root, 'tests/web/soak.js'), '6']);
    assert.equal(status, 0, err);
    assert.match(out, /^6 boots/);
});

describe('the package', { concurrency: 1 }, () => {
    it('is installed in a fresh folder, and used in ten lines', async () => {
        const npm = (args, cwd) => execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund'],
            { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
        const [{ filename, files }] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder],
            join(root, 'web')));
        const names = files.map(({ path }) => path);
        for (const name of ['src/index.js', 'src/index.d.ts', 'src/rvkit.wasm', 'src/worker.js', 'bin/rvkit.js']) {
            assert.ok(names.includes(name), `${name} is not in the package`);
        }
        assert.ok(names.every((name) => !/node_modules|page\//.test(name)));
        const fresh = mkdtempSync(join(folder, 'fresh-'));
        writeFileSync(join(fresh, 'package.json'), '{"type": "module"}');
        npm(['install', join(folder, filename)], fresh);
        cpSync(join(root, 'web/examples/boot.js'), join(fresh, 'boot.js'));
        const lines = readFileSync(join(fresh, 'boot.js'), 'utf8').split('\n').filter((line) => line && !/^\/\//.test(line));
        assert.ok(lines.length <= 10);
        const { status, out, err } = await run(process.execPath, ['boot.js', guest.kernel, guest.initrd], { cwd: fresh });
        assert.equal(status, 0, err);
        assert.match(out, /^Linux .*riscv32/m);
        const { out: version } = await run(join(fresh, 'node_modules/.bin/rvkit'), ['-version'], { cwd: fresh });
        assert.match(version, /^rvkit \d/);
    });
});
