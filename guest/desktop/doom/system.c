/* SPDX-License-Identifier: MPL-2.0 */
/* What else Chocolate Doom expects of SDL and of parts that are not built: a clock, a folder for
 * saved games, no network. */
#include "SDL.h"

#include "doomtype.h"
#include "i_endoom.h"
#include "net_defs.h"
#include "net_gui.h"
#include "net_sdl.h"

#include <stdio.h>
#include <time.h>

uint32_t SDL_GetTicks(void)
{
    static uint64_t start;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    start = start ? start : ms;
    return (uint32_t)(ms - start);
}

void SDL_Delay(uint32_t ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

char *SDL_GetPrefPath(const char *maker, const char *name)
{
    const char *home = getenv("HOME");
    char *path = NULL;
    (void)maker, (void)name;
    return asprintf(&path, "%s/.doom/", home ? home : "") < 0 ? NULL : path;
}

void I_Endoom(byte *data)
{
    (void)data;
}

static boolean no_network(void)
{
    return false;
}

static boolean no_packet(net_addr_t **addr, net_packet_t **packet)
{
    (void)addr, (void)packet;
    return false;
}

static net_addr_t *no_address(const char *name)
{
    (void)name;
    return NULL;
}

net_module_t net_sdl_module = {.InitClient = no_network,
                               .InitServer = no_network,
                               .RecvPacket = no_packet,
                               .ResolveAddress = no_address};

void NET_WaitForLaunch(void) {}
