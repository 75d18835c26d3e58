// SPDX-License-Identifier: MPL-2.0
// Where @xterm/headless 6.0.0 and the specifications differ, the oracle is amended here, one function for each entry
// of tests/vt/differences.txt; everything else is compared as it is.
const ESC = '\x1b';

function plain(attr) {
    const fresh = attr.clone();
    fresh.fg = fresh.bg = 0;
    fresh.extended = fresh.extended.clone();
    fresh.extended.underlineStyle = fresh.extended.underlineColor = fresh.extended.urlId = 0;
    return fresh;
}

export const amendments = {
    'one-character-at-a-time'(t) {
        const ih = t._core._inputHandler, orig = ih.print;
        const widthOf = c => t._core.unicodeService.wcwidth(c);
        ih.print = function (data, start, end) {
            for (let i = start; i < end; i++) {
                const b = this._activeBuffer, line = b.lines.get(b.ybase + b.y);
                if (widthOf(data[i]) === 0) {
                    const at = b.x ? b.x - (line.getWidth(b.x - 1) ? 1 : 2) : -1;
                    const width = at >= 0 && line.hasContent(at) ? line.getWidth(at) : 0;
                    this._parser.precedingJoinState = width << 1;
                    if (width) {
                        line.addCodepointToCell(at, data[i], 0);
                    }
                    continue;
                } else if (b.x >= t.cols && !t._core.coreService.decPrivateModes.wraparound) {
                    b.x = t.cols - 1;
                }
                orig.call(this, data, i, i + 1);
            }
        };
    },
    'insert-splits-wide'(t) {
        const proto = Object.getPrototypeOf(t._core.buffer.lines.get(0));
        if (!proto.rvkitInsert) {
            proto.rvkitInsert = proto.insertCells;
            proto.insertCells = function (pos, n, fill) {
                if (pos < this.length && this.getWidth(pos) === 0 && !this.hasContent(pos)) {
                    this.setCellFromCodepoint(pos, 0, 1, fill);
                }
                this.rvkitInsert(pos, n, fill);
            };
        }
    },
    'cursor-report'(t) {
        const report = (p, mark) => {
            if (p[0] !== 6) {
                return false;
            }
            const b = t._core.buffer, top = t._core.coreService.decPrivateModes.origin ? b.scrollTop : 0;
            const y = Math.max(b.y - top, 0) + 1, x = Math.min(b.x, t.cols - 1) + 1;
            t._core.coreService.triggerDataEvent(`${ESC}[${mark}${y};${x}R`);
            return true;
        };
        t.parser.registerCsiHandler({final: 'n'}, p => report(p, ''));
        t.parser.registerCsiHandler({prefix: '?', final: 'n'}, p => report(p, '?'));
    },
    'identity'(t) {
        const answer = text => p => {
            if (!p[0]) {
                t._core.coreService.triggerDataEvent(text);
            }
            return true;
        };
        t.parser.registerEscHandler({final: 'Z'}, () => answer(`${ESC}[?62;1;6;22c`)([0]));
        t.parser.registerCsiHandler({final: 'c'}, answer(`${ESC}[?62;1;6;22c`));
        t.parser.registerCsiHandler({prefix: '>', final: 'c'}, answer(`${ESC}[>1;277;0c`));
        t.parser.registerDcsHandler({intermediates: '$', final: 'q'}, data => {
            if (data !== '"p') {
                return false;
            }
            t._core.coreService.triggerDataEvent(`${ESC}P1$r62;1"p${ESC}\\`);
            return true;
        });
    },
    'save-cursor'(t) {
        const ih = t._core._inputHandler, cs = t._core._charsetService, soft = ih.softReset;
        ih.saveCursor = function () {
            const b = this._activeBuffer;
            b.rvkit = {x: b.x, y: b.y, attr: this._curAttrData.clone(), charsets: cs._charsets.slice(),
                glevel: cs.glevel, origin: t._core.coreService.decPrivateModes.origin};
            return true;
        };
        ih.restoreCursor = function () {
            const b = this._activeBuffer, s = b.rvkit;
            t._core.coreService.decPrivateModes.origin = s ? s.origin : false;
            b.x = s ? s.x : 0;
            b.y = s ? s.y : 0;
            if (s) {
                this._curAttrData = s.attr.clone();
            } else {
                this._curAttrData = plain(this._curAttrData);
            }
            cs._charsets = s ? s.charsets.slice() : [];
            cs.setgLevel(s ? s.glevel : 0);
            this._restrictCursor();
            return true;
        };
        ih.softReset = function (p) {
            this._activeBuffer.rvkit = undefined;
            return soft.call(this, p);
        };
    },
    'origin-moves'(t) {
        const ih = t._core._inputHandler;
        const place = (x, y) => {
            const b = ih._activeBuffer;
            b.x = x;
            b.y = y;
            ih._restrictCursor();
            return true;
        };
        ih._moveCursor = function (x, y) {
            this._restrictCursor();
            place(this._activeBuffer.x + x, this._activeBuffer.y + y);
        };
        ih.cursorCharAbsolute = ih.charPosAbsolute = p => place((p.params[0] || 1) - 1, ih._activeBuffer.y);
    },
    'alignment-margins'(t) {
        t.parser.registerEscHandler({intermediates: '#', final: '8'}, () => {
            const ih = t._core._inputHandler, attr = ih._curAttrData;
            t._core.buffer.scrollTop = 0;
            t._core.buffer.scrollBottom = t.rows - 1;
            ih._curAttrData = plain(attr);
            ih.screenAlignmentPattern();
            ih._curAttrData = attr;
            return true;
        });
    },
    'strings-with-unicode'(t) {
        const STRING = 7;
        t._core._inputHandler._parser._transitions.table[STRING << 8 | 0xa0] = STRING;
    },
    'scroll-down-colour'(t) {
        const ih = t._core._inputHandler;
        ih.scrollDown = function (p) {
            const b = this._activeBuffer;
            for (let n = Math.min(p.params[0] || 1, t.rows); n--;) {
                b.lines.splice(b.ybase + b.scrollBottom, 1);
                b.lines.splice(b.ybase + b.scrollTop, 0, b.getBlankLine(this._eraseAttrData()));
            }
            return true;
        };
    },
    'column-at-pending-wrap'(t) {
        const clamp = () => {
            t._core.buffer.x = Math.min(t._core.buffer.x, t.cols - 1);
            return false;
        };
        const ih = t._core._inputHandler;
        for (const name of ['insertColumns', 'deleteColumns']) {
            const orig = ih[name];
            ih[name] = function (p) {
                const x = this._activeBuffer.x;
                clamp();
                orig.call(this, p);
                this._activeBuffer.x = x;
                return true;
            };
        }
    },
    'protection-is-not-sgr'(t) {
        const ih = t._core._inputHandler, orig = ih._processSGR0, PROTECTED = 0x20000000;
        ih._processSGR0 = function (attr) {
            const kept = attr.bg & PROTECTED;
            orig.call(this, attr);
            attr.bg |= kept;
        };
    },
    'erase-above-wrap'(t) {
        const ih = t._core._inputHandler, orig = ih.eraseInDisplay;
        ih.eraseInDisplay = function (p, selective) {
            const b = this._activeBuffer;
            if (p.params[0] !== 1) {
                return orig.call(this, p, selective);
            }
            this._restrictCursor(t.cols);
            this._eraseInBufferLine(b.y, 0, b.x + 1, true, selective);
            if (b.x + 1 >= t.cols && b.y + 1 < t.rows) {
                b.lines.get(b.ybase + b.y + 1).isWrapped = false;
            }
            for (let y = 0; y < b.y; y++) {
                this._resetBufferLine(y, selective);
            }
            return true;
        };
    },
    'locking-shift-right'(t) {
        for (const final of ['~', '}', '|']) {
            t.parser.registerEscHandler({final}, () => true);
        }
    },
    'graphics-blank'(t) {
        const cs = t._core._charsetService, orig = cs.setgCharset;
        cs.setgCharset = function (g, set) {
            if (set && set.x === '\u2502') {
                set._ = ' ';
            }
            orig.call(this, g, set);
        };
    },
    'colour-reports'(t) {
        for (const [number, value] of [[10, 'e5e5/e5e5/e5e5'], [11, '0000/0000/0000']]) {
            t.parser.registerOscHandler(number, data => {
                if (data === '?') {
                    t._core.coreService.triggerDataEvent(`${ESC}]${number};rgb:${value}\x07`);
                }
                return data === '?';
            });
        }
    },
    'full-reset'(t) {
        const ih = t._core._inputHandler, orig = ih.fullReset;
        ih.fullReset = function () {
            t.options.convertEol = false;
            t.options.cursorBlink = false;
            orig.call(this);
            t._core.coreService.isCursorHidden = false;
            return true;
        };
    },
};

export function amend(t) {
    for (const name in amendments) {
        amendments[name](t);
    }
}
