// SPDX-License-Identifier: MPL-2.0
/**
 * rvkit: an RV32 machine for web pages and Node.
 *
 * A `Machine` runs in a worker of its own (in Node: a worker thread), or with `worker: false` in the
 * caller's thread. Sizes are bytes, times milliseconds. Everything that takes long gives a promise
 * and progress events. Errors are `RvkitError`s, with one line that says what was wrong.
 */

/** Bytes from anywhere. A string or URL is fetched. What begins as gzip is unpacked (kernel, initrd, …). */
export type Source =
  | string | URL | File | Blob | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array> | Response;

export type Size = number | string; // 134217728, "128M", "1G"

export interface DriveOptions {
  /** The image. A BlockStore, or: a URL string is read lazily by HTTP ranges; File and Blob are read lazily. */
  source: string | URL | File | Blob | ArrayBuffer | Uint8Array | BlockStore;
  readOnly?: boolean;
  /** Changes go to an overlay of this name, kept in the browser (OPFS, else IndexedDB) across visits. */
  persist?: string;
  /** Changes go to memory, and are gone with the machine. Default for what cannot be written. */
  ephemeral?: boolean;
  serial?: string;
}

export interface ShareOptions { tag: string; fs?: '9p' | 'virtiofs'; limit?: Size }

export type NetOptions =
  | { type: 'none'; mac?: string }
  | { type: 'websocket'; url: string | URL; protocols?: string[]; mac?: string }
  | { type: 'broadcast'; channel?: string; mac?: string }
  | { type: 'custom'; link: NetLink; mac?: string };

/** A network of one's own: frames are Ethernet without CRC. */
export interface NetLink {
  /** Called once; `receive` takes frames for the guest and gives false when it has no room for them now. */
  open(receive: (frame: Uint8Array) => boolean, setUp: (up: boolean, why?: string) => void): void | Promise<void>;
  send(frame: Uint8Array): void;
  close(): void;
}

export type ConsoleOptions = 'serial' | 'virtio' | { type: 'serial' | 'virtio'; name?: string };

export interface DisplayOptions {
  type?: 'gpu' | 'framebuffer';
  width?: number; height?: number;
}

export interface MachineOptions {
  memory?: Size;          // default "128M"
  harts?: number;         // default 1
  kernel?: Source; initrd?: Source; bios?: Source; dtb?: Source;
  /** The whole command line; `append` is added to it, or to the usual one. */
  cmdline?: string; append?: string;
  drives?: (DriveOptions | DriveOptions['source'])[];
  shares?: ShareOptions[];
  net?: NetOptions | NetOptions[];
  consoles?: ConsoleOptions[];  // default ['serial']
  display?: DisplayOptions | DisplayOptions[];
  /** Input devices; default with a display: keyboard, tablet, mouse, touch. */
  input?: ('keyboard' | 'tablet' | 'mouse' | 'touch')[];
  sound?: boolean;
  /** How the VirtIO devices talk, as native `-virtio`: "legacy", "packed=off", … */
  virtio?: string;
  icount?: boolean;
  /** false: in the caller's thread. */
  worker?: boolean;
  /** Where rvkit.wasm is; default: beside the module. */
  wasm?: string | URL | ArrayBuffer | WebAssembly.Module;
  signal?: AbortSignal;
}

export type MachineState = 'new' | 'loading' | 'paused' | 'running' | 'off' | 'failed';

export interface Progress { what: string; loaded: number; total?: number }

export interface MachineStats {
  instructions: number; mips: number; guestTime: number; lag: number; idle: number; wasmMemory: number;
  drives: { reads: number; writes: number; flushes: number; errors: number; bytesRead: number; bytesWritten: number }[];
  net: { up: boolean; rxFrames: number; rxBytes: number; txFrames: number; txBytes: number; dropped: number }[];
}

export interface MachineEvents {
  state: CustomEvent<MachineState>;
  progress: CustomEvent<Progress>;
  error: CustomEvent<RvkitError>;
  /** A line of the machine's own log. */
  log: CustomEvent<string>;
  leds: CustomEvent<number>;
  exit: CustomEvent<{ status: number | null }>;
  net: CustomEvent<{ index: number; up: boolean; why?: string }>;
  sound: CustomEvent<unknown>;
}

export class Machine extends EventTarget {
  constructor(options: MachineOptions);
  readonly state: MachineState;
  readonly consoles: Console[];
  readonly displays: Display[];
  readonly input: Input;
  readonly files: Files[];      // one for each share; `machine.files[0]`
  readonly drives: Drive[];
  /** Loads everything (once), and runs. */
  start(): Promise<void>;
  pause(): Promise<void>;
  reset(): Promise<void>;
  /** Powers off, flushes disks, frees. The machine cannot be started again. */
  stop(): Promise<void>;
  stats(): Promise<MachineStats>;
  /** Waits for output of the main console; see Console.expect. */
  expect(what: string | RegExp, options?: ExpectOptions): Promise<string>;
  send(text: string): Promise<void>;
  addEventListener<K extends keyof MachineEvents>(type: K, listener: (event: MachineEvents[K]) => void, options?: AddEventListenerOptions | boolean): void;
  removeEventListener<K extends keyof MachineEvents>(type: K, listener: (event: MachineEvents[K]) => void): void;
}

