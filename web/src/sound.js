// SPDX-License-Identifier: MPL-2.0
// The guest's sound, through an AudioWorklet. It plays what the machine's 'sound' events bring:
//   {type: 'open', stream, capture, format: 'u8'|'s16'|'s32'|'float', rate, channels}
//   {type: 'play', stream, bytes}   {type: 'close', stream}
// Browsers let a page be heard only after the person has touched it: until then sound is dropped.

const gestures = ['pointerdown', 'keydown', 'touchend'];

export class SoundPlayer {
    #machine;
    #streams = new Map();
    #context = null;
    #ready = null;
    #hear = (event) => this.#event(event.detail);
    #resume = () => this.#context?.resume().catch(() => {});

    constructor(machine) {
        this.#machine = machine;
        machine.addEventListener('sound', this.#hear);
        for (const type of gestures) {
            addEventListener(type, this.#resume, { capture: true, passive: true });
        }
    }

    /** 'none' before the guest has played anything; else as AudioContext.state. */
    get state() {
        return this.#context?.state ?? 'none';
    }

    close() {
        this.#machine.removeEventListener('sound', this.#hear);
        for (const type of gestures) {
            removeEventListener(type, this.#resume, { capture: true });
        }
        this.#context?.close().catch(() => {});
        this.#context = null;
        this.#streams.clear();
    }

    #event(detail) {
        if (detail.type === 'open' && !detail.capture) {
            this.#open(detail);
        } else if (detail.type === 'play') {
            this.#play(detail);
        } else if (detail.type === 'close') {
            this.#end(detail.stream);
        }
    }

    #open({ stream, format, rate, channels }) {
        this.#end(stream);
        const state = { format, rate, channels, node: null };
        this.#streams.set(stream, state);
        this.#node(state).catch((error) => console.warn('rvkit: no sound:', error.message));
    }

    async #node(state) {
        this.#context ??= new AudioContext({ latencyHint: 'interactive' });
        const context = this.#context;
        this.#ready ??= context.audioWorklet.addModule(new URL('./sound-worklet.js', import.meta.url));
        await this.#ready;
        if (context !== this.#context || ![...this.#streams.values()].includes(state)) {
            return;
        }
        state.node = new AudioWorkletNode(context, 'rvkit-sound', {
            numberOfInputs: 0, outputChannelCount: [Math.min(2, state.channels)],
            processorOptions: { rate: state.rate, channels: state.channels },
        });
        state.node.connect(context.destination);
        this.#resume();
    }

    #play({ stream, bytes }) {
        const state = this.#streams.get(stream);
        if (!state?.node || this.#context.state !== 'running') {
            return;
        }
        const samples = toFloat(bytes, state.format);
        state.node.port.postMessage(samples, [samples.buffer]);
    }

    #end(stream) {
        const state = this.#streams.get(stream);
        this.#streams.delete(stream);
        state?.node?.port.postMessage(null); // it plays to its end
    }
}

const formats = {
    u8: [1, (view, at) => (view.getUint8(at) - 128) / 128],
    s16: [2, (view, at) => view.getInt16(at, true) / 32768],
    s32: [4, (view, at) => view.getInt32(at, true) / 2147483648],
    float: [4, (view, at) => view.getFloat32(at, true)],
};

/** Little-endian samples to −1 … 1. */
export function toFloat(bytes, format) {
    const [size, read] = formats[format];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const samples = new Float32Array(Math.floor(bytes.byteLength / size));
    for (let i = 0; i < samples.length; i++) {
        samples[i] = read(view, i * size);
    }
    return samples;
}
