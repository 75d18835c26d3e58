/* SPDX-License-Identifier: MPL-2.0 */
#include "edid.h"

#include "rvvm_compat.h"

#include <stdio.h>

enum {
    EDID_SIDE_MAX = 4095,  /* twelve bits */
    EDID_CLOCK_MIN = 1000, /* in 10 kHz; less is taken for an error */
    EDID_CLOCK_MAX = 65535,
    EDID_REFRESH = 60,

    /* CVT, reduced blanking version 1: pixels and lines. */
    CVT_H_BLANK = 160,
    CVT_H_FRONT = 48,
    CVT_H_SYNC = 32,
    CVT_V_FRONT = 3,
    CVT_V_BACK_MIN = 6,
    CVT_V_BLANK_NS = 460000,
    CVT_CLOCK_STEP = 25, /* in 10 kHz */

    EDID_DESCRIPTORS = 54,
    EDID_DESCRIPTOR_SIZE = 18,
};

/* Lines of the vertical sync pulse, which tell the aspect ratio. */
static uint32_t cvt_v_sync(uint32_t width, uint32_t height)
{
    static const uint8_t aspect[][3] = {{4, 3, 4}, {16, 9, 5}, {16, 10, 6}, {5, 4, 7}, {15, 9, 7}};
    for (unsigned i = 0; i < sizeof(aspect) / sizeof(aspect[0]); i++) {
        if (width * aspect[i][1] == height * aspect[i][0]) {
            return aspect[i][2];
        }
    }
    return 10;
}

/* §3.10.2: a detailed timing descriptor. */
static void edid_timing(uint8_t *d, uint32_t width, uint32_t height)
{
    const uint32_t frame_ns = 1000000000 / EDID_REFRESH;
    uint32_t v_sync = cvt_v_sync(width, height);
    uint32_t line_ns = (frame_ns - CVT_V_BLANK_NS) / height;
    uint32_t v_blank = line_ns ? CVT_V_BLANK_NS / line_ns + 1 : CVT_V_BLANK_NS;
    uint32_t v_least = CVT_V_FRONT + v_sync + CVT_V_BACK_MIN;
    v_blank = v_blank < v_least ? v_least : v_blank;
    uint64_t clock = (uint64_t)(width + CVT_H_BLANK) * (height + v_blank) * EDID_REFRESH / 10000;
    clock -= clock % CVT_CLOCK_STEP;
    clock = clock < EDID_CLOCK_MIN   ? EDID_CLOCK_MIN
            : clock > EDID_CLOCK_MAX ? EDID_CLOCK_MAX
                                     : clock;
    uint32_t width_mm = width * 254 / 960, height_mm = height * 254 / 960;
    write_uint16_le_m(d, (uint16_t)clock);
    d[2] = (uint8_t)width;
    d[3] = CVT_H_BLANK;
    d[4] = (uint8_t)(width >> 8 << 4);
    d[5] = (uint8_t)height;
    d[6] = (uint8_t)v_blank;
    d[7] = (uint8_t)(height >> 8 << 4 | v_blank >> 8);
    d[8] = CVT_H_FRONT;
    d[9] = CVT_H_SYNC;
    d[10] = (uint8_t)(CVT_V_FRONT << 4 | v_sync);
    d[12] = (uint8_t)width_mm;
    d[13] = (uint8_t)height_mm;
    d[14] = (uint8_t)(width_mm >> 8 << 4 | height_mm >> 8);
    d[17] = 0x1A; /* digital, separate sync, horizontal positive, vertical negative */
}

/* §3.10.3: a text of up to 13 characters. */
static void edid_text(uint8_t *d, uint8_t tag, const char *text)
{
    size_t len = strlen(text);
    d[3] = tag;
    memset(d + 5, ' ', 13);
    memcpy(d + 5, text, len < 13 ? len : 13);
    if (len < 13) {
        d[5 + len] = '\n';
    }
}

void edid_make(uint8_t edid[EDID_SIZE], uint32_t width, uint32_t height, uint32_t serial)
{
    static const uint8_t magic[8] = {0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0};
    /* sRGB's primaries and white point, in 1/1024 (§3.7). */
    static const uint8_t colours[10] = {0xEE, 0x91, 0xA3, 0x54, 0x4C, 0x99, 0x26, 0x0F, 0x50, 0x54};
    /* 640x480, 800x600, 1024x768 at 60 Hz (§3.8); 1280x720, 1280x1024, 1440x900, 1600x1200,
     * 1680x1050, 1920x1080 (§3.9). */
    static const uint8_t modes[19] = {0x21, 0x08, 0, 0x81, 0xC0, 0x81, 0x80, 0x95, 0x00, 0xA9,
                                      0x40, 0xB3, 0, 0xD1, 0xC0, 1,    1,    1,    1};
    uint8_t *descriptor = edid + EDID_DESCRIPTORS, sum = 0;
    char text[16];
    width = width < 1 ? 1 : width > EDID_SIDE_MAX ? EDID_SIDE_MAX : width;
    height = height < 1 ? 1 : height > EDID_SIDE_MAX ? EDID_SIDE_MAX : height;
    memset(edid, 0, EDID_SIZE);
    memcpy(edid, magic, sizeof(magic));
    edid[8] = ('R' - '@') << 2 | ('V' - '@') >> 3; /* manufacturer RVK */
    edid[9] = (uint8_t)(('V' - '@') << 5 | ('K' - '@'));
    edid[10] = 1; /* product */
    write_uint32_le_m(edid + 12, serial + 1);
    edid[17] = 2026 - 1990;
    edid[18] = 1;
    edid[19] = 4;
    edid[20] = 0xA5; /* digital, 8 bits a colour, DisplayPort */
    edid[21] = (uint8_t)((width * 254 / 960 + 5) / 10);
    edid[22] = (uint8_t)((height * 254 / 960 + 5) / 10);
    edid[23] = 120; /* gamma 2.2 */
    edid[24] = 6;   /* sRGB; the preferred mode is the native one */
    memcpy(edid + 25, colours, sizeof(colours));
    memcpy(edid + 35, modes, sizeof(modes));
    edid_timing(descriptor, width, height);
    edid_text(descriptor + EDID_DESCRIPTOR_SIZE, 0xFC, "rvkit");
    snprintf(text, sizeof(text), "%u", (unsigned)serial + 1);
    edid_text(descriptor + 2 * EDID_DESCRIPTOR_SIZE, 0xFF, text);
    descriptor[3 * EDID_DESCRIPTOR_SIZE + 3] = 0x10; /* unused */
    for (unsigned i = 0; i < EDID_SIZE - 1; i++) {
        sum = (uint8_t)(sum + edid[i]);
    }
    edid[EDID_SIZE - 1] = (uint8_t)-sum;
}
