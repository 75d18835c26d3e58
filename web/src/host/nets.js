// SPDX-License-Identifier: MPL-2.0
/*
 * Network cards on the worker's side: frames of the guest go to a link (net/…), and frames of the
 * link wait in a queue of bounded length until the guest has room. What does not fit is dropped, as
 * a switch does.
 */
import { packError, toRvkitError } from '../errors.js';
import { BroadcastLink } from '../net/broadcast.js';
import { WebSocketLink } from '../net/websocket.js';

const QUEUE_MAX = 256;
export const FRAME_MIN = 14;
export const FRAME_MAX = 1518;

/** A link of the caller, on the other side. */
class RemoteLink {
    #host;
    #index;

    constructor(host, index) {
        this.#host = host;
        this.#index = index;
    }

    open() {
        this.#host.say('net', [this.#index, 'open']);
    }

    send(frame) {
        this.#host.say('net', [this.#index, 'send', frame], [frame.buffer]);
    }

    close() {
        this.#host.say('net', [this.#index, 'close']);
    }
}

class Card {
    constructor(link) {
        this.link = link;
        this.queue = [];
        this.up = false;
        this.rxFrames = this.rxBytes = this.txFrames = this.txBytes = this.dropped = 0;
    }
}

export class Nets {
    #host;
    #cards = [];
    #closed = false;

    constructor(host) {
        this.#host = host;
    }

    #link(net, index) {
        switch (net.type) {
        case 'websocket':
            return new WebSocketLink(net);
        case 'broadcast':
            return new BroadcastLink(net);
        default:
            return new RemoteLink(this.#host, index);
        }
    }

    open(nets) {
        this.#cards = nets.map((net, i) => new Card(this.#link(net, i)));
        for (const [index, { link }] of this.#cards.entries()) {
            const receive = (frame) => this.receive(index, frame);
            const setUp = (up, why) => this.setUp(index, up, why);
            Promise.resolve(link.open(receive, setUp)).catch((error) => {
                this.#host.say('error', [packError(toRvkitError(error, 'network', 'the network: '))]);
            });
        }
    }

    /** A frame for the guest. False: it was dropped. */
    receive(index, frame) {
        const card = this.#cards[index];
        if (this.#closed || !(frame instanceof Uint8Array)) {
            return false;
        }
        if (frame.length < FRAME_MIN || frame.length > FRAME_MAX || card.queue.length === QUEUE_MAX) {
            card.dropped++;
            return false;
        }
        card.queue.push(frame);
        this.#host.flushSoon();
        return true;
    }

    /** The cable. */
    setUp(index, up, why) {
        const card = this.#cards[index];
        if (!this.#closed && card.up !== up) {
            card.up = up;
            this.#host.engine.netLink(index, up);
            this.#host.kick();
        }
        this.#host.say('netState', [index, up, why]);
    }

    /** From within the engine. */
    send(index, frame) {
        const card = this.#cards[index];
        if (!card || this.#closed) {
            return;
        }
        card.txFrames++;
        card.txBytes += frame.length;
        if (card.link.send(frame) === false) {
            card.dropped++;
        }
    }

    /** A link of the caller says so later. */
    countDropped(index) {
        this.#cards[index].dropped++;
    }

    /** What waits goes to the guest while it has room. */
    flush() {
        for (const [index, card] of this.#cards.entries()) {
            let fed = 0;
            while (fed < card.queue.length && this.#host.engine.netFeed(index, card.queue[fed])) {
                card.rxFrames++;
                card.rxBytes += card.queue[fed++].length;
            }
            if (fed) {
                card.queue.splice(0, fed);
                this.#host.kick();
            }
        }
    }

    stats() {
        return this.#cards.map(({ up, rxFrames, rxBytes, txFrames, txBytes, dropped }) =>
            ({ up, rxFrames, rxBytes, txFrames, txBytes, dropped }));
    }

    close() {
        this.#closed = true;
        this.#cards.forEach(({ link }) => link.close());
    }
}
