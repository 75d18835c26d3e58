// SPDX-License-Identifier: MPL-2.0
/**
 * rvkit: an RV32 machine for web pages and Node.
 *
 * A `Machine` runs in a worker of its own (in Node: a worker thread), or with `worker: false` in the
 * caller's thread. Sizes are bytes, times milliseconds. Everything that takes long gives a promise
 * and progress events. Errors are `RvkitError`s, with one line that says what was wrong.
 */

/**
 * Bytes from anywhere. A string or URL is fetched; in Node, a string that is no URL is a file's path.
 * What begins as gzip is unpacked (kernel, initrd, …).
 */
export type Source =
  | string | URL | File | Blob | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array> | Response;

export type Size = number | string; // 134217728, "128M", "1G"

export interface DriveOptions {
  /**
   * The image. A BlockStore, or: a URL is read lazily by HTTP ranges; File and Blob are read lazily;
   * "blank:SIZE" ("blank:64M") is a disk of zeros; in Node a string that is no URL is a file's path. A
   * ReadableStream or Response is read into memory first.
   */
  source: string | URL | File | Blob | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array> | Response |
    BlockStore;
  readOnly?: boolean;
  /**
   * Changes go to an overlay of this name, kept in the browser (OPFS, else IndexedDB) across visits; in Node,
   * to a file of this name, as native `-drive FILE,cow=OVERLAY`.
   */
  persist?: string;
  /** Changes go to memory, and are gone with the machine. Default for what cannot be written. */
  ephemeral?: boolean;
  serial?: string;
}

export interface ShareOptions { tag: string; fs?: '9p' | 'virtiofs'; limit?: Size }

export type NetOptions =
  /** No card. */
  | { type: 'none' }
  /** Frames over a WebSocket, one in each binary message. Relative to the page; http(s) is taken for ws(s). */
  | { type: 'websocket'; url: string | URL; protocols?: string[]; mac?: string }
  /** A LAN of all machines of this origin that use the channel (default "lan"). */
  | { type: 'broadcast'; channel?: string; mac?: string }
  | { type: 'custom'; link: NetLink; mac?: string };

/** A network of one's own, in the caller's thread: frames are Ethernet without CRC, 14 to 1518 bytes. */
export interface NetLink {
  /** Called once; `receive` takes frames for the guest and gives false when it has no room for them now. */
  open(receive: (frame: Uint8Array) => boolean, setUp: (up: boolean, why?: string) => void): void | Promise<void>;
  /** false: it was dropped (which is counted). */
  send(frame: Uint8Array): void | boolean;
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
  /** A card without `mac` gets a random address of its own. Default: no card. */
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
  /** In state 'failed' the machine is gone; else it goes on (a disk or the network has a problem). */
  error: CustomEvent<RvkitError>;
  /** Something that may be a mistake: 'flat', the kernel is no Image and no ELF file, and is run as it is. */
  warning: CustomEvent<RvkitError>;
  /** A line of the machine's own log. */
  log: CustomEvent<string>;
  leds: CustomEvent<number>;
  exit: CustomEvent<{ status: number | null }>;
  net: CustomEvent<{ index: number; up: boolean; why?: string }>;
  sound: CustomEvent<SoundMessage>;
}

/** What the guest's sound card does. The engine has the clock: bytes come as fast as they are to be played. */
export type SoundMessage =
  | {
    type: 'open'; stream: number; capture: boolean; format: 'u8' | 's16' | 's32' | 'float';
    rate: number; channels: number;
  }
  | { type: 'play'; stream: number; bytes: Uint8Array }
  | { type: 'close'; stream: number };

/** An EventTarget that knows its events' types. */
declare class TypedTarget<Events> extends EventTarget {
  addEventListener<K extends keyof Events & string>(
    type: K, listener: (event: Events[K]) => void, options?: AddEventListenerOptions | boolean): void;
  addEventListener(
    type: string, listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean): void;
  removeEventListener<K extends keyof Events & string>(
    type: K, listener: (event: Events[K]) => void, options?: EventListenerOptions | boolean): void;
  removeEventListener(
    type: string, listener: EventListenerOrEventListenerObject | null,
    options?: EventListenerOptions | boolean): void;
}

