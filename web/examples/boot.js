// SPDX-License-Identifier: MPL-2.0
// node boot.js Image initramfs.cpio: boots Linux, asks it for its name, and powers it off.
import { Machine } from 'rvkit';

const [kernel, initrd] = process.argv.slice(2);
const machine = new Machine({ kernel, initrd, memory: '128M' });
await machine.start();
await machine.expect('~# ');
await machine.send('uname -a\n');
console.log(await machine.expect(/^Linux .*\r/m));
await machine.stop();
