// SPDX-License-Identifier: MPL-2.0
// Finding text in a terminal.
import { el, iconButton } from './dom.js';

const decorations = {
    matchBackground: '#8a6d1f', matchOverviewRuler: '#c9a227',
    activeMatchBackground: '#2f6db5', activeMatchColorOverviewRuler: '#72aaf5',
};

export class SearchBar {
    #search;
    #leave;
    #input;
    #count;
    #toggles = { caseSensitive: false, regex: false };
    #end;

    constructor(search, leave) {
        this.#search = search;
        this.#leave = leave;
        this.#input = el('input', {
            type: 'search', 'aria-label': 'Find in the terminal', placeholder: 'Find',
            spellcheck: false, autocapitalize: 'off', autocomplete: 'off',
            on: { input: () => this.#find(false, true), keydown: (event) => this.#key(event) },
        });
        this.#count = el('span', { class: 'count', role: 'status' });
        this.element = el('div', { class: 'search', role: 'search', hidden: true },
            this.#input, this.#count,
            this.#toggle('caseSensitive', 'Aa', 'Match case'),
            this.#toggle('regex', '.*', 'Regular expression'),
            iconButton('up', 'Previous match', () => this.#find(true)),
            iconButton('down', 'Next match', () => this.#find(false)),
            iconButton('close', 'Close the search', () => this.close()));
        this.#end = search.onDidChangeResults(({ resultIndex, resultCount }) => {
            this.#count.textContent = !this.#input.value ? ''
                : resultCount ? `${resultIndex + 1}/${resultCount}` : 'none';
        });
    }

    get isOpen() {
        return !this.element.hidden;
    }

    open() {
        this.element.hidden = false;
        this.#input.focus();
        this.#input.select();
        this.#find(true, true);
    }

    close() {
        this.element.hidden = true;
        this.#search.clearDecorations();
        this.#leave();
    }

    dispose() {
        this.#end.dispose();
    }

    #toggle(name, text, label) {
        const button = el('button', {
            type: 'button', class: 'icon', title: label, 'aria-label': label, 'aria-pressed': 'false',
            on: { click: () => {
                this.#toggles[name] = !this.#toggles[name];
                button.setAttribute('aria-pressed', String(this.#toggles[name]));
                this.#find(false, true);
            } },
        }, text);
        return button;
    }

    #find(back, incremental = false) {
        const options = { ...this.#toggles, decorations, incremental: incremental && !back };
        const text = this.#input.value;
        this.#input.removeAttribute('aria-invalid');
        if (!text) {
            this.#search.clearDecorations();
            this.#count.textContent = '';
            return;
        }
        try {
            if (options.regex) {
                new RegExp(text);
            }
            if (back) {
                this.#search.findPrevious(text, options);
            } else {
                this.#search.findNext(text, options);
            }
        } catch {
            this.#input.setAttribute('aria-invalid', 'true');
            this.#count.textContent = '';
        }
    }

    #key(event) {
        if (event.key === 'Enter') {
            this.#find(!event.shiftKey);
        } else if (event.key === 'Escape') {
            this.close();
        } else {
            return;
        }
        event.preventDefault();
        event.stopPropagation();
    }
}