export class Machine extends TypedTarget<MachineEvents> {
  /** Throws an RvkitError with code 'option' when an option is wrong. Nothing is loaded yet. */
  constructor(options: MachineOptions);
  readonly state: MachineState;
  /** Why the state is 'failed'; else null. */
  readonly error: RvkitError | null;
  readonly consoles: Console[];
  readonly displays: Display[];
  readonly input: Input;
  readonly files: Files[];      // one for each share; `machine.files[0]`
  readonly drives: Drive[];
  /** Loads everything (once), and runs; or goes on after pause(). */
  start(): Promise<void>;
  pause(): Promise<void>;
  /** Also after the guest powered off: it runs again. */
  reset(): Promise<void>;
  /**
   * Powers off, flushes disks, frees. The machine cannot be started again. Throws when a disk fails, or when it
   * takes longer than `timeout` (milliseconds; 60000): it is ended in each case.
   */
  stop(options?: { timeout?: number }): Promise<void>;
  stats(): Promise<MachineStats>;
  /** Waits for output of the main console; see Console.expect. */
  expect(what: string | RegExp, options?: ExpectOptions): Promise<string>;
  send(text: string): Promise<void>;
  /** The device tree as the guest gets it. */
  deviceTree(): Promise<Uint8Array>;
  /**
   * Sound goes straight from the worker through this port (an AudioWorkletNode's, for one) as SoundMessages,
   * instead of 'sound' events; {type: 'record', stream, bytes} may come back.
   */
  connectSound(port: MessagePort): Promise<void>;
  /** Bytes of a microphone for a stream that was opened with `capture`. */
  recordSound(stream: number, bytes: Uint8Array): void;
}

/** timeout: milliseconds, 60000 when it is not given; Infinity: none. */
export interface ExpectOptions { timeout?: number; signal?: AbortSignal }

export interface ConsoleEvents {
  /** The size is another one. */
  resize: CustomEvent<{ cols: number; rows: number }>;
  title: CustomEvent<string>;
  bell: CustomEvent<unknown>;
  /** The guest sets the clipboard (OSC 52). */
  clipboard: CustomEvent<{ which: string; text: string }>;
  /** The guest asks for it; an answer only if the person allows it. */
  clipboardrequest: CustomEvent<{ which: string; answer(text: string): void }>;
}

export interface Console extends TypedTarget<ConsoleEvents> {
  readonly name: string;
  readonly cols: number; readonly rows: number;
  readonly title: string;
  /**
   * All bytes as the guest writes them, from the newest 64 KiB on when it is first asked for, with back
   * pressure: the guest waits for the reader. It ends when the machine goes off.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /** After it was closed (as pipeTo() does), or failed, this is another one. */
  readonly writable: WritableStream<Uint8Array | string>;
  /** Types; the promise ends when all was taken by the guest's input queue. */
  write(data: Uint8Array | string): Promise<void>;
  resize(cols: number, rows: number): void;
  /**
   * Waits until text (or a match) comes; gives what was printed up to and with it, from the last expect on.
   * Of what nobody waited for yet, the newest 1 Mi characters are kept (a RegExp is looked for in 64 Ki).
   */
  expect(what: string | RegExp, options?: ExpectOptions): Promise<string>;
  send(text: string): Promise<void>;
  /** A viewer: a terminal gets first what draws the present screen. `data` chunks until `close()`. */
  attach(options?: { kind?: 'terminal' | 'bytes'; wait?: boolean }): ConsoleViewer;
  /** The screen as text with colours (control sequences), and lines above it. */
  screen(options?: { above?: number }): Promise<string>;
}

export interface ConsoleViewer {
  /** Called with bytes; the next come when the promise it gave has ended. */
  ondata: ((data: Uint8Array) => void | Promise<void>) | null;
  /** Everything was delivered, and no more comes: the machine is off, or failed (error). */
  onend: ((error?: RvkitError) => void) | null;
  /** Somebody else changed the size. */
  onresize: ((cols: number, rows: number) => void) | null;
  write(data: Uint8Array | string): Promise<void>;
  resize(cols: number, rows: number): void;
  show(shown: boolean): void;
  close(): void;
}

export interface DisplayEvents {
  mode: CustomEvent<{ width: number; height: number }>;
  cursor: CustomEvent<{ image: ImageData | null; hotX: number; hotY: number }>;
  pointer: CustomEvent<{ x: number; y: number; visible: boolean }>;
}

