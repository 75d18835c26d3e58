/* SPDX-License-Identifier: MPL-2.0 */
#include "boxes.h"

#include <math.h>
#include <string.h>

enum { NONE, LIGHT, HEAVY, DOUBLE };

typedef struct {
    uint8_t *at;
    int width, height;
    int thin, thick;  /* of lines */
    int mid_x, mid_y; /* where a thin line in the middle begins */
} cell_t;

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static void box_fill(const cell_t *c, int x0, int y0, int x1, int y1, uint8_t value)
{
    x0 = larger(x0, 0);
    x1 = smaller(x1, c->width);
    y0 = larger(y0, 0);
    y1 = smaller(y1, c->height);
    for (int y = y0; y < y1 && x0 < x1; y++) {
        memset(c->at + (size_t)y * (size_t)c->width + x0, value, (size_t)(x1 - x0));
    }
}

/* --- Lines from the middle to the edges --- */

/* Each is four arms: up, right, down, left. Zero: drawn otherwise. */
#define ARMS(u, r, d, l) ((u) | (r) << 2 | (d) << 4 | (l) << 6)
#define ARM(arms, i) ((arms) >> 2 * (i)&3)

static const uint8_t box_arms[128] = {
    ARMS(0, 1, 0, 1),
    ARMS(0, 2, 0, 2),
    ARMS(1, 0, 1, 0),
    ARMS(2, 0, 2, 0),
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0, /* dashes */
    ARMS(0, 1, 1, 0),
    ARMS(0, 2, 1, 0),
    ARMS(0, 1, 2, 0),
    ARMS(0, 2, 2, 0),
    ARMS(0, 0, 1, 1),
    ARMS(0, 0, 1, 2),
    ARMS(0, 0, 2, 1),
    ARMS(0, 0, 2, 2),
    ARMS(1, 1, 0, 0),
    ARMS(1, 2, 0, 0),
    ARMS(2, 1, 0, 0),
    ARMS(2, 2, 0, 0),
    ARMS(1, 0, 0, 1),
    ARMS(1, 0, 0, 2),
    ARMS(2, 0, 0, 1),
    ARMS(2, 0, 0, 2),
    ARMS(1, 1, 1, 0),
    ARMS(1, 2, 1, 0),
    ARMS(2, 1, 1, 0),
    ARMS(1, 1, 2, 0),
    ARMS(2, 1, 2, 0),
    ARMS(2, 2, 1, 0),
    ARMS(1, 2, 2, 0),
    ARMS(2, 2, 2, 0),
    ARMS(1, 0, 1, 1),
    ARMS(1, 0, 1, 2),
    ARMS(2, 0, 1, 1),
    ARMS(1, 0, 2, 1),
    ARMS(2, 0, 2, 1),
    ARMS(2, 0, 1, 2),
    ARMS(1, 0, 2, 2),
    ARMS(2, 0, 2, 2),
    ARMS(0, 1, 1, 1),
    ARMS(0, 1, 1, 2),
    ARMS(0, 2, 1, 1),
    ARMS(0, 2, 1, 2),
    ARMS(0, 1, 2, 1),
    ARMS(0, 1, 2, 2),
    ARMS(0, 2, 2, 1),
    ARMS(0, 2, 2, 2),
    ARMS(1, 1, 0, 1),
    ARMS(1, 1, 0, 2),
    ARMS(1, 2, 0, 1),
    ARMS(1, 2, 0, 2),
    ARMS(2, 1, 0, 1),
    ARMS(2, 1, 0, 2),
    ARMS(2, 2, 0, 1),
    ARMS(2, 2, 0, 2),
    ARMS(1, 1, 1, 1),
    ARMS(1, 1, 1, 2),
    ARMS(1, 2, 1, 1),
    ARMS(1, 2, 1, 2),
    ARMS(2, 1, 1, 1),
    ARMS(1, 1, 2, 1),
    ARMS(2, 1, 2, 1),
    ARMS(2, 1, 1, 2),
    ARMS(2, 2, 1, 1),
    ARMS(1, 1, 2, 2),
    ARMS(1, 2, 2, 1),
    ARMS(2, 2, 1, 2),
    ARMS(1, 2, 2, 2),
    ARMS(2, 1, 2, 2),
    ARMS(2, 2, 2, 1),
    ARMS(2, 2, 2, 2),
    0,
    0,
    0,
    0, /* dashes */
    ARMS(0, 3, 0, 3),
    ARMS(3, 0, 3, 0),
    ARMS(0, 3, 1, 0),
    ARMS(0, 1, 3, 0),
    ARMS(0, 3, 3, 0),
    ARMS(0, 0, 1, 3),
    ARMS(0, 0, 3, 1),
    ARMS(0, 0, 3, 3),
    ARMS(1, 3, 0, 0),
    ARMS(3, 1, 0, 0),
    ARMS(3, 3, 0, 0),
    ARMS(1, 0, 0, 3),
    ARMS(3, 0, 0, 1),
    ARMS(3, 0, 0, 3),
    ARMS(1, 3, 1, 0),
    ARMS(3, 1, 3, 0),
    ARMS(3, 3, 3, 0),
    ARMS(1, 0, 1, 3),
    ARMS(3, 0, 3, 1),
    ARMS(3, 0, 3, 3),
    ARMS(0, 3, 1, 3),
    ARMS(0, 1, 3, 1),
    ARMS(0, 3, 3, 3),
    ARMS(1, 3, 0, 3),
    ARMS(3, 1, 0, 1),
    ARMS(3, 3, 0, 3),
    ARMS(1, 3, 1, 3),
    ARMS(3, 1, 3, 1),
    ARMS(3, 3, 3, 3),
    0,
    0,
    0,
    0,
    0,
    0,
    0, /* arcs and diagonals */
    ARMS(0, 0, 0, 1),
    ARMS(1, 0, 0, 0),
    ARMS(0, 1, 0, 0),
    ARMS(0, 0, 1, 0),
    ARMS(0, 0, 0, 2),
    ARMS(2, 0, 0, 0),
    ARMS(0, 2, 0, 0),
    ARMS(0, 0, 2, 0),
    ARMS(0, 2, 0, 1),
    ARMS(1, 0, 2, 0),
    ARMS(0, 1, 0, 2),
    ARMS(2, 0, 1, 0),
};

