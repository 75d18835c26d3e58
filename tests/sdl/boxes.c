/* SPDX-License-Identifier: MPL-2.0 */
/* Characters that have to meet their neighbours: at every size of cell, edge for edge. */
#include "../../sdl/boxes.h"
#include "tap.h"

enum { WIDTH_MAX = 24, HEIGHT_MAX = 48, UP = 0, RIGHT, DOWN, LEFT };

/* U+2500 to 257F, four arms each (up, right, down, left) as their names in Unicode say: 0 none, 1
 * light, 2 heavy, 3 double; dots: dashes and diagonals. */
static const char arms[] = "0101020210102020................................0110021001200220"
                           "0011001200210022110012002100220010011002200120021110121021101120"
                           "2120221012202220101110122011102120212012102220220111011202110212"
                           "0121012202210222110111021201120221012102220122021111111212111212"
                           "211111212121211222111122122122121222212222212222................"
                           "0303303003100130033000130031003313003100330010033001300313103130"
                           "3330101330313033031301310333130331013303131331313333011000111001"
                           "1100............000110000100001000022000020000200201102001022010";

typedef struct {
    uint8_t at[WIDTH_MAX * HEIGHT_MAX];
    unsigned width, height;
} cell_t;

static cell_t draw(uint32_t code, unsigned width, unsigned height)
{
    cell_t c = {.width = width, .height = height};
    CHECK(boxes_draw(code, c.at, width, height));
    return c;
}

static uint8_t edge(const cell_t *c, unsigned side, unsigned i)
{
    unsigned x = side == RIGHT ? c->width - 1 : 0, y = side == DOWN ? c->height - 1 : 0;
    return side & 1 ? c->at[i * c->width + x] : c->at[y * c->width + i];
}

static unsigned edge_length(const cell_t *c, unsigned side)
{
    return side & 1 ? c->height : c->width;
}

static bool edge_same(const cell_t *a, unsigned side_a, const cell_t *b, unsigned side_b)
{
    for (unsigned i = 0; i < edge_length(a, side_a); i++) {
        if (edge(a, side_a, i) != edge(b, side_b, i)) {
            return false;
        }
    }
    return true;
}

/* Calls for sizes of cells; narrower ones have no room for heavy lines beside their edges. */
static void each_size(void (*check)(unsigned width, unsigned height))
{
    for (unsigned width = 5; width <= WIDTH_MAX; width++) {
        for (unsigned height = width + width / 2 + 1;
             height <= 2 * width + 8 && height <= HEIGHT_MAX; height++) {
            check(width, height);
        }
    }
}

/* --- Lines --- */

/* What an arm looks like where it leaves its cell is what the straight line looks like there. */
static void check_arms(unsigned width, unsigned height)
{
    static const uint32_t across[] = {' ', 0x2500, 0x2501, 0x2550};
    static const uint32_t down[] = {' ', 0x2502, 0x2503, 0x2551};
    for (uint32_t code = 0x2500; code < 0x2580; code++) {
        const char *want = arms + 4 * (code - 0x2500);
        cell_t c = draw(code, width, height);
        for (unsigned side = 0; side < 4 && want[0] != '.'; side++) {
            unsigned weight = (unsigned)want[side] - '0';
            cell_t line = {.width = width, .height = height};
            if (weight) {
                line = draw((side & 1 ? across : down)[weight], width, height);
            }
            if (!edge_same(&c, side, &line, side ^ 2)) {
                printf("# U+%04X %ux%u, side %u\n", code, width, height, side);
                CHECK(false);
            }
        }
    }
}

/* Light, heavy and double lines differ where they leave their cells. */
static void check_weights(unsigned width, unsigned height)
{
    static const uint32_t lines[2][3] = {{0x2502, 0x2503, 0x2551}, {0x2500, 0x2501, 0x2550}};
    for (unsigned way = 0; way < 2; way++) {
        for (unsigned i = 0; i < 3; i++) {
            cell_t a = draw(lines[way][i], width, height);
            cell_t b = draw(lines[way][(i + 1) % 3], width, height);
            CHECK(!edge_same(&a, way, &b, way));
        }
    }
}

