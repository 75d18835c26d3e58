// SPDX-License-Identifier: MPL-2.0
// On phones the page is as tall as what the on-screen keyboard leaves.
export function followViewport() {
    const view = window.visualViewport;
    if (!view) {
        return;
    }
    const fit = () => {
        const { style } = document.documentElement;
        // While somebody has zoomed in by hand the page keeps its size.
        if (Math.abs(view.scale - 1) > 0.01) {
            return;
        }
        style.setProperty('--height', `${view.height}px`);
        style.setProperty('--top', `${view.offsetTop}px`);
        document.body.classList.toggle('short', view.height < 420);
    };
    view.addEventListener('resize', fit);
    view.addEventListener('scroll', fit);
    fit();
}
