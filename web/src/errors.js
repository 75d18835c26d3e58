// SPDX-License-Identifier: MPL-2.0

/*
 * Codes of RvkitErrors, for programs (the stores add some of their own):
 *
 *   option       an option is missing or wrong            state      not now: the machine is off, failed, …
 *   network      nobody answers                           http       a server answers with an error (.status)
 *   truncated    a file ends too early                    gzip       damaged compressed data
 *   too-large    larger than there is room                load       the engine refuses a file
 *   wasm         the engine is missing or does not fit    memory     no memory for the guest's RAM
 *   worker       the worker died                          engine     the engine broke down
 *   disk         a disk could not be opened, or failed    unsupported  missing in this browser or Node
 *   aborted      the caller's signal                      timeout    expect() or stop() waited in vain
 *   file         a file of a share, or of Node (.errno)   off        the machine is off
 *   flat         (a warning) the kernel is in no format that is known
 */
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

/** An RvkitError as it is; anything else in one of this code. */
export function toRvkitError(error, code, prefix = '') {
    if (error instanceof RvkitError) {
        return error;
    }
    const why = String(error?.message ?? error).split('\n')[0];
    return new RvkitError(code, prefix + why, { cause: error });
}

/** For postMessage(): a plain object, which unpackError() makes an error again. */
export function packError(error) {
    const packed = { code: 'engine' };
    for (const [field, value] of Object.entries(error instanceof Object ? error : {})) {
        if (['string', 'number', 'boolean'].includes(typeof value)) {
            packed[field] = value;
        }
    }
    packed.message = String(error?.message ?? error);
    return packed;
}

export function unpackError({ code, message, name: _, ...fields }) {
    return new RvkitError(String(code), message, fields);
}

/** Throws when the signal is aborted. */
export function throwIfAborted(signal, what = 'starting the machine') {
    if (signal?.aborted) {
        throw new RvkitError('aborted', `${what} was aborted`, { cause: signal.reason });
    }
}