/* How many pieces of pixels there are that hang together, of at least so much coverage. */
static unsigned pieces(const cell_t *c, uint8_t least)
{
    uint16_t stack[WIDTH_MAX * HEIGHT_MAX];
    bool seen[WIDTH_MAX * HEIGHT_MAX] = {false};
    unsigned count = 0, size = c->width * c->height;
    for (unsigned from = 0; from < size; from++) {
        unsigned depth = 0;
        if (c->at[from] < least || seen[from]) {
            continue;
        }
        count++;
        seen[from] = true;
        stack[depth++] = (uint16_t)from;
        while (depth) {
            unsigned at = stack[--depth], x = at % c->width, y = at / c->width;
            const unsigned next[4] = {x ? at - 1 : at, x + 1 < c->width ? at + 1 : at,
                                      y ? at - c->width : at,
                                      y + 1 < c->height ? at + c->width : at};
            for (unsigned i = 0; i < 4; i++) {
                if (c->at[next[i]] >= least && !seen[next[i]]) {
                    seen[next[i]] = true;
                    stack[depth++] = (uint16_t)next[i];
                }
            }
        }
    }
    return count;
}

/* Lines without a double in them have no gaps. */
static void check_whole(unsigned width, unsigned height)
{
    for (uint32_t code = 0x2500; code < 0x2580; code++) {
        const char *want = arms + 4 * (code - 0x2500);
        if (want[0] != '.' && !memchr(want, '3', 4)) {
            cell_t c = draw(code, width, height);
            CHECK_EQ(1, pieces(&c, 1));
        }
    }
}

static void check_diagonals(unsigned width, unsigned height)
{
    cell_t rising = draw(0x2571, width, height), falling = draw(0x2572, width, height);
    unsigned last = width * height - 1;
    CHECK(rising.at[width - 1] && rising.at[last - (width - 1)]);
    CHECK(falling.at[0] && falling.at[last]);
    CHECK(pieces(&rising, 1) == 1 && pieces(&falling, 1) == 1);
}

/* As many as there should be, with gaps between them. */
static void check_dashes(unsigned width, unsigned height)
{
    static const uint8_t dashes[][2] = {{0x04, 3}, {0x05, 3}, {0x06, 3}, {0x07, 3},
                                        {0x08, 4}, {0x09, 4}, {0x0A, 4}, {0x0B, 4},
                                        {0x4C, 2}, {0x4D, 2}, {0x4E, 2}, {0x4F, 2}};
    for (unsigned i = 0; i < sizeof(dashes) / sizeof(dashes[0]); i++) {
        unsigned across = dashes[i][0] & 2 ? height : width;
        if (across >= 2u * dashes[i][1]) {
            cell_t c = draw(0x2500u + dashes[i][0], width, height);
            CHECK_EQ(dashes[i][1], pieces(&c, 1));
        }
    }
}

/* --- Blocks --- */

/* Two characters that fill a cell between them, without overlap. */
static void check_blocks(unsigned width, unsigned height)
{
    static const uint32_t pairs[][2] = {{0x2580, 0x2584},   {0x258C, 0x2590},   {0x2598, 0x259F},
                                        {0x259D, 0x2599},   {0x2596, 0x259C},   {0x2597, 0x259B},
                                        {0x259A, 0x259E},   {0x1FB00, 0x1FB3B}, {0x1FB01, 0x1FB3A},
                                        {0x1FB03, 0x1FB38}, {0x1FB0F, 0x1FB2C}};
    for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        cell_t a = draw(pairs[i][0], width, height), b = draw(pairs[i][1], width, height);
        for (unsigned at = 0; at < width * height; at++) {
            CHECK_EQ(255, a.at[at] + b.at[at]);
        }
    }
    cell_t full = draw(0x2588, width, height);
    for (unsigned at = 0; at < width * height; at++) {
        CHECK_EQ(255, full.at[at]);
    }
}

