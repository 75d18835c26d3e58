// SPDX-License-Identifier: MPL-2.0
/*
 * Whether a worker of a browser is still there. Browsers tell of errors in a worker, but nothing of
 * one that has ended itself or that was ended. Two signs are looked at:
 *
 *   a lock (Web Locks) that the worker holds as long as it lives: free means that it is gone, which
 *   is known at once. Pages without https or of sandboxed frames have none;
 *   an answer to a message now and then: none means that it is gone, or stuck.
 */

const BEAT_MS = 2000;

/**
 * Beats without an answer until a worker counts as gone. They are counted one by one, so that none
 * passes while this computer sleeps or the tab's timers are slowed down, and not in hidden tabs. A
 * guest that computes does not matter: the worker answers between its slices.
 */
const PATIENCE = 10;

/** A new lock is nobody's, and had at once. Nothing hangs where that is not so. */
const LOCK_MS = 1000;

/** In the worker: takes the lock, and gives its name; null where there are none. */
export function holdLife() {
    return new Promise((resolve) => {
        if (!globalThis.navigator?.locks) {
            resolve(null);
            return;
        }
        const name = `rvkit-worker ${Date.now().toString(36)} ${Math.random().toString(36).slice(2)}`;
        navigator.locks.request(name, () => {
            resolve(name);
            return new Promise(() => {});
        }).catch(() => resolve(null));
        setTimeout(resolve, LOCK_MS, null);
    });
}

export class Watch {
    #ping;
    #ongone;
    #patience;
    #timer;
    #waits = false;
    #missed = 0;
    #ended = false;
    #abort = new AbortController();

    /** ping: asks the worker, and gives a promise of the answer. ongone(why) is called once. */
    constructor({ lock, ping, ongone, beat = BEAT_MS, patience = PATIENCE }) {
        this.#ping = ping;
        this.#ongone = ongone;
        this.#patience = patience;
        this.#timer = setInterval(() => this.#beat(beat), beat);
        if (lock) {
            this.#wait(lock);
        }
    }

    /** Gets the lock when the worker lets go of it. */
    #wait(lock) {
        navigator.locks.request(lock, { signal: this.#abort.signal }, () => this.#tell('it ended without a word'))
            .catch(() => {}); // close(), or a browser that takes its locks back
    }

    #beat(beat) {
        if (globalThis.document?.hidden) {
            this.#missed = 0;
        } else if (!this.#waits) {
            this.#missed = 0;
            this.#waits = true;
            this.#ping().then(() => {
                this.#waits = false;
            }, () => {});
        } else if (++this.#missed >= this.#patience) {
            this.#tell(`it has not answered for ${Math.round(this.#patience * beat / 1000)} s`);
        }
    }

    #tell(why) {
        if (!this.#ended) {
            this.close();
            this.#ongone(why);
        }
    }

    close() {
        this.#ended = true;
        clearInterval(this.#timer);
        this.#abort.abort();
    }
}
