// SPDX-License-Identifier: MPL-2.0
// The folder that page and guest share, and the disks.
import { stores } from './rvkit/index.js';
import { ask, bytes, el, icon, iconButton, pickFiles, save, saveStream, toast } from './dom.js';

export class FilesPanel {
    #element;
    #path = '';
    #machine = null;
    #disks = [];
    #list;
    #crumbs;
    #importOverlay;
    #timer = 0;
    onclose = () => {};

    /** importOverlay(name, file): replaces a persistent disk; restarts the machine. */
    constructor(element, importOverlay) {
        this.#element = element;
        this.#importOverlay = importOverlay;
    }

    get isOpen() {
        return !this.#element.hidden;
    }

    /** disks: [{name, persist}] in the order of machine.drives. */
    use(machine, disks) {
        if (machine && machine !== this.#machine) {
            machine.files[0]?.addEventListener('change', () => this.#changed(machine));
        }
        this.#machine = machine;
        this.#disks = disks;
        this.#path = '';
        if (this.isOpen) {
            this.#draw();
        }
    }

    open() {
        this.#element.hidden = false;
        this.#draw();
        this.#element.querySelector('button').focus();
    }

    close() {
        this.#element.hidden = true;
        this.onclose();
    }

    get #files() {
        return this.#machine?.files[0];
    }

