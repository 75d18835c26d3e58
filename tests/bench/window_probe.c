/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The host's part of tests/bench/window.sh: looks at one pixel of a window, as often as it can.
 *   window_probe WINDOW X Y frames SECONDS  prints how many values it had for each second, from its
 * first change on window_probe WINDOW X Y keys COUNT      presses and releases the A key by XTest
 * that often, and prints the median, the 90th percentile and the longest time from the press to
 *                                           another value, in milliseconds; a key without an effect
 * ends it with 1
 */
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XTest.h>
#include <X11/keysym.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_NS 250000 /* from one look to the next */

typedef struct {
    Display *display;
    Window window;
    int x, y;
} probe_t;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void nap(long ns)
{
    const struct timespec t = {ns / 1000000000, ns % 1000000000};
    nanosleep(&t, NULL);
}

static unsigned long look(const probe_t *p)
{
    XImage *image = XGetImage(p->display, p->window, p->x, p->y, 1, 1, AllPlanes, ZPixmap);
    unsigned long value = image ? XGetPixel(image, 0, 0) : 0;
    if (image) {
        XDestroyImage(image);
    }
    return value;
}

/* Until the pixel has another value; the time then, or 0 after so many seconds. */
static double await_change(const probe_t *p, unsigned long *value, double seconds)
{
    double end = now() + seconds;
    while (now() < end) {
        unsigned long seen = look(p);
        if (seen != *value) {
            *value = seen;
            return now();
        }
        nap(LOOK_NS);
    }
    return 0;
}

static int frames(const probe_t *p, double seconds)
{
    unsigned long value = look(p);
    unsigned count = 0;
    double begun = await_change(p, &value, 20), last = begun;
    while (begun > 0 && last < begun + seconds) {
        double at = await_change(p, &value, 2);
        if (at <= 0) {
            break;
        }
        last = at;
        count++;
    }
    printf("%.1f\n", last > begun ? count / (last - begun) : 0);
    return count ? 0 : 1;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int keys(const probe_t *p, unsigned count)
{
    KeyCode code = XKeysymToKeycode(p->display, XK_a);
    double *ms = calloc(count, sizeof(*ms));
    for (unsigned i = 0; i < count; i++) {
        unsigned long value = look(p);
        nap(100000000 + rand() % 50000000); /* out of step with blinking and with frames */
        double pressed = now();
        XTestFakeKeyEvent(p->display, code, True, 0);
        XFlush(p->display);
        double seen = await_change(p, &value, 5);
        XTestFakeKeyEvent(p->display, code, False, 0);
        XFlush(p->display);
        if (seen <= 0) {
            fprintf(stderr, "window_probe: key %u changes nothing\n", i + 1);
            return 1;
        }
        ms[i] = (seen - pressed) * 1000;
    }
    qsort(ms, count, sizeof(*ms), by_size);
    printf("%.1f %.1f %.1f\n", ms[count / 2], ms[count * 9 / 10], ms[count - 1]);
    free(ms);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        return 2;
    }
    const probe_t p = {XOpenDisplay(NULL), strtoul(argv[1], NULL, 0), atoi(argv[2]), atoi(argv[3])};
    if (!p.display) {
        fprintf(stderr, "window_probe: there is no display\n");
        return 1;
    }
    return !strcmp(argv[4], "frames") ? frames(&p, atof(argv[5]))
                                      : keys(&p, (unsigned)atoi(argv[5]));
}
