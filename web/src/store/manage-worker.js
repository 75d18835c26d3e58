// SPDX-License-Identifier: MPL-2.0
import * as overlays from './index.js';
import { OPERATIONS } from './manage.js';

onmessage = async ({ data: { operation, args } }) => {
    try {
        if (!OPERATIONS.includes(operation)) {
            throw new TypeError(`no operation ${operation}`);
        }
        if (operation === 'importOverlay') {
            args[2] = { ...args[2], onprogress: (progress) => postMessage({ progress }) };
        }
        postMessage({ result: await overlays[operation](...args) });
    } catch (error) {
        postMessage({ error: { code: error.code ?? 'io', message: error.message } });
    }
};
