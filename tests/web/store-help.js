// SPDX-License-Identifier: MPL-2.0
// What the stores' tests share; also loaded by workers in browsers, so nothing of Node here.

/** Numbers from 0 to below n; the same for the same seed. */
export function makeRandom(seed) {
    let state = seed >>> 0;
    return (n) => {
        state = state + 0x6D2B79F5 >>> 0;
        let t = Math.imul(state ^ state >>> 15, state | 1);
        t ^= t + Math.imul(t ^ t >>> 7, t | 61);
        return ((t ^ t >>> 14) >>> 0) % n;
    };
}

/** A sector that tells where it belongs and which change wrote it; generation 0: the base. */
export function sectorBytes(sector, generation) {
    const words = new Uint32Array(128);
    for (let i = 0; i < 128; i += 2) {
        words[i] = sector + 1;
        words[i + 1] = generation;
    }
    return new Uint8Array(words.buffer);
}

export function sectorsBytes(first, count, generation) {
    const bytes = new Uint8Array(count * 512);
    for (let i = 0; i < count; i++) {
        bytes.set(sectorBytes(first + i, generation), i * 512);
    }
    return bytes;
}

/** The generation that a sector holds; "zeros", or "torn" for what is none of them. */
export function sectorGeneration(bytes, sector) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 128);
    const [number, generation] = words;
    if (number !== (number || generation ? sector + 1 : 0)) {
        return 'torn';
    }
    for (let i = 2; i < 128; i += 2) {
        if (words[i] !== number || words[i + 1] !== generation) {
            return 'torn';
        }
    }
    return number ? generation : 'zeros';
}

/**
 * What a disk may hold after it was killed: for each sector what was flushed last, and all that was
 * written or discarded since that flush began.
 */
export class CrashModel {
    constructor(sectors) {
        this.sectors = sectors;
        this.generation = 0;
        this.now = new Array(sectors).fill(0);
        this.may = Array.from({ length: sectors }, () => new Set([0]));
    }

    begin(first, count, value) {
        for (let i = first; i < first + count; i++) {
            this.may[i].add(value);
            this.now[i] = value;
        }
    }

    /** Discards zero whole blocks of eight sectors; the last may be short. */
    beginDiscard(first, count) {
        const from = Math.ceil(first / 8) * 8;
        const to = first + count === this.sectors ? this.sectors : Math.floor((first + count) / 8) * 8;
        from < to && this.begin(from, to - from, 'zeros');
    }

    flushed() {
        this.may.forEach((set, i) => {
            set.clear();
            set.add(this.now[i]);
        });
    }

    /** The first wrong sector of a disk that was killed; undefined: none. From then on it is so. */
    check(bytes, { exact = false } = {}) {
        for (let i = 0; i < this.sectors; i++) {
            const found = sectorGeneration(bytes.subarray(i * 512, i * 512 + 512), i);
            if (exact ? found !== this.now[i] : !this.may[i].has(found)) {
                return `sector ${i} holds ${found}; it may hold ${[...this.may[i]]}, was ${this.now[i]}`;
            }
            this.now[i] = found;
            this.may[i].clear();
            this.may[i].add(found);
        }
        return undefined;
    }
}

export async function readAll(store) {
    const bytes = new Uint8Array(store.size);
    for (let at = 0; at < store.size; at += 1 << 20) {
        await store.read(at, bytes.subarray(at, Math.min(at + (1 << 20), store.size)));
    }
    return bytes;
}

/**
 * An endless row of changes, the same for the same seed, so that who was not there can tell what a killed
 * machine may have done: { flush } or { first, count, generation }, generation "zeros" for discards.
 */
export function* changes(seed, sectors, generation) {
    const random = makeRandom(seed);
    for (;;) {
        if (random(8) === 0) {
            yield { flush: true };
            continue;
        }
        const first = Math.min(random(12) * 1500 + random(100), sectors - 1);
        const count = Math.min(1 + random(60), sectors - first);
        yield { first, count, generation: random(6) === 0 ? 'zeros' : ++generation };
    }
}
