// SPDX-License-Identifier: MPL-2.0
export class Files {
    run() {
        throw new Error('not there yet');
    }
}
