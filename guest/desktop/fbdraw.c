/* SPDX-License-Identifier: MPL-2.0 */
/*
 * fbdraw [X Y ZOOM]   draws a part of the Mandelbrot set on the frame buffer (/dev/fb0), coarse
 *                     first and then finer, until Enter is pressed. X and Y: its middle, -2 to 2
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/kd.h>
#include <math.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FRACTION = 28, ROUNDS = 400, COLORS = 256, COARSEST = 16 };

typedef struct {
    uint32_t *pixels;
    unsigned width, height, stride; /* in pixels */
    size_t size;
} frame_t;

static int fail(const char *what)
{
    fprintf(stderr, "fbdraw: %s: %s\n", what, strerror(errno));
    return 1;
}

static bool open_frame(frame_t *frame)
{
    struct fb_var_screeninfo var;
    struct fb_fix_screeninfo fix;
    int fd = open("/dev/fb0", O_RDWR | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, FBIOGET_VSCREENINFO, &var) || ioctl(fd, FBIOGET_FSCREENINFO, &fix)) {
        return false;
    }
    if (var.bits_per_pixel != 32) {
        errno = ENOTSUP;
        return false;
    }
    *frame = (frame_t){.width = var.xres, .height = var.yres, .stride = fix.line_length / 4};
    frame->size = (size_t)fix.line_length * var.yres;
    frame->pixels = mmap(NULL, frame->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return frame->pixels != MAP_FAILED;
}

/* From the night's blue through white and gold to black, and round again. */
static void make_colors(uint32_t *colors)
{
    static const uint8_t stops[][3] = {{0, 7, 60},     {20, 80, 180}, {220, 240, 255},
                                       {255, 190, 40}, {90, 20, 10},  {0, 7, 60}};
    const unsigned parts = sizeof(stops) / sizeof(stops[0]) - 1;
    for (unsigned i = 0; i < COLORS; i++) {
        unsigned part = i * parts / COLORS, mix = i * parts % COLORS;
        for (unsigned c = 0; c < 3; c++) {
            unsigned value = (stops[part][c] * (COLORS - mix) + stops[part + 1][c] * mix) / COLORS;
            colors[i] = colors[i] << 8 | value;
        }
    }
}

/* The colour of a point; black within the set. The rounds are in fixed point, which is fast. */
static uint32_t point(double at_x, double at_y, const uint32_t *colors)
{
    const int32_t cx = (int32_t)(at_x * (1 << FRACTION)), cy = (int32_t)(at_y * (1 << FRACTION));
    int32_t x = 0, y = 0;
    unsigned round = 0;
    for (; round < ROUNDS; round++) {
        int64_t xx = ((int64_t)x * x) >> FRACTION, yy = ((int64_t)y * y) >> FRACTION;
        if (xx + yy > (int64_t)4 << FRACTION) {
            break;
        }
        y = (int32_t)(((int64_t)x * y) >> (FRACTION - 1)) + cy;
        x = (int32_t)(xx - yy) + cx;
    }
    if (round == ROUNDS) {
        return 0;
    }
    /* Far outside, how far says how much of a round there was too much: colours without steps. */
    double re = (double)x / (1 << FRACTION), im = (double)y / (1 << FRACTION);
    for (unsigned i = 0; i < 3; i++) {
        double next = re * re - im * im + at_x;
        im = 2 * re * im + at_y;
        re = next;
    }
    double shade = (round + 3 - log2(log2(re * re + im * im) / 2)) * 6;
    return colors[(unsigned)(shade > 0 ? shade : 0) % COLORS];
}

static bool enter_pressed(void)
{
    struct pollfd in = {.fd = 0, .events = POLLIN};
    return poll(&in, 1, 0) > 0;
}

/* Squares of 16 pixels, then of 8, …; a point that is there already is not computed again. */
static bool draw(const frame_t *frame, double middle_x, double middle_y, double zoom)
{
    uint32_t colors[COLORS] = {0};
    double scale = 3.0 / zoom / frame->height;
    make_colors(colors);
    for (unsigned side = COARSEST; side; side /= 2) {
        for (unsigned y = 0; y < frame->height; y += side) {
            double at_y = middle_y + ((double)y - frame->height / 2) * scale;
            for (unsigned x = 0; x < frame->width; x += side) {
                if (side < COARSEST && !(x & side) && !(y & side)) {
                    continue;
                }
                double at_x = middle_x + ((double)x - frame->width / 2) * scale;
                uint32_t color = point(at_x, at_y, colors);
                for (unsigned v = y; v < y + side && v < frame->height; v++) {
                    for (unsigned u = x; u < x + side && u < frame->width; u++) {
                        frame->pixels[v * frame->stride + u] = color;
                    }
                }
            }
            if (y % (side * 8) == 0 && enter_pressed()) {
                return false;
            }
        }
    }
    return true;
}

/*
 * Linux's fbdev emulation (6.1) forgets to show a line that alone was written since it last looked
 * (20 times a second), where a line is a page: so first and last are written again, with all
 * between.
 */
static void show_all(const frame_t *frame)
{
    volatile uint32_t *first = frame->pixels, *last = first + frame->size / 4 - 1;
    for (unsigned tries = 0; tries < 3; tries++) {
        *first = *first;
        *last = *last;
        usleep(60000);
    }
}

static uint32_t sum(const frame_t *frame)
{
    uint32_t hash = 2166136261u;
    for (unsigned y = 0; y < frame->height; y++) {
        for (unsigned x = 0; x < frame->width; x++) {
            hash = (hash ^ (frame->pixels[y * frame->stride + x] & 0xFFFFFF)) * 16777619u;
        }
    }
    return hash;
}

int main(int argc, char **argv)
{
    frame_t frame;
    bool chosen = argc == 4;
    double x = chosen ? atof(argv[1]) : -0.7453, y = chosen ? atof(argv[2]) : 0.1127;
    double zoom = chosen ? atof(argv[3]) : 450;
    if ((argc != 1 && !chosen) || !(x >= -2 && x <= 2 && y >= -2 && y <= 2 && zoom >= 1)) {
        fprintf(stderr, "usage: fbdraw [X Y ZOOM]   (its middle, -2 to 2; ZOOM from 1 on)\n");
        return 2;
    }
    if (!open_frame(&frame)) {
        return fail("/dev/fb0");
    }
    /* The text on the screen is to wait until the end. */
    int terminal = open("/dev/tty0", O_RDWR | O_CLOEXEC);
    ioctl(terminal, KDSETMODE, KD_GRAPHICS);
    if (draw(&frame, x, y, zoom)) {
        show_all(&frame);
        printf("drawn: %u x %u, sum %08x; Enter ends\n", frame.width, frame.height, sum(&frame));
        fflush(stdout);
    }
    getchar();
    ioctl(terminal, KDSETMODE, KD_TEXT);
    return 0;
}
