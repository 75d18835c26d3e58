// SPDX-License-Identifier: MPL-2.0
import { dialog, el } from './dom.js';

const keyTable = [
    ['Ctrl+Alt+1 … 9', 'console or screen of that number'],
    ['Ctrl+Alt+0', 'leave the terminal or screen: to the tools'],
    ['Ctrl+Alt+F', 'find in the terminal'],
    ['Ctrl+Shift+C, V', 'copy, paste'],
    ['Esc', 'bring back a mouse that was given to the guest'],
];

const optionTable = [
    ['kernel, initrd, bios, dtb', 'addresses of files; gzip is unpacked; none: without'],
    ['memory, harts', 'memory=256M, harts=2'],
    ['append, cmdline', 'more for the kernel’s command line; all of it'],
    ['drive=URL', 'a disk image, read as it is needed; drive=URL,ro: read-only. Repeatable'],
    ['persist=NAME[:SIZE]', 'keep the first disk’s changes in this browser; without a drive: an empty disk'],
    ['net=off|relay|lan', 'network: none, through a relay, between tabs'],
    ['relay=URL, lan=NAME', 'which relay (ws://…, wss://…); which network between tabs'],
    ['display=1', 'a screen; also display=1024x768, display=fb,800x600'],
    ['sound=1', 'a sound card'],
    ['consoles=virtio,serial', 'hvc0, ttyS0; in this order'],
    ['virtio, icount', 'as the native program: virtio=legacy; icount=1'],
    ['theme, font, scrollback, reader', 'theme=dark, font=16, scrollback=10000, reader=1'],
    ['tab=N', 'the console or screen shown first'],
    ['config=URL', 'another machine.json'],
];

export function openHelp(version) {
    const table = (rows, caption) => el('table', {}, el('caption', {}, caption),
        el('tbody', {}, rows.map(([name, text]) => el('tr', {},
            el('th', { scope: 'row' }, name), el('td', {}, text)))));
    dialog('Help', el('div', { class: 'help' },
        el('p', {}, 'A RISC-V machine runs in this tab, with Linux on it. Nothing leaves your ' +
            'computer but what the guest sends over a network that you allow. Files that you drop ' +
            'on the page are in ', el('code', {}, '/mnt/host'), '.'),
        table(keyTable, 'Keys'),
        table(optionTable, 'Options in the page’s address, as in ?memory=256M&net=lan'),
        el('p', { class: 'hint' }, `rvkit ${version}. In the browser’s console `,
            el('code', {}, 'rvkit.machine'), ' is the machine.')));
}