static unsigned covered(const cell_t *c)
{
    unsigned sum = 0;
    for (unsigned at = 0; at < c->width * c->height; at++) {
        sum += c->at[at] != 0;
    }
    return sum;
}

/* Eighths grow from nothing to all, by no more than a pixel too few or too many. */
static void check_eighths(unsigned width, unsigned height)
{
    for (unsigned n = 1; n <= 8; n++) {
        cell_t lower = draw(0x2580 + n, width, height), left = draw(0x2590 - n, width, height);
        int rows = (int)(covered(&lower) / width), columns = (int)(covered(&left) / height);
        CHECK(rows * 8 >= (int)(height * n) - 8 && rows * 8 <= (int)(height * n) + 8);
        CHECK(columns * 8 >= (int)(width * n) - 8 && columns * 8 <= (int)(width * n) + 8);
        CHECK(edge(&lower, DOWN, 0) && edge(&left, LEFT, 0));
    }
}

/* --- Others --- */

static void check_powerline(unsigned width, unsigned height)
{
    for (uint32_t code = 0xE0B0; code <= 0xE0BF; code++) {
        cell_t c = draw(code, width, height);
        CHECK(covered(&c) > 0 && covered(&c) < width * height);
    }
    cell_t right = draw(0xE0B0, width, height), left = draw(0xE0B2, width, height);
    for (unsigned y = 1; y + 1 < height; y++) { /* both touch their coloured neighbour */
        CHECK(edge(&right, LEFT, y) && edge(&left, RIGHT, y));
        for (unsigned x = 0; x < width; x++) {
            int a = right.at[y * width + x], b = left.at[y * width + width - 1 - x];
            CHECK(a - b <= 48 && b - a <= 48); /* samples on the line itself count for either */
        }
    }
}

static void check_braille(unsigned width, unsigned height)
{
    for (unsigned bits = 0; bits < 256; bits++) {
        cell_t c = draw(0x2800 + bits, width, height);
        unsigned dots = 0;
        for (unsigned i = 0; i < 8; i++) {
            dots += bits >> i & 1;
        }
        CHECK(!covered(&c) == !dots);
        if (width >= 10 && height >= 20) {
            CHECK_EQ(dots, pieces(&c, 128));
        }
    }
}

TEST(lines_meet_their_neighbours)
{
    each_size(check_arms);
}

TEST(light_heavy_and_double_differ)
{
    each_size(check_weights);
}

TEST(lines_have_no_gaps)
{
    each_size(check_whole);
}

TEST(diagonals_reach_their_corners)
{
    each_size(check_diagonals);
}

TEST(dashes_are_apart)
{
    each_size(check_dashes);
}

TEST(blocks_fill_the_cell_between_them)
{
    each_size(check_blocks);
}

TEST(eighths)
{
    each_size(check_eighths);
}

TEST(powerline)
{
    each_size(check_powerline);
}

TEST(braille_dots_are_apart)
{
    each_size(check_braille);
}

TEST(others_are_not_drawn)
{
    static const uint32_t others[] = {' ',    'A',    0x24FF, 0x25A0,  0x27FF,
                                      0x2900, 0xE0AF, 0xE0C0, 0x1FAFF, 0x1FB3C};
    uint8_t at[8 * 16] = {0};
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        CHECK(!boxes_draw(others[i], at, 8, 16));
    }
}

int main(void)
{
    RUN(lines_meet_their_neighbours);
    RUN(light_heavy_and_double_differ);
    RUN(lines_have_no_gaps);
    RUN(diagonals_reach_their_corners);
    RUN(dashes_are_apart);
    RUN(blocks_fill_the_cell_between_them);
    RUN(eighths);
    RUN(powerline);
    RUN(braille_dots_are_apart);
    RUN(others_are_not_drawn);
    return tap_finish();
}
