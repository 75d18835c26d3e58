// SPDX-License-Identifier: MPL-2.0
// Light and dark: of the page, and of the terminals.
const system = matchMedia('(prefers-color-scheme: dark)');
let choice = 'auto';
const listeners = new Set();

export const terminalThemes = {
    dark: {
        background: '#101216', foreground: '#dfe3e8', cursor: '#7cc4ff', cursorAccent: '#101216',
        selectionBackground: '#2f4a68', selectionInactiveBackground: '#2a333e',
        black: '#2a2f37', red: '#f0716b', green: '#7fc97a', yellow: '#dfb65c',
        blue: '#72aaf5', magenta: '#cf8ee0', cyan: '#5cc4c9', white: '#c9ced6',
        brightBlack: '#8a929e', brightRed: '#ff938c', brightGreen: '#9fe09a',
        brightYellow: '#f2cf82', brightBlue: '#98c3ff', brightMagenta: '#e2aef0',
        brightCyan: '#86dde1', brightWhite: '#ffffff',
        scrollbarSliderBackground: '#ffffff2e', scrollbarSliderHoverBackground: '#ffffff55',
        scrollbarSliderActiveBackground: '#ffffff77',
    },
    light: {
        background: '#ffffff', foreground: '#1d232b', cursor: '#1f5fa8', cursorAccent: '#ffffff',
        selectionBackground: '#b9d6f6', selectionInactiveBackground: '#dde3ea',
        black: '#1d232b', red: '#b3261e', green: '#226c2a', yellow: '#7a5600',
        blue: '#1f5fa8', magenta: '#8b3a9b', cyan: '#0b6a70', white: '#5a6370',
        brightBlack: '#67707d', brightRed: '#c5352c', brightGreen: '#2b7a33',
        brightYellow: '#8a6200', brightBlue: '#2a6fbf', brightMagenta: '#9c4aad',
        brightCyan: '#0e767d', brightWhite: '#3b434e',
        scrollbarSliderBackground: '#0000002e', scrollbarSliderHoverBackground: '#00000055',
        scrollbarSliderActiveBackground: '#00000077',
    },
};

/** 'light' or 'dark'. */
export function theme() {
    return choice === 'auto' ? (system.matches ? 'dark' : 'light') : choice;
}

export function setTheme(name) {
    choice = name;
    apply();
}

/** Gives what ends that. */
export function onTheme(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

function apply() {
    document.documentElement.dataset.theme = theme();
    for (const meta of document.querySelectorAll('meta[name=theme-color]')) {
        meta.content = theme() === 'dark' ? '#15181d' : '#f3f4f6';
        meta.media = '';
    }
    for (const listener of listeners) {
        listener(theme());
    }
}

system.addEventListener('change', apply);