export interface Display extends TypedTarget<DisplayEvents> {
  readonly width: number; readonly height: number;   // 0, 0: off
  /** Draws on the canvas from now on, at most once each animation frame. Gives what ends that. */
  attach(canvas: HTMLCanvasElement | OffscreenCanvas): () => void;
  /** Asks the guest for a size in pixels. */
  requestSize(width: number, height: number): void;
  screenshot(): Promise<ImageData>;
  /** Where the guest has its cursor. */
  readonly pointer: { x: number; y: number; visible: boolean };
}

export interface Input {
  /** A key by KeyboardEvent.code. */
  key(code: string, down: boolean): boolean;
  button(button: number, down: boolean): void;     // as MouseEvent.button
  move(dx: number, dy: number): void;
  place(x: number, y: number): void;               // 0 … 1
  wheel(dx: number, dy: number): void;             // notches: right and away from the person are positive
  touch(slot: number, down: boolean, x: number, y: number): void;
  leave(): void;
}

export interface FileEntry { name: string; path: string; type: 'file' | 'directory' | 'symlink' | 'other'; size: number; mtime: Date; mode: number }

/**
 * A share's files, seen from the page. Paths are "a/b", from the share's root; links are not followed. Errors
 * have the code 'file' and an errno ('ENOENT', 'ENOSPC', …).
 */
export interface Files extends TypedTarget<{ change: CustomEvent<unknown> }> {
  readonly tag: string;
  list(path?: string): Promise<FileEntry[]>;
  stat(path: string): Promise<FileEntry>;
  read(path: string): Promise<Uint8Array>;
  /**
   * The guest sees the old file or the new one, whole. It is not unpacked. mode: permissions, of a new file 0644.
   */
  write(path: string, data: Source, options?: { mode?: number; onprogress?: (p: Progress) => void }): Promise<void>;
  mkdir(path: string): Promise<void>;
  remove(path: string, options?: { recursive?: boolean }): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Bytes there may be, bytes that are taken, and how many files there are. */
  space(): Promise<{ limit: number; used: number; files: number }>;
  // 'change': the guest, or this side, changed something; at most every 100 ms.
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

/** The overlays of DriveOptions.persist in this browser. */
export const stores: {
  /** A source for a drive: a disk of zeros. */
  empty(size: Size): string;
  listOverlays(): Promise<{ name: string; stored: number; place: 'opfs' | 'indexeddb'; modified?: Date | number }[]>;
  /** Whether there was one. */
  deleteOverlay(name: string): Promise<boolean>;
  /** A file for native `cow=` and importOverlay(); null: nothing is there. */
  exportOverlay(name: string, options?: {
    gzip?: boolean; onprogress?: (progress: Progress) => void; signal?: AbortSignal;
  }): Promise<Blob | null>;
  importOverlay(name: string, file: Blob, options?: {
    replace?: boolean; onprogress?: (progress: Progress) => void; signal?: AbortSignal;
  }): Promise<void>;
};

export class WebSocketLink implements NetLink {
  constructor(options: { url: string | URL; protocols?: string[]; WebSocket?: unknown });
  open: NetLink['open'];
  send: NetLink['send'];
  close: NetLink['close'];
}

export class BroadcastLink implements NetLink {
  constructor(options?: { channel?: string });
  open: NetLink['open'];
  send: NetLink['send'];
  close: NetLink['close'];
}

/** KeyboardEvent.code → usage on the keyboard page of USB HID. */
export const keyUsages: ReadonlyMap<string, number>;

/** One line that says what was wrong, and a word for programs; codes are in errors.js. */
export class RvkitError extends Error {
  constructor(code: string, message: string, more?: { cause?: unknown; [field: string]: unknown });
  readonly code: string;
}

/** Copies an xterm.js terminal and a console into each other. Gives what ends that. */
export function attachTerminal(terminal: unknown, console: Console, options?: {
  fit?: { fit(): void; proposeDimensions(): { cols: number; rows: number } | undefined };
  clipboard?: 'ask' | 'allow' | 'deny' | ((request: { action: 'read' | 'write'; text?: string }) => boolean | Promise<boolean>);
  onTitle?: (title: string) => void;
  onBell?: () => void;
}): { dispose(): void };

export const version: string;
export {};
