// SPDX-License-Identifier: MPL-2.0
export class SoundPlayer {
    close() {}
}
