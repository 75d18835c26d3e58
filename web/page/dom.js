// SPDX-License-Identifier: MPL-2.0
// Small things for making elements.
import { icons } from './icons.js';

/**
 * An element. Properties: `class`, `on` ({event: listener}), `data`; what begins with aria or is no
 * property of the element is an attribute. Children: nodes and texts; null is left out.
 */
export function el(name, properties = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
        if (value === undefined || value === null || value === false) {
            continue;
        }
        if (key === 'class') {
            node.className = value;
        } else if (key === 'on') {
            for (const [type, listener] of Object.entries(value)) {
                node.addEventListener(type, listener);
            }
        } else if (key === 'data') {
            Object.assign(node.dataset, value);
        } else if (key in node && !key.startsWith('aria') && key !== 'list' && key !== 'form') {
            node[key] = value;
        } else {
            node.setAttribute(key, value === true ? '' : value);
        }
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
}

export function icon(name) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    for (const d of icons[name]) {
        const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
        path.setAttribute('d', d);
        svg.append(path);
    }
    return svg;
}

/** A button that shows an icon, with its label for those who do not see it. */
export function iconButton(name, label, onclick, properties = {}) {
    return el('button', {
        type: 'button', class: 'icon', title: label, 'aria-label': label, on: { click: onclick },
        ...properties,
    }, icon(name));
}

export function setIcon(button, name, label) {
    button.replaceChildren(icon(name));
    button.title = label;
    button.setAttribute('aria-label', label);
}

/** "812 B", "1.4 MB" (of 1000). */
export function bytes(count) {
    if (count < 1000) {
        return `${count} B`;
    }
    const unit = Math.min(4, Math.floor(Math.log10(count) / 3));
    const value = count / 1000 ** unit;
    return `${value.toFixed(value < 10 ? 1 : 0)} ${' kMGT'[unit]}B`;
}

/** Gives a Blob to the person as a file. */
export function save(blob, name) {
    const url = URL.createObjectURL(blob);
    const link = el('a', { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
}

/** A stream to a file: written as it comes where the browser can, else collected first. */
export async function saveStream(stream, name) {
    if (window.showSaveFilePicker) {
        let handle;
        try {
            handle = await window.showSaveFilePicker({ suggestedName: name });
        } catch (error) {
            await stream.cancel();
            if (error.name === 'AbortError') {
                return false;
            }
            throw error;
        }
        await stream.pipeTo(await handle.createWritable());
        return true;
    }
    save(await new Response(stream).blob(), name);
    return true;
}

/** Asks for files; gives them, none when the person changed their mind. */
export function pickFiles({ multiple = false, accept = '' } = {}) {
    return new Promise((resolve) => {
        const input = el('input', { type: 'file', multiple, accept, hidden: true });
        const end = () => {
            resolve([...input.files]);
            input.remove();
        };
        input.addEventListener('change', end);
        input.addEventListener('cancel', end);
        document.body.append(input);
        input.click();
    });
}

/** A few words that go away by themselves. */
export function toast(text, { kind = 'info', ms = 5000, action } = {}) {
    const box = el('div', { class: `toast ${kind}` }, el('span', {}, text));
    const close = () => box.remove();
    if (action) {
        box.append(el('button', {
            type: 'button',
            on: { click: () => {
 close(); action.run(); 
            } },
        }, action.label));
    }
    if (action || ms === Infinity) {
        box.append(iconButton('close', 'Dismiss', close));
    }
    document.getElementById('toasts').append(box);
    if (ms !== Infinity) {
        setTimeout(close, ms);
    }
    return close;
}

/** A modal dialog; it is gone when it is closed. */
export function dialog(title, content, { className = '', onclose } = {}) {
    const heading = el('h2', { id: `dialog-${Math.random().toString(36).slice(2)}` }, title);
    const box = el('dialog', { class: className, 'aria-labelledby': heading.id },
        el('header', {}, heading, iconButton('close', 'Close', () => box.close())), content);
    box.addEventListener('close', () => {
        box.remove();
        onclose?.();
    });
    // A click on the backdrop is one on the dialog itself.
    box.addEventListener('click', (event) => {
        if (event.target === box && outside(box, event)) {
            box.close();
        }
    });
    document.body.append(box);
    box.showModal();
    return box;
}

function outside(box, event) {
    const rect = box.getBoundingClientRect();
    return event.clientX < rect.left || event.clientX > rect.right ||
        event.clientY < rect.top || event.clientY > rect.bottom;
}

/** A question with two answers; true for the one named. */
export function ask(title, text, yes = 'Allow', no = 'Cancel') {
    return new Promise((resolve) => {
        let answer = false;
        const box = dialog(title, el('form', { method: 'dialog' },
            ...[text].flat().map((line) => el('p', {}, line)),
            el('div', { class: 'actions' },
                el('button', { type: 'submit' }, no),
                el('button', {
                    type: 'submit', class: 'primary', on: { click: () => {
                        answer = true; 
                    } },
                }, yes))), { className: 'small', onclose: () => resolve(answer) });
        box.querySelector('.actions button').focus();
    });
}
