// SPDX-License-Identifier: MPL-2.0
// The worker's entry: a Host on the port to the thread that made it.
import { Host } from './host/host.js';
import { isNode, onParentPort } from './platform.js';
import { holdLife } from './watch.js';

onParentPort(async (port) => {
    const host = new Host(port);
    host.hello(isNode ? null : await holdLife());
});
