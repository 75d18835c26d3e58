// SPDX-License-Identifier: MPL-2.0
import type { Machine } from './index.js';

/** <rvkit-machine>; its attributes are described in element.js. Importing the module defines it. */
export class RvkitMachineElement extends HTMLElement {
  readonly machine: Machine | null;
  /** An xterm.js Terminal. */
  readonly terminal: unknown;
  start(): Promise<void>;
  stop(): Promise<void>;
}

declare global {
  interface HTMLElementTagNameMap { 'rvkit-machine': RvkitMachineElement }
}
