// SPDX-License-Identifier: MPL-2.0

/*
 * KeyboardEvent.code (UI Events KeyboardEvent code Values) and the usage of that key on the keyboard
 * page of the HID Usage Tables (section "Keyboard/Keypad Page (0x07)"): "usage code code …", in order.
 */
const KEYS = `
04 KeyA  05 KeyB  06 KeyC  07 KeyD  08 KeyE  09 KeyF  0a KeyG  0b KeyH  0c KeyI  0d KeyJ  0e KeyK
0f KeyL  10 KeyM  11 KeyN  12 KeyO  13 KeyP  14 KeyQ  15 KeyR  16 KeyS  17 KeyT  18 KeyU  19 KeyV
1a KeyW  1b KeyX  1c KeyY  1d KeyZ
1e Digit1  1f Digit2  20 Digit3  21 Digit4  22 Digit5  23 Digit6  24 Digit7  25 Digit8  26 Digit9
27 Digit0
28 Enter  29 Escape  2a Backspace  2b Tab  2c Space  2d Minus  2e Equal  2f BracketLeft
30 BracketRight  31 Backslash  33 Semicolon  34 Quote  35 Backquote  36 Comma  37 Period  38 Slash
39 CapsLock
3a F1  3b F2  3c F3  3d F4  3e F5  3f F6  40 F7  41 F8  42 F9  43 F10  44 F11  45 F12
46 PrintScreen  47 ScrollLock  48 Pause  49 Insert  4a Home  4b PageUp  4c Delete  4d End
4e PageDown  4f ArrowRight  50 ArrowLeft  51 ArrowDown  52 ArrowUp
53 NumLock  54 NumpadDivide  55 NumpadMultiply  56 NumpadSubtract  57 NumpadAdd  58 NumpadEnter
59 Numpad1  5a Numpad2  5b Numpad3  5c Numpad4  5d Numpad5  5e Numpad6  5f Numpad7  60 Numpad8
61 Numpad9  62 Numpad0  63 NumpadDecimal
64 IntlBackslash  65 ContextMenu  66 Power  67 NumpadEqual
68 F13  69 F14  6a F15  6b F16  6c F17  6d F18  6e F19  6f F20  70 F21  71 F22  72 F23  73 F24
74 Open  75 Help  77 Select  79 Again  7a Undo  7b Cut  7c Copy  7d Paste  7e Find
7f AudioVolumeMute  80 AudioVolumeUp  81 AudioVolumeDown
85 NumpadComma  87 IntlRo  88 KanaMode  89 IntlYen  8a Convert  8b NonConvert
90 Lang1  91 Lang2  92 Lang3  93 Lang4  94 Lang5
a3 Props
b6 NumpadParenLeft  b7 NumpadParenRight  bb NumpadBackspace
d0 NumpadMemoryStore  d1 NumpadMemoryRecall  d2 NumpadMemoryClear  d3 NumpadMemoryAdd
d4 NumpadMemorySubtract  d8 NumpadClear  d9 NumpadClearEntry
e0 ControlLeft  e1 ShiftLeft  e2 AltLeft  e3 MetaLeft
e4 ControlRight  e5 ShiftRight  e6 AltRight  e7 MetaRight
`;

/** What browsers and systems call some of them besides. */
const OTHER_NAMES = {
    OSLeft: 'MetaLeft', OSRight: 'MetaRight', VolumeMute: 'AudioVolumeMute', VolumeUp: 'AudioVolumeUp',
    VolumeDown: 'AudioVolumeDown', HangulMode: 'Lang1', Hanja: 'Lang2', Katakana: 'Lang3',
    Hiragana: 'Lang4', NumpadHash: 'Backslash', IntlHash: 'Backslash', NumpadStar: 'NumpadMultiply',
};

/** @type {ReadonlyMap<string, number>} */
export const keyUsages = new Map(
    [...KEYS.matchAll(/([0-9a-f]{2}) (\w+)/g)].map(([, usage, code]) => [code, parseInt(usage, 16)]));
for (const [name, code] of Object.entries(OTHER_NAMES)) {
    keyUsages.set(name, keyUsages.get(code));
}

/** MouseEvent.button: left, middle, right, back, forward; in the engine's mask. */
const BUTTONS = [1, 4, 2, 8, 16];
const PLACE_MAX = 32767;
const NOTCH = 120;
const DISTANCE_MAX = 32767;

function toPlace(n) {
    return Math.round(Math.min(Math.max(n, 0), 1) * PLACE_MAX) || 0;
}

function toInt(n) {
    return Math.min(Math.max(Math.round(n), -DISTANCE_MAX), DISTANCE_MAX) || 0;
}

/** Keys, pointers and fingers for the guest; see index.d.ts. */
export class Input {
    #machine;
    #left = { x: 0, y: 0 }; // parts of a pixel that were not moved yet

    /** @internal */
    constructor(machine) {
        this.#machine = machine;
    }

    #say(kind, ...numbers) {
        this.#machine.link?.say('input', [kind, numbers]);
    }

    key(code, down) {
        const usage = keyUsages.get(code);
        if (usage !== undefined) {
            this.#say('key', usage, down ? 1 : 0);
        }
        return usage !== undefined;
    }

    button(button, down) {
        if (BUTTONS[button]) {
            this.#say('button', BUTTONS[button], down ? 1 : 0);
        }
    }

    move(dx, dy) {
        this.#left.x += dx;
        this.#left.y += dy;
        const [x, y] = [toInt(Math.trunc(this.#left.x)), toInt(Math.trunc(this.#left.y))];
        if (x || y) {
            this.#left.x = this.#left.x % 1;
            this.#left.y = this.#left.y % 1;
            this.#say('move', x, y);
        }
    }

    place(x, y) {
        this.#say('place', toPlace(x), toPlace(y));
    }

    wheel(dx, dy) {
        this.#say('wheel', toInt(dx * NOTCH), toInt(dy * NOTCH));
    }

    touch(slot, down, x, y) {
        if (Number.isInteger(slot) && slot >= 0 && slot < 10) {
            this.#say('touch', slot, down ? 1 : 0, toPlace(x), toPlace(y));
        }
    }

    leave() {
        this.#left = { x: 0, y: 0 };
        this.#say('leave');
    }
}