/*
 * A line of an arm, from `start` behind the thin middle line's edge (in the arm's direction; may be
 * negative) to the cell's edge; it lies `across` from the middle line, and is `wide`.
 */
static void box_stroke(const cell_t *c, unsigned arm, int start, int across, int wide)
{
    int x = c->mid_x + across, y = c->mid_y + across;
    switch (arm) {
    case 0:
        box_fill(c, x, 0, x + wide, c->mid_y + c->thin - start, 255);
        break;
    case 1:
        box_fill(c, c->mid_x + start, y, c->width, y + wide, 255);
        break;
    case 2:
        box_fill(c, x, c->mid_y + start, x + wide, c->height, 255);
        break;
    default:
        box_fill(c, 0, y, c->mid_x + c->thin - start, y + wide, 255);
        break;
    }
}

/* One of the two lines of a double arm: the one on the side where the arm `near` may leave. */
static void box_double_line(const cell_t *c, unsigned arms, unsigned arm, unsigned near)
{
    unsigned far = near ^ 2, opposite = arm ^ 2;
    int start = 0;
    if (ARM(arms, near) == DOUBLE) {
        start = c->thin;
    } else if (!ARM(arms, near) && ARM(arms, far) == DOUBLE && !ARM(arms, opposite)) {
        start = -c->thin;
    }
    bool before = near == 0 || near == 3; /* above, or left */
    box_stroke(c, arm, start, before ? -c->thin : c->thin, c->thin);
}

static void box_single_line(const cell_t *c, unsigned arms, unsigned arm)
{
    unsigned a = ARM(arms, (arm + 1) & 3), b = ARM(arms, (arm + 3) & 3);
    int extra = (c->thick - c->thin) / 2, start = 0;
    bool through = ARM(arms, arm ^ 2) != NONE;
    if (a == DOUBLE || b == DOUBLE) {
        start = through ? 0 : a == b ? c->thin : -c->thin;
    } else if (a == HEAVY || b == HEAVY) {
        start = -extra;
    }
    bool heavy = ARM(arms, arm) == HEAVY;
    box_stroke(c, arm, start, heavy ? -extra : 0, heavy ? c->thin + 2 * extra : c->thin);
}

