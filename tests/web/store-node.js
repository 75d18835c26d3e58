// SPDX-License-Identifier: MPL-2.0
// What the stores' tests in Node share.
import assert from 'node:assert/strict';

/** For assert.throws() and rejects(): an error of this code, with this in its line. */
export const code = (wanted, text) => (error) => error.code === wanted && (!text || error.message.includes(text)) ||
    assert.fail(`not ${wanted} "${text ?? ''}": ${error.code} "${error.message}"`);

/** Awaits what a call gives or throws. */
export const run = async (act) => act();
