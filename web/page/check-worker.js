// SPDX-License-Identifier: MPL-2.0
// Nothing: check.js only looks whether a worker of this kind can be made.
export {};