static void box_lines(const cell_t *c, unsigned arms)
{
    for (unsigned arm = 0; arm < 4; arm++) {
        if (ARM(arms, arm) == DOUBLE) {
            box_double_line(c, arms, arm, arm & 1 ? 0 : 3);
            box_double_line(c, arms, arm, arm & 1 ? 2 : 1);
        } else if (ARM(arms, arm)) {
            box_single_line(c, arms, arm);
        }
    }
}

static void box_dashes(const cell_t *c, unsigned count, bool vertical, bool heavy)
{
    int extra = heavy ? (c->thick - c->thin) / 2 : 0, wide = c->thin + 2 * extra;
    int length = vertical ? c->height : c->width, n = (int)count;
    for (int i = 0; i < n; i++) {
        int from = length * i / n, to = length * (i + 1) / n;
        int gap = larger(1, (to - from) / 3);
        from += gap / 2;
        to -= gap - gap / 2;
        if (vertical) {
            box_fill(c, c->mid_x - extra, from, c->mid_x - extra + wide, to, 255);
        } else {
            box_fill(c, from, c->mid_y - extra, to, c->mid_y - extra + wide, 255);
        }
    }
}

/* --- Shapes with smooth edges: 4 x 4 samples for each pixel --- */

typedef bool (*inside_fn)(const cell_t *c, uint32_t code, double x, double y);

static void box_sample(const cell_t *c, uint32_t code, inside_fn inside)
{
    for (int y = 0; y < c->height; y++) {
        for (int x = 0; x < c->width; x++) {
            unsigned hits = 0;
            for (unsigned i = 0; i < 16; i++) {
                hits += inside(c, code, x + 0.125 + 0.25 * (i & 3), y + 0.125 + 0.25 * (i >> 2));
            }
            c->at[y * c->width + x] = (uint8_t)(hits * 255 / 16);
        }
    }
}

/* U+256D to 2570: a quarter of a circle between straight pieces of a pixel and more. */
static bool inside_arc(const cell_t *c, uint32_t code, double x, double y)
{
    double half = c->thin / 2.0, cx = c->mid_x + half, cy = c->mid_y + half;
    bool right = code == 0x256D || code == 0x2570, down = code <= 0x256E;
    double dx = right ? x - cx : cx - x, dy = down ? y - cy : cy - y;
    double radius = fmin(fmin(cx, c->width - cx), fmin(cy, c->height - cy)) - 1;
    if (dx > radius) {
        return fabs(dy) <= half;
    }
    if (dy > radius) {
        return fabs(dx) <= half;
    }
    return dx >= -half && dy >= -half && fabs(hypot(dx - radius, dy - radius) - radius) <= half;
}

static bool inside_diagonal(const cell_t *c, uint32_t code, double x, double y)
{
    double w = c->width, h = c->height, length = hypot(w, h), half = c->thin / 2.0 + 0.2;
    bool rising = fabs(x * h + y * w - w * h) / length <= half;
    bool falling = fabs(x * h - y * w) / length <= half;
    return (code != 0x2572 && rising) || (code != 0x2571 && falling);
}

/* U+E0B0 to E0BF: filled and drawn, to the right and to the left. */
static bool inside_powerline(const cell_t *c, uint32_t code, double x, double y)
{
    double w = c->width, h = c->height, u = x / w, v = y / h;
    double line = c->thin * 0.7;
    bool drawn = code & 1;
    if (code >=
        0xE0B8) { /* triangles in a corner: lower left, lower right, upper left, upper right */
        unsigned corner = (code - 0xE0B8) / 2;
        u = corner & 1 ? 1 - u : u;
        v = corner & 2 ? 1 - v : v;
        double over = (v - u) * w * h / hypot(w, h);
        return drawn ? fabs(over) <= line : over >= 0;
    }
    unsigned shape = (code - 0xE0B0) / 2;
    u = shape & 1 ? 1 - u : u;
    double away = fabs(2 * v - 1);
    if (shape < 2) {
        double over = (1 - away - u) * w * h / hypot(2 * w, h);
        return drawn ? fabs(over) <= line : over >= 0;
    }
    double over = (1 - hypot(u, away)) * smaller(c->width, c->height / 2);
    return drawn ? over >= 0 && over <= 2 * line : over >= 0;
}

