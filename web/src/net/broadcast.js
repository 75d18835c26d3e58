// SPDX-License-Identifier: MPL-2.0
import { RvkitError } from '../errors.js';

/**
 * A LAN of the machines of all tabs (and workers) of one origin that use a channel of this name. A
 * frame goes to everyone else, as a hub does it.
 */
export class BroadcastLink {
    #name;
    #channel = null;

    /** @param {{channel?: string}} options */
    constructor({ channel = 'lan' } = {}) {
        this.#name = `rvkit-net:${channel}`;
    }

    open(receive, setUp) {
        if (typeof BroadcastChannel === 'undefined') {
            setUp(false, 'there is no BroadcastChannel here');
            throw new RvkitError('unsupported', 'the network: this browser has no BroadcastChannel');
        }
        this.#channel = new BroadcastChannel(this.#name);
        // Everybody on the channel can send anything.
        this.#channel.onmessage = ({ data }) => {
            if (data instanceof Uint8Array) {
                receive(data);
            }
        };
        setUp(true);
    }

    send(frame) {
        this.#channel?.postMessage(frame);
        return true;
    }

    close() {
        this.#channel?.close();
        this.#channel = null;
    }
}
