// SPDX-License-Identifier: MPL-2.0
// Debian's Firefox without a window, by its own remote protocol (Marionette): messages
// "LENGTH:[0, id, command, parameters]" over TCP, answered by "LENGTH:[1, id, error, result]".
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const program = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

class Marionette {
    #socket;
    #received = Buffer.alloc(0);
    #waiting = new Map();
    #next = 1;

    constructor(socket) {
        this.#socket = socket;
        socket.on('data', (data) => this.#read(data));
        socket.on('close', () => this.#waiting.forEach(({ reject }) => reject(new Error('Firefox is gone'))));
        socket.on('error', () => {});
    }

    call(command, parameters = {}) {
        const id = this.#next++;
        const text = JSON.stringify([0, id, command, parameters]);
        this.#socket.write(`${Buffer.byteLength(text)}:${text}`);
        return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    }

    end() {
        this.#socket.destroy();
    }

    #read(data) {
        this.#received = Buffer.concat([this.#received, data]);
        for (;;) {
            const colon = this.#received.indexOf(':');
            const end = colon + 1 + Number(this.#received.subarray(0, Math.max(0, colon)));
            if (colon < 0 || this.#received.length < end) {
                return;
            }
            const message = JSON.parse(this.#received.subarray(colon + 1, end));
            this.#received = this.#received.subarray(end);
            if (Array.isArray(message)) { // else it is the greeting
                const [, id, error, result] = message;
                const { resolve, reject } = this.#waiting.get(id);
                this.#waiting.delete(id);
                error ? reject(new Error(`${error.error}: ${error.message}`)) : resolve(result);
            }
        }
    }
}

async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    return port;
}

async function connected(port, child) {
    for (let i = 0; i < 300 && child.exitCode === null; i++) {
        const socket = connect(port, '127.0.0.1');
        try {
            await once(socket, 'connect');
            return socket;
        } catch {
            await new Promise((resolve) => setTimeout(resolve, 200));
        }
    }
    throw new Error('Firefox did not start');
}

/** {go(url), run(script): what its `return` gives, type(text), close()}. */
export async function launchFirefox() {
    const folder = mkdtempSync(join(tmpdir(), 'rvkit-firefox-'));
    const port = await freePort();
    writeFileSync(join(folder, 'user.js'), [`user_pref("marionette.port", ${port});`,
        'user_pref("browser.shell.checkDefaultBrowser", false);',
        'user_pref("datareporting.policy.dataSubmissionEnabled", false);',
        'user_pref("app.update.enabled", false);', ''].join('\n'));
    const child = spawn(program, ['--headless', '--marionette', '--no-remote', '--profile', folder, '--width', '1000',
        '--height', '700'], { stdio: 'ignore', detached: true });
    const ended = once(child, 'exit');
    const close = async () => {
        try {
            process.kill(-child.pid, 'SIGKILL');
        } catch { /* it has gone by itself */ }
        await ended;
        rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    };
    try {
        const marionette = new Marionette(await connected(port, child));
        await marionette.call('WebDriver:NewSession', { capabilities: {} });
        return {
            go: (url) => marionette.call('WebDriver:Navigate', { url }),
            run: async (script) => (await marionette.call('WebDriver:ExecuteScript', { script, args: [] })).value,
            type: async (text) => {
                const { value } = await marionette.call('WebDriver:GetActiveElement');
                const id = Object.values(value)[0];
                await marionette.call('WebDriver:ElementSendKeys', { id, text });
            },
            close: async () => {
                marionette.end();
                await close();
            },
        };
    } catch (error) {
        await close();
        throw error;
    }
}