static bool inside_braille(const cell_t *c, uint32_t code, double x, double y)
{
    static const uint8_t bits[4][2] = {{0, 3}, {1, 4}, {2, 5}, {6, 7}};
    double w = c->width / 2.0, h = c->height / 4.0, radius = 0.32 * (w < h ? w : h) + 0.3;
    int column = (int)(x / w), row = (int)(y / h);
    return code >> bits[row & 3][column & 1] & 1 &&
           hypot(x - (column + 0.5) * w, y - (row + 0.5) * h) <= radius;
}

/* --- Blocks --- */

static void box_grid(const cell_t *c, unsigned mask, int columns, int rows)
{
    for (int i = 0; i < columns * rows; i++) {
        int x = i % columns, y = i / columns;
        if (mask >> i & 1) {
            box_fill(c, c->width * x / columns, c->height * y / rows, c->width * (x + 1) / columns,
                     c->height * (y + 1) / rows, 255);
        }
    }
}

static void box_block(const cell_t *c, uint32_t code)
{
    /* Bits: upper left, upper right, lower left, lower right. */
    static const uint8_t quadrants[] = {4, 8, 1, 13, 9, 7, 11, 2, 6, 14};
    int w = c->width, h = c->height, n = (int)(code & 15);
    if (code == 0x2580) {
        box_fill(c, 0, 0, w, h / 2, 255);
    } else if (code <= 0x2588) {
        box_fill(c, 0, h - (h * n + 4) / 8, w, h, 255);
    } else if (code <= 0x258F) {
        box_fill(c, 0, 0, larger(1, (w * (16 - n) + 3) / 8), h, 255);
    } else if (code == 0x2590) {
        box_fill(c, w / 2, 0, w, h, 255);
    } else if (code <= 0x2593) {
        box_fill(c, 0, 0, w, h, (uint8_t)(64 * n));
    } else if (code == 0x2594) {
        box_fill(c, 0, 0, w, (h + 4) / 8, 255);
    } else if (code == 0x2595) {
        box_fill(c, w - (w + 4) / 8, 0, w, h, 255);
    } else {
        box_grid(c, quadrants[code - 0x2596], 2, 2);
    }
}

static void box_sextant(const cell_t *c, uint32_t code)
{
    unsigned mask = code - 0x1FB00 + 1; /* those that are half blocks have codes of their own */
    mask += mask >= 21;
    mask += mask >= 42;
    box_grid(c, mask, 2, 3);
}

static void box_drawing(const cell_t *c, uint32_t code)
{
    unsigned i = code - 0x2500;
    if (box_arms[i]) {
        box_lines(c, box_arms[i]);
    } else if (code >= 0x2571) {
        box_sample(c, code, inside_diagonal);
    } else if (code >= 0x256D) {
        box_sample(c, code, inside_arc);
    } else {
        box_dashes(c, i >= 0x4C ? 2 : i >= 8 ? 4 : 3, i & 2, i & 1);
    }
}

bool boxes_draw(uint32_t code, uint8_t *at, unsigned width, unsigned height)
{
    cell_t c = {.at = at, .width = (int)width, .height = (int)height};
    c.thin = larger(1, (int)(width + 4) / 8);
    c.thick = larger(c.thin + 2, 2 * c.thin + (c.thin & 1));
    c.mid_x = (c.width - c.thin) / 2;
    c.mid_y = (c.height - c.thin) / 2;
    if (code >= 0x2500 && code <= 0x257F) {
        box_drawing(&c, code);
    } else if (code >= 0x2580 && code <= 0x259F) {
        box_block(&c, code);
    } else if (code >= 0x2800 && code <= 0x28FF) {
        box_sample(&c, code, inside_braille);
    } else if (code >= 0xE0B0 && code <= 0xE0BF) {
        box_sample(&c, code, inside_powerline);
    } else if (code >= 0x1FB00 && code <= 0x1FB3B) {
        box_sextant(&c, code);
    } else {
        return false;
    }
    return true;
}