export interface ExpectOptions { timeout?: number; signal?: AbortSignal }

export interface Console extends EventTarget {
  readonly name: string;
  readonly cols: number; readonly rows: number;
  readonly title: string;
  /** All bytes as the guest writes them, with back pressure: the guest waits for the reader. */
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array | string>;
  /** Types; the promise ends when all was taken by the guest's input queue. */
  write(data: Uint8Array | string): Promise<void>;
  resize(cols: number, rows: number): void;
  /** Waits until text (or a match) comes; gives what was printed up to and with it, from the last expect on. */
  expect(what: string | RegExp, options?: ExpectOptions): Promise<string>;
  send(text: string): Promise<void>;
  /** A viewer: a terminal gets first what draws the present screen. `data` chunks until `close()`. */
  attach(options?: { kind?: 'terminal' | 'bytes'; wait?: boolean }): ConsoleViewer;
  // events: 'resize' (by somebody else), 'title', 'bell', 'clipboard' ({which, text}), 'clipboardrequest' ({which, answer(text)})
}

export interface ConsoleViewer {
  /** Called with bytes; the next come when the promise it gave has ended. */
  ondata: ((data: Uint8Array) => void | Promise<void>) | null;
  write(data: Uint8Array | string): Promise<void>;
  resize(cols: number, rows: number): void;
  show(shown: boolean): void;
  close(): void;
}

export interface Display extends EventTarget {
  readonly width: number; readonly height: number;   // 0, 0: off
  /** Draws on the canvas from now on, at most once each animation frame. Gives what ends that. */
  attach(canvas: HTMLCanvasElement | OffscreenCanvas): () => void;
  /** Asks the guest for a size in pixels. */
  requestSize(width: number, height: number): void;
  screenshot(): Promise<ImageData>;
  // events: 'mode' ({width, height}), 'cursor' ({image: ImageData|null, hotX, hotY})
}

export interface Input {
  /** A key by KeyboardEvent.code. */
  key(code: string, down: boolean): boolean;
  button(button: number, down: boolean): void;     // as MouseEvent.button
  move(dx: number, dy: number): void;
  place(x: number, y: number): void;               // 0 … 1
  wheel(dx: number, dy: number): void;             // notches
  touch(slot: number, down: boolean, x: number, y: number): void;
  leave(): void;
}

export interface FileEntry { name: string; path: string; type: 'file' | 'directory' | 'symlink'; size: number; mtime: Date; mode: number }

/** A share's files, seen from the page. Paths are "a/b", from the share's root. */
export interface Files {
  readonly tag: string;
  list(path?: string): Promise<FileEntry[]>;
  stat(path: string): Promise<FileEntry>;
  read(path: string): Promise<Uint8Array>;
  write(path: string, data: Source, options?: { mode?: number; onprogress?: (p: Progress) => void }): Promise<void>;
  mkdir(path: string): Promise<void>;
  remove(path: string, options?: { recursive?: boolean }): Promise<void>;
  rename(from: string, to: string): Promise<void>;
}

/** A disk's storage. Offsets and lengths are multiples of 512, and inside of it. */
export interface BlockStore {
  readonly size: number;
  readonly readOnly: boolean;
  /** Fills `into`. A store that has the bytes at hand may do so at once and give undefined. */
  read(offset: number, into: Uint8Array): Promise<void> | void;
  /** `data` may be changed by the caller after the call returned a value, or the promise ended. */
  write(offset: number, data: Uint8Array): Promise<void> | void;
  /** What was written before is durable when this ends. */
  flush(): Promise<void> | void;
  discard?(offset: number, length: number): Promise<void> | void;
  close(): Promise<void> | void;
}

export interface Drive {
  readonly size: number; readonly readOnly: boolean;
  /** The disk as the guest sees it now, base and overlay, as a stream. */
  export(): ReadableStream<Uint8Array>;
  /** The changes alone: a file that `importOverlay` takes. null: there are none. */
  exportOverlay(): Promise<Blob | null>;
}

export class RvkitError extends Error { readonly code: string }

/** Copies an xterm.js terminal and a console into each other. Gives what ends that. */
export function attachTerminal(terminal: unknown, console: Console, options?: {
  fit?: { fit(): void; proposeDimensions(): { cols: number; rows: number } | undefined };
  clipboard?: 'ask' | 'allow' | 'deny' | ((request: { action: 'read' | 'write'; text?: string }) => boolean | Promise<boolean>);
  onTitle?: (title: string) => void;
  onBell?: () => void;
}): { dispose(): void };

export const version: string;
