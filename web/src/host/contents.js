// SPDX-License-Identifier: MPL-2.0
// What the first bytes of a file for the machine say about it. The engine refuses more than this by name.

export const HEAD_BYTES = 256;

/** What many servers send, with status 200, in the place of a file that they do not have. */
export function isWebPage(head) {
    const text = new TextDecoder('latin1').decode(head).replace(/^\xef\xbb\xbf/, '').trimStart();
    return /^<(!doctype\s+html|html[\s>]|head[\s>]|\?xml[^>]*>\s*<(!doctype\s+html|html))/i.test(text);
}

/** A RISC-V kernel Image (Linux, Documentation/riscv/boot-image-header.rst), or ELF. */
export function isKernel(head) {
    const has = (at, bytes) => bytes.every((byte, i) => head[at + i] === byte);
    return has(0, [0x7f, 0x45, 0x4c, 0x46]) || has(56, [0x52, 0x53, 0x43, 5]);
}
