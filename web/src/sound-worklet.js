// SPDX-License-Identifier: MPL-2.0
// Runs in the browser's audio thread: a ring of frames, played at the guest's rate.

const seconds = 0.5; // what comes faster than it is played is dropped beyond that
const ahead = 0.06; // so much is collected before it begins, and after it ran dry

class RvkitSound extends AudioWorkletProcessor {
    constructor({ processorOptions: { rate, channels } }) {
        super();
        this.channels = channels;
        this.step = rate / sampleRate;
        this.frames = Math.ceil(rate * seconds);
        this.ring = new Float32Array(this.frames * channels);
        this.begin = Math.ceil(rate * ahead);
        this.read = 0; // frames, with a fraction
        this.filled = 0;
        this.playing = false;
        this.ended = false;
        this.port.onmessage = ({ data }) => (data ? this.put(data) : this.end());
    }

    end() {
        this.ended = true;
        this.playing = this.filled > 0;
    }

    put(samples) {
        const count = Math.min(Math.floor(samples.length / this.channels), this.frames - this.filled - 1);
        let at = (Math.floor(this.read) + this.filled) % this.frames * this.channels;
        for (let i = 0; i < count * this.channels; i++) {
            this.ring[at] = samples[i];
            if (++at === this.ring.length) {
                at = 0;
            }
        }
        if (count > 0) {
            this.filled += count;
        }
        if (this.filled >= this.begin) {
            this.playing = true;
        }
    }

    process(inputs, [output]) {
        const length = output[0].length;
        for (let i = 0; i < length && this.playing; i++) {
            this.frame(output, i);
        }
        return !(this.ended && !this.playing);
    }

    /** One frame, between the two that lie around it in time. */
    frame(output, i) {
        if (this.filled < 2) {
            this.playing = false;
            return;
        }
        const whole = Math.floor(this.read), part = this.read - whole;
        const here = whole % this.frames * this.channels;
        const next = (whole + 1) % this.frames * this.channels;
        for (let channel = 0; channel < output.length; channel++) {
            const from = Math.min(channel, this.channels - 1);
            const a = this.ring[here + from], b = this.ring[next + from];
            output[channel][i] = a + (b - a) * part;
        }
        const moved = Math.floor(this.read + this.step) - whole;
        this.read += this.step;
        this.filled -= Math.min(moved, this.filled);
        if (this.read >= this.frames) {
            this.read -= this.frames;
        }
    }
}

registerProcessor('rvkit-sound', RvkitSound);
