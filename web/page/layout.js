// SPDX-License-Identifier: MPL-2.0
// Text as keys of a US keyboard, for keyboards on glass, which have letters and no keys.
const plain = {
    ' ': 'Space', '\n': 'Enter', '\r': 'Enter', '\t': 'Tab', '-': 'Minus', '=': 'Equal',
    '[': 'BracketLeft', ']': 'BracketRight', '\\': 'Backslash', ';': 'Semicolon', "'": 'Quote',
    '`': 'Backquote', ',': 'Comma', '.': 'Period', '/': 'Slash',
};
const shifted = {
    '_': 'Minus', '+': 'Equal', '{': 'BracketLeft', '}': 'BracketRight', '|': 'Backslash',
    ':': 'Semicolon', '"': 'Quote', '~': 'Backquote', '<': 'Comma', '>': 'Period', '?': 'Slash',
};
const digits = ')!@#$%^&*(';

/** [code, shifted] for each character that such a keyboard has. */
export function codesOf(text) {
    return [...text].flatMap((char) => {
        if (/[a-z]/.test(char)) {
            return [[`Key${char.toUpperCase()}`, false]];
        }
        if (/[A-Z]/.test(char)) {
            return [[`Key${char}`, true]];
        }
        if (/\d/.test(char)) {
            return [[`Digit${char}`, false]];
        }
        if (digits.includes(char)) {
            return [[`Digit${digits.indexOf(char)}`, true]];
        }
        if (plain[char]) {
            return [[plain[char], false]];
        }
        return shifted[char] ? [[shifted[char], true]] : [];
    });
}
