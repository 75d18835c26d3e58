// SPDX-License-Identifier: MPL-2.0
// The worker's entry: a Host on the port to the thread that made it.
import { Host } from './host/host.js';
import { onParentPort } from './platform.js';

onParentPort((port) => {
    new Host(port).hello();
});
