// SPDX-License-Identifier: MPL-2.0

/**
 * What goes wrong in rvkit: `message` is one line for people, `code` a word for programs. More about
 * it (`status`, …) is given as further properties.
 */
export class RvkitError extends Error {
    constructor(code, message, { cause, ...more } = {}) {
        super(message, cause === undefined ? undefined : { cause });
        this.name = 'RvkitError';
        this.code = code;
        Object.assign(this, more);
    }
}
