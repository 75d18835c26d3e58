// SPDX-License-Identifier: MPL-2.0
// Is everything here that the page needs? A classic script in old syntax, so that it runs, and can
// say so, in browsers that know no modules.
(function () {
    'use strict';

    function missing() {
        if (!('noModule' in document.createElement('script'))) {
            return 'JavaScript modules';
        }
        if (typeof WebAssembly !== 'object' || !WebAssembly.instantiate) {
            return 'WebAssembly';
        }
        if (typeof Worker !== 'function') {
            return 'Workers';
        }
        if (!moduleWorkers()) {
            return 'module Workers';
        }
        if (typeof DecompressionStream !== 'function') {
            return 'DecompressionStream';
        }
        if (typeof ReadableStream !== 'function') {
            return 'streams';
        }
        if (typeof HTMLDialogElement !== 'function') {
            return 'the dialog element';
        }
        return '';
    }

    // A browser that knows module workers asks for the option 'type'.
    function moduleWorkers() {
        var asked = false;
        var options = Object.defineProperty({}, 'type', {
            get: function () {
                asked = true;
                return 'module';
            },
        });
        try {
            new Worker('check-worker.js', options).terminate();
        } catch (error) {
            return asked;
        }
        return asked;
    }

    function say(what) {
        var box = document.createElement('div');
        var head = document.createElement('h2');
        var text = document.createElement('p');
        box.className = 'plain';
        box.setAttribute('role', 'alert');
        head.textContent = 'This browser cannot run the machine';
        text.textContent = 'It has no ' + what + '. Chromium 110, Firefox 115, Safari 16.4 and ' +
            'later ones have it. If yours is one of these, a setting or an extension may have ' +
            'switched it off.';
        box.appendChild(head);
        box.appendChild(text);
        (document.getElementById('main') || document.body).appendChild(box);
    }

    window.rvkitMissing = missing();
    if (!window.rvkitMissing) {
        return;
    }
    if (document.readyState === 'loading') {
        document.addEventListener('DOMContentLoaded', function () {
 say(window.rvkitMissing); 
        });
    } else {
        say(window.rvkitMissing);
    }
})();
