// SPDX-License-Identifier: MPL-2.0
// A static host for the tests, as plain as one can be: no special headers. What is in `instead`
// (path: file's path, bytes, or a function of request and response) is given in place of a file.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const types = {
    '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript',
    '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml',
    '.wasm': 'application/wasm', '.webmanifest': 'application/manifest+json', '.gz': 'application/gzip',
};

/** {url, port, requests, instead, close()}; the folder is at /some/path/, not at the root. */
export async function serve(folder, { port = 0, instead = {} } = {}) {
    const base = '/some/path/';
    const sockets = new Set();
    const requests = [];
    const server = createServer((request, response) => {
        const { pathname } = new URL(request.url, 'http://host');
        const name = pathname.startsWith(base) ? pathname.slice(base.length) || 'index.html' : null;
        requests.push(name ?? pathname);
        if (name === null || name.includes('..')) {
            response.writeHead(404).end();
            return;
        }
        const other = instead[name];
        if (typeof other === 'function') {
            other(request, response);
        } else if (other instanceof Uint8Array) {
            response.writeHead(200, { 'content-type': types[extname(name)] ?? 'application/octet-stream' });
            response.end(other);
        } else {
            send(request, response, other ?? join(folder, normalize(name)));
        }
    });
    server.on('connection', (socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
    });
    await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
    return {
        url: `http://127.0.0.1:${server.address().port}${base}`, port: server.address().port, requests, instead,
        close: () => new Promise((resolve) => {
            server.close(resolve);
            for (const socket of sockets) {
                socket.destroy();
            }
        }),
    };
}

function send(request, response, path) {
    let stat;
    try {
        stat = statSync(path);
    } catch {
        stat = null;
    }
    if (!stat?.isFile()) {
        response.writeHead(404).end('not here\n');
        return;
    }
    const etag = `"${stat.size}-${Math.floor(stat.mtimeMs)}"`;
    const head = { 'content-type': types[extname(path)] ?? 'application/octet-stream', etag,
        'cache-control': 'no-cache', 'accept-ranges': 'bytes' };
    if (request.headers['if-none-match'] === etag) {
        response.writeHead(304, head).end();
        return;
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const first = range ? Number(range[1]) : 0;
    const last = Math.min(range?.[2] ? Number(range[2]) : Infinity, stat.size - 1);
    if (range) {
        head['content-range'] = `bytes ${first}-${last}/${stat.size}`;
    }
    response.writeHead(range ? 206 : 200, { ...head, 'content-length': Math.max(0, last - first + 1) });
    if (request.method === 'HEAD' || last < first) {
        response.end();
    } else {
        createReadStream(path, { start: first, end: last }).pipe(response);
    }
}
