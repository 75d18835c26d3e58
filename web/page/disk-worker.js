// SPDX-License-Identifier: MPL-2.0
// Persistent disks that no machine uses: a worker, since only workers may open their files.
import { deleteOverlay, importOverlay, listOverlays } from './rvkit/store/index.js';

const calls = {
    import: (name, file) => importOverlay(name, file, { replace: true }),
    delete: (name) => deleteOverlay(name),
    list: () => listOverlays(),
};

onmessage = async ({ data: [call, ...args] }) => {
    try {
        postMessage({ value: await calls[call](...args) });
    } catch (error) {
        postMessage({ error: { message: error.message, code: error.code } });
    }
};
