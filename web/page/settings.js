// SPDX-License-Identifier: MPL-2.0
// The settings dialog. What concerns the machine is applied with a restart; the rest at once.
import { loadSettings, pageDefaults, persistOf, saveSettings, settingKeys, sizeOf } from './config.js';
import { dialog, el } from './dom.js';

const pageFields = [
    ['theme', 'Colours', { auto: 'As the system', light: 'Light', dark: 'Dark' }],
    ['fontSize', 'Font size', { type: 'number', min: 6, max: 40 }],
    ['scrollback', 'Lines kept', { type: 'number', min: 0, max: 1000000, step: 1000 }],
    ['keys', 'Key bar', { auto: 'On touch screens', on: 'Always', off: 'Never' }],
    ['screenReader', 'Screen reader', { type: 'checkbox' },
        'Makes the terminal’s text readable for screen readers.'],
];
const machineFields = [
    ['memory', 'Memory', { type: 'text', pattern: '\\d+[kKmMgG]?' }, 'As in 128M, 1G'],
    ['harts', 'Harts', { type: 'number', min: 1, max: 16 }, 'They take turns.'],
    ['append', 'Kernel options', { type: 'text' }, 'Added to the command line'],
    ['net', 'Network', { auto: 'Relay, if there is one', relay: 'Relay', lan: 'Between tabs', off: 'Off' }],
    ['display', 'Screen', { type: 'checkbox' }, 'A virtio-gpu with keyboard, mouse and touch'],
    ['sound', 'Sound', { type: 'checkbox' }],
    ['persist', 'Persistent disk', { type: 'text', pattern: '[\\w.\\-]{1,64}(:\\d+[kKmMgG]?)?' },
        'A name, or NAME:SIZE; kept in this browser. Empty: none'],
];

/** page, machine: what holds now; onpage(page): try it; onrestart(): the machine's are to be used. */
export function openSettings({ page, machine, overridden, onpage, onrestart }) {
    const draft = { ...page };
    const fields = el('form', { class: 'settings', method: 'dialog', noValidate: false },
        el('fieldset', {}, el('legend', {}, 'Page'),
            pageFields.map((field) => row(field, page, (key, value) => {
                draft[key] = value;
                keep({ [key]: value });
                onpage(draft);
            }))),
        el('fieldset', {}, el('legend', {}, 'Machine'),
            machineFields.map((field) => row(field, machine, () => {
                restart.disabled = false;
            }))),
        overridden.length ? el('p', { class: 'hint' },
            `The page’s address sets ${overridden.join(', ')}; that comes first.`) : null,
        el('div', { class: 'actions' },
            el('button', { type: 'button', on: { click: () => forget() } }, 'Use the defaults'),
            el('button', { type: 'button', on: { click: () => box.close() } }, 'Close')));
    const restart = el('button', { type: 'submit', class: 'primary', disabled: true }, 'Restart with these');
    fields.lastChild.append(restart);
    fields.addEventListener('submit', (event) => {
        event.preventDefault();
        if (!check(fields)) {
            return;
        }
        keep(Object.fromEntries(settingKeys.map((key) => [key, valueOf(fields.elements[key])])));
        box.close();
        onrestart();
    });
    const box = dialog('Settings', fields);

    function forget() {
        saveSettings({});
        onpage({ ...pageDefaults });
        box.close();
        onrestart();
    }
}

function keep(changes) {
    saveSettings({ ...loadSettings(), ...changes });
}

function row([key, label, kind, hint], values, onchange) {
    const id = `set-${key}`;
    const attributes = {
        id, name: key, 'aria-describedby': hint && `${id}-hint`,
        on: { change: (event) => {
            event.target.setCustomValidity('');
            if (event.target.checkValidity()) {
                onchange(key, valueOf(event.target));
            }
        }, input: (event) => event.target.setCustomValidity('') },
    };
    const { type, ...limits } = kind;
    let field;
    if (type === 'checkbox') {
        field = el('input', { ...attributes, type, checked: Boolean(values[key]) });
    } else if (type) {
        field = el('input', { ...attributes, type, ...limits, value: values[key] ?? '' });
    } else {
        field = el('select', attributes, Object.entries(kind).map(([value, text]) =>
            el('option', { value, selected: values[key] === value }, text)));
    }
    return el('div', { class: `row ${type ?? 'select'}` }, el('label', { htmlFor: id }, label), field,
        hint && el('small', { id: `${id}-hint` }, hint));
}

function valueOf(field) {
    if (field.type === 'checkbox') {
        return field.checked;
    }
    return field.type === 'number' ? Number(field.value) : field.value.trim();
}

/** What a pattern cannot say. */
function check(form) {
    for (const [key, parse] of [['memory', sizeOf], ['persist', persistOf]]) {
        try {
            parse(form.elements[key].value.trim());
        } catch (error) {
            form.elements[key].setCustomValidity(error.message);
        }
    }
    return form.reportValidity();
}