    /** The guest, or this page, has changed something; it may do so many times a second. */
    #changed(machine) {
        this.#timer ||= setTimeout(() => {
            this.#timer = 0;
            if (machine === this.#machine && this.isOpen) {
                this.refresh();
            }
        }, 300);
    }

    /** Files and folders, as dropped or picked: [{path, file}]. */
    async put(entries) {
        if (!this.#files) {
            toast('This machine has no shared folder.', { kind: 'error' });
            return;
        }
        let done = 0;
        for (const { path, file } of entries) {
            const target = this.#path && this.isOpen ? `${this.#path}/${path}` : path;
            try {
                await this.#putOne(target, file);
                done++;
            } catch (error) {
                toast(`${path}: ${error.message}`, { kind: 'error', ms: 10000 });
            }
        }
        if (done) {
            toast(`${done === 1 ? entries[0].path : `${done} files`} → /mnt/host`);
        }
        if (this.isOpen) {
            await this.refresh();
        }
    }

    async #putOne(path, file) {
        const parts = path.split('/').slice(0, -1);
        for (let i = 1; i <= parts.length; i++) {
            await this.#makeFolder(parts.slice(0, i).join('/'));
        }
        const row = el('div', { class: 'toast' }, el('span', {}, path), el('progress', {
            'aria-label': `Copying ${path}`, max: 1, value: 0,
        }));
        const timer = setTimeout(() => document.getElementById('toasts').append(row), 300);
        try {
            await this.#files.write(path, file, {
                onprogress: ({ loaded, total }) => {
                    row.querySelector('progress').value = total ? loaded / total : 0;
                },
            });
        } finally {
            clearTimeout(timer);
            row.remove();
        }
    }

    async #makeFolder(path) {
        try {
            await this.#files.mkdir(path);
        } catch (error) {
            const there = await this.#files.stat(path).catch(() => null);
            if (there?.type !== 'directory') {
                throw error;
            }
        }
    }

    #draw() {
        this.#list = el('ul', { class: 'files' });
        this.#crumbs = el('nav', { class: 'crumbs', 'aria-label': 'Folder' });
        this.#element.replaceChildren(
            el('header', {}, el('h2', {}, 'Files'),
                iconButton('refresh', 'Read the folder again', () => this.refresh()),
                iconButton('close', 'Close the files', () => this.close())),
            el('p', { class: 'hint' }, 'The guest’s ', el('code', {}, '/mnt/host'),
                ' is this folder. It lasts as long as the machine.'),
            el('div', { class: 'actions' },
                el('button', { type: 'button', on: { click: () => this.#upload() } },
                    icon('upload'), 'Upload'),
                el('button', { type: 'button', on: { click: () => this.#newFolder() } },
                    icon('folder'), 'New folder')),
            this.#crumbs, this.#list, this.#disksSection());
        this.refresh();
    }

    async refresh() {
        if (!this.#list || !this.#files) {
            return;
        }
        let entries;
        try {
            entries = await this.#files.list(this.#path);
        } catch (error) {
            if (this.#path) {
                this.#path = '';
                return this.refresh();
            }
            this.#list.replaceChildren(el('li', { class: 'none' }, error.message));
            return;
        }
        const focused = document.activeElement;
        const held = this.#list.contains(focused) || this.#crumbs.contains(focused);
        this.#drawCrumbs();
        entries.sort((a, b) => (b.type === 'directory') - (a.type === 'directory') ||
            a.name.localeCompare(b.name));
        this.#list.replaceChildren(...entries.map((entry) => this.#row(entry)));
        if (!entries.length) {
            this.#list.append(el('li', { class: 'none' }, 'Empty. Drop files anywhere on this page.'));
        }
        if (held) { // what had the focus was made anew, or is gone
            const buttons = [...this.#list.querySelectorAll('button')];
            const again = buttons.find(({ title }) => title === focused.title);
            (again ?? this.#element).focus();
        }
    }

    #drawCrumbs() {
        const parts = this.#path ? this.#path.split('/') : [];
        const go = (path) => () => {
            this.#path = path;
            this.refresh();
        };
        this.#crumbs.hidden = !parts.length;
        this.#crumbs.replaceChildren(
            el('button', { type: 'button', on: { click: go('') } }, '/mnt/host'),
            ...parts.flatMap((part, i) => ['/', el('button', {
                type: 'button', on: { click: go(parts.slice(0, i + 1).join('/')) },
            }, part)]));
    }

    #row(entry) {
        const folder = entry.type === 'directory';
        const open = folder ? () => {
            this.#path = entry.path;
            this.refresh();
        } : () => this.#download(entry);
        return el('li', {},
            el('button', { type: 'button', class: 'name', title: entry.name, on: { click: open } },
                icon(folder ? 'folder' : 'file'), el('span', {}, entry.name)),
            el('span', { class: 'size' }, folder ? '' : bytes(entry.size)),
            folder ? null
                : iconButton('download', `Download ${entry.name}`, () => this.#download(entry)),
            iconButton('bin', `Delete ${entry.name}`, () => this.#remove(entry)));
    }

    async #download(entry) {
        await tell(async () => save(new Blob([await this.#files.read(entry.path)]), entry.name));
    }

    async #remove(entry) {
        const what = entry.type === 'directory' ? 'the folder and all that is in it' : 'the file';
        if (!await ask(`Delete ${entry.name}?`, `This deletes ${what}.`, 'Delete')) {
            return;
        }
        await tell(() => this.#files.remove(entry.path, { recursive: true }));
        await this.refresh();
    }

    async #upload() {
        const files = await pickFiles({ multiple: true });
        if (files.length) {
            await this.put(files.map((file) => ({ path: file.name, file })));
        }
    }

    async #newFolder() {
        for (let i = 1; i < 100; i++) {
            const path = (this.#path ? `${this.#path}/` : '') + (i === 1 ? 'folder' : `folder${i}`);
            if (await this.#files?.stat(path).catch(() => null)) {
                continue;
            }
            await tell(() => this.#files.mkdir(path));
            return this.refresh();
        }
    }

    #disksSection() {
        const drives = this.#machine?.drives ?? [];
        const section = el('section', { class: 'disks', hidden: !drives.length }, el('h2', {}, 'Disks'),
            ...drives.map((drive, i) => this.#disk(drive, this.#disks[i] ?? {}, i)));
        this.#unused(section).catch(() => {}); // nothing is kept here, then
        return section;
    }

    /** Persistent disks of other visits, which take up the browser's room. */
    async #unused(section) {
        const used = this.#disks.map(({ persist }) => persist);
        for (const { name } of await stores.listOverlays()) {
            if (used.includes(name)) {
                continue;
            }
            section.hidden = false;
            const row = el('div', { class: 'disk unused' }, el('p', {}, icon('disk'), el('strong', {}, name),
                ' is kept in this browser, not in use'));
            row.append(iconButton('bin', `Delete the disk ${name}`, async () => {
                if (await ask(`Delete the disk “${name}”?`, 'What is on it is lost.', 'Delete')) {
                    await tell(() => stores.deleteOverlay(name).then(() => row.remove()));
                }
            }));
            section.append(row);
        }
    }

    #disk(drive, { persist }, index) {
        const device = `/dev/vd${'abcdefgh'[index]}`;
        const name = persist ?? device.slice(5);
        const button = (image, label, run) => el('button', {
            type: 'button', on: { click: () => tell(run) },
        }, icon(image), label);
        return el('div', { class: 'disk' },
            el('p', {}, icon('disk'), el('strong', {}, device), ` ${bytes(drive.size)}, `,
                drive.readOnly ? 'read-only' : persist ? `kept in this browser as “${persist}”`
                    : 'changes are gone with the machine'),
            el('div', { class: 'actions' },
                button('download', 'Export', () => saveStream(drive.export(), `${name}.img`)),
                persist && button('download', 'Export changes', async () => {
                    const blob = await drive.exportOverlay();
                    if (blob) {
                        save(blob, `${name}.rvkit`);
                    } else {
                        toast('Nothing was changed on this disk.');
                    }
                }),
                persist && button('upload', 'Import changes', () => this.#import(persist))));
    }

    async #import(name) {
        const [file] = await pickFiles();
        if (!file) {
            return;
        }
        if (await ask(`Replace the disk “${name}”?`, ['What is on it now is lost. ' +
            'The machine starts again.'], 'Replace')) {
            await this.#importOverlay(name, file);
        }
    }
}

/** An error of what was asked for is told. */
async function tell(run) {
    try {
        await run();
    } catch (error) {
        toast(error.message, { kind: 'error', ms: 10000 });
    }
}

/** What was dropped, folders walked through: [{path, file}]. */
export async function droppedFiles(transfer) {
    const items = [...transfer.items].filter((item) => item.kind === 'file')
        .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
    const result = [];
    for (const item of items) {
        await walk(item, '', result);
    }
    return result;
}

async function walk(item, prefix, result) {
    if (item instanceof File) {
        result.push({ path: prefix + item.name, file: item });
    } else if (item?.isFile) {
        const file = await new Promise((resolve, reject) => item.file(resolve, reject));
        result.push({ path: prefix + item.name, file });
    } else if (item?.isDirectory) {
        const reader = item.createReader();
        for (;;) { // it gives some entries at a time
            const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
            if (!some.length) {
                break;
            }
            for (const entry of some) {
                await walk(entry, `${prefix}${item.name}/`, result);
            }
        }
    }
}
