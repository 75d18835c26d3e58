// SPDX-License-Identifier: MPL-2.0
export { RvkitError } from './errors.js';
export { keyUsages } from './input.js';
export { Machine } from './machine.js';
export { BroadcastLink } from './net/broadcast.js';
export { WebSocketLink } from './net/websocket.js';
export { stores } from './store/manage.js';
export { attachTerminal } from './terminal.js';
export { version } from './version.js';
