// SPDX-License-Identifier: MPL-2.0
// The tabs above and what they show: one for each console and each display.
import { el } from './dom.js';

/**
 * ARIA tabs. A view has: name, title, panel (filled by itself), show(), hide(), focus(), dispose().
 */
export class Views {
    #list;
    #host;
    #views = [];
    #current = -1;
    onchange = () => {};

    constructor(list, host) {
        this.#list = list;
        this.#host = host;
        list.addEventListener('keydown', (event) => this.#key(event));
    }

    get current() {
        return this.#views[this.#current];
    }

    get all() {
        return this.#views;
    }

    add(view) {
        const index = this.#views.length;
        const tab = el('button', {
            type: 'button', role: 'tab', id: `tab-${index}`, tabIndex: -1,
            'aria-selected': 'false', 'aria-controls': `view-${index}`,
            on: { click: () => {
 this.select(index); this.current.focus(); 
            } },
        }, el('span', {}, view.name));
        const panel = el('div', {
            role: 'tabpanel', id: `view-${index}`, class: 'view', 'aria-labelledby': tab.id,
        });
        view.panel = panel;
        view.tab = tab;
        this.#list.append(tab);
        this.#host.append(panel);
        this.#views.push(view);
        view.open(panel);
    }

    select(index) {
        const next = this.#views[index];
        if (!next) {
            return;
        }
        if (index !== this.#current) {
            this.current?.hide();
        }
        this.#current = index;
        this.#views.forEach((view, i) => {
            view.tab.setAttribute('aria-selected', String(i === index));
            view.tab.tabIndex = i === index ? 0 : -1;
            view.panel.classList.toggle('shown', i === index);
            view.panel.inert = i !== index;
        });
        next.tab.classList.remove('marked');
        next.tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        next.show();
        this.onchange(next);
    }

    /** A sign on a tab that is not shown, and its words for the tooltip. */
    mark(view) {
        if (view !== this.current) {
            view.tab.classList.add('marked');
        }
    }

    retitle(view, title) {
        view.tab.title = title ? `${view.name}: ${title}` : view.name;
    }

    clear() {
        for (const view of this.#views) {
            view.dispose();
        }
        this.#views = [];
        this.#current = -1;
        this.#list.replaceChildren();
        this.#host.replaceChildren();
    }

    #key(event) {
        const last = this.#views.length - 1;
        const at = this.#views.findIndex((view) => view.tab === document.activeElement);
        const to = {
            ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at <= 0 ? last : at - 1, Home: 0, End: last,
        }[event.key];
        if (to === undefined || at < 0) {
            return;
        }
        event.preventDefault();
        this.select(to);
        this.#views[to].tab.focus();
    }
}
