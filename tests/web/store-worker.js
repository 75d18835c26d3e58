// SPDX-License-Identifier: MPL-2.0
import { perform } from './store-ops.js';

onmessage = async ({ data: { id, operation, args } }) => {
    postMessage({ id, ...await perform(operation, args) });
};
