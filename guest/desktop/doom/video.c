/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Chocolate Doom's screen (its i_video.h) on Linux's DRM: 320 x 200 of 256 colours, scaled to the
 * largest 4:3 picture that the mode has room for: the screen's preferred one, or by -mode WxH.
 */
#include "../screen.h"

#include "doomtype.h"
#include "i_joystick.h"
#include "i_system.h"
#include "i_video.h"
#include "m_argv.h"
#include "m_config.h"
#include "tables.h"
#include "v_video.h"
#include "w_wad.h"
#include "z_zone.h"

#include <stdio.h>
#include <string.h>

enum { COLORS = 256, WIDTH_MAX = 4096 };

int screen_width = SCREENWIDTH, screen_height = SCREENHEIGHT;
int fullscreen = 1, aspect_ratio_correct = 1, integer_scaling, vga_porch_flash;
int force_software_renderer, png_screenshots, usegamma;
char *video_driver = "", *window_position = "";
boolean screenvisible = true, screensaver_mode;
pixel_t *I_VideoBuffer;
unsigned int joywait;

static screen_t screen = {.fd = -1};
static uint32_t palette[COLORS];
static uint16_t column[WIDTH_MAX];                    /* which of the game's a column shows */
static unsigned left, top, shown_width, shown_height; /* of the picture, on the screen */

static void place_picture(void)
{
    shown_width = screen.width < WIDTH_MAX ? screen.width : WIDTH_MAX;
    shown_height = shown_width * 3 / 4;
    if (shown_height > screen.height) {
        shown_height = screen.height;
        shown_width = shown_height * 4 / 3;
    }
    left = (screen.width - shown_width) / 2;
    top = (screen.height - shown_height) / 2;
    for (unsigned x = 0; x < shown_width; x++) {
        column[x] = (uint16_t)(x * SCREENWIDTH / shown_width);
    }
}

void I_InitGraphics(void)
{
    unsigned width = 0, height = 0;
    int mode = M_CheckParmWithArgs("-mode", 1);
    if (mode && sscanf(myargv[mode + 1], "%ux%u", &width, &height) != 2) {
        I_Error("I_InitGraphics: -mode wants WIDTHxHEIGHT");
    }
    if (!screen_open(&screen, width, height)) {
        I_Error("I_InitGraphics: no screen");
    }
    place_picture();
    I_VideoBuffer = Z_Malloc(SCREENWIDTH * SCREENHEIGHT, PU_STATIC, NULL);
    memset(I_VideoBuffer, 0, SCREENWIDTH * SCREENHEIGHT);
    V_RestoreBuffer();
    I_SetPalette(W_CacheLumpName("PLAYPAL", PU_CACHE));
    I_AtExit(I_ShutdownGraphics, true);
}

void I_ShutdownGraphics(void)
{
    screen_close(&screen);
}

void I_SetPalette(byte *colors)
{
    const byte *gamma = gammatable[usegamma];
    for (unsigned i = 0; i < COLORS; i++, colors += 3) {
        palette[i] =
            (uint32_t)gamma[colors[0]] << 16 | (uint32_t)gamma[colors[1]] << 8 | gamma[colors[2]];
    }
}

int I_GetPaletteIndex(int r, int g, int b)
{
    int best = 0, best_distance = INT_MAX;
    for (int i = 0; i < COLORS; i++) {
        int dr = r - (int)(palette[i] >> 16), dg = g - (int)(palette[i] >> 8 & 0xFF),
            db = b - (int)(palette[i] & 0xFF), distance = dr * dr + dg * dg + db * db;
        if (distance < best_distance) {
            best = i;
            best_distance = distance;
        }
    }
    return best;
}

void I_FinishUpdate(void)
{
    const pixel_t *shown = NULL;
    for (unsigned y = 0; y < shown_height; y++) {
        const pixel_t *from = I_VideoBuffer + y * SCREENHEIGHT / shown_height * SCREENWIDTH;
        uint32_t *to = screen.pixels + (size_t)(top + y) * screen.stride + left;
        if (from == shown) {
            memcpy(to, to - screen.stride, shown_width * sizeof(*to));
            continue;
        }
        shown = from;
        if (shown_width == SCREENWIDTH * 2) {
            for (unsigned x = 0; x < SCREENWIDTH; x++) {
                to[2 * x] = to[2 * x + 1] = palette[from[x]];
            }
            continue;
        }
        for (unsigned x = 0; x < shown_width; x++) {
            to[x] = palette[from[column[x]]];
        }
    }
    screen_show(&screen);
}

void I_ReadScreen(pixel_t *to)
{
    memcpy(to, I_VideoBuffer, SCREENWIDTH * SCREENHEIGHT);
}

void I_BindVideoVariables(void)
{
    M_BindIntVariable("use_mouse", &usemouse);
    M_BindIntVariable("usegamma", &usegamma);
}

/* A screen has no window, title, icon or other place for them; and there is no joystick. */
void I_GraphicsCheckCommandLine(void) {}
void I_UpdateNoBlit(void) {}
void I_BeginRead(void) {}
void I_SetWindowTitle(const char *title)
{
    (void)title;
}
void I_CheckIsScreensaver(void) {}
void I_SetGrabMouseCallback(grabmouse_callback_t func)
{
    (void)func;
}
void I_DisplayFPSDots(boolean dots_on)
{
    (void)dots_on;
}
void I_InitWindowTitle(void) {}
void I_RegisterWindowIcon(const unsigned int *icon, int width, int height)
{
    (void)icon, (void)width, (void)height;
}
void I_InitWindowIcon(void) {}
void I_EnableLoadingDisk(int xoffs, int yoffs)
{
    (void)xoffs, (void)yoffs;
}
void I_GetWindowPosition(int *x, int *y, int w, int h)
{
    (void)w, (void)h, *x = *y = 0;
}
void I_InitJoystick(void) {}
void I_ShutdownJoystick(void) {}
void I_UpdateJoystick(void) {}
void I_BindJoystickVariables(void) {}
