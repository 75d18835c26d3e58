/* SPDX-License-Identifier: MPL-2.0 */
#include "network.h"

#include "../host/memory.h"

#include <stdlib.h>
#include <string.h>

/* One -net, taken apart. Texts point into `copy`. */
typedef struct net_spec {
    char copy[512];
    const char *kind, *name; /* "tap", "tap0" */
    const char *pcap;
    uint8_t mac[6];
    bool mac_given, loopback, listen;
} net_spec_t;

/* aa:bb:cc:dd:ee:ff, of one card alone. */
static bool spec_mac(const char *text, uint8_t mac[6])
{
    unsigned byte[6];
    int end = 0;
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4],
               &byte[5], &end) != 6 || text[end] || end != 17) {
        return false;
    }
    unsigned any = 0;
    for (unsigned i = 0; i < 6; i++) {
        mac[i] = (uint8_t)byte[i];
        any |= byte[i];
    }
    return any && !(mac[0] & 1);
}

static bool spec_word(net_spec_t *spec, const char *word)
{
    bool user = !strcmp(spec->kind, "user");
    if (!strncmp(word, "pcap=", 5) && word[5]) {
        spec->pcap = word + 5;
        return true;
    }
    if (!strncmp(word, "mac=", 4)) {
        spec->mac_given = spec_mac(word + 4, spec->mac);
        return spec->mac_given;
    }
    if (user && !strcmp(word, "loopback")) {
        return spec->loopback = true;
    }
    if (!strcmp(spec->kind, "unix") && !strcmp(word, "listen")) {
        return spec->listen = true;
    }
    return false;
}

static bool spec_parse(net_spec_t *spec, const char *text, char *error, size_t error_size)
{
    *spec = (net_spec_t){.kind = spec->copy};
    if (strlen(text) >= sizeof(spec->copy)) {
        snprintf(error, error_size, "-net %.40s…: too long", text);
        return false;
    }
    strcpy(spec->copy, text);
    char *rest = spec->copy;
    char *first = strsep(&rest, ",");
    char *name = strchr(first, '=');
    if (name) {
        *name++ = 0;
    }
    spec->name = name;
    bool named = !strcmp(first, "tap") || !strcmp(first, "unix");
    bool plain = !strcmp(first, "user") || !strcmp(first, "none");
    if (!(named && name && *name) && !(plain && !name)) {
        snprintf(error, error_size, "-net %.60s: give user, tap=INTERFACE, unix=PATH or none", text);
        return false;
    }
    for (char *word; rest && (word = strsep(&rest, ","));) {
        if (!spec_word(spec, word)) {
            snprintf(error, error_size, "-net %.60s: cannot use %.60s here", text, word);
            return false;
        }
    }
    return true;
}

/* Only the first has the forwarded ports. */
static host_net_t *open_user(const options_t *o, const net_spec_t *spec, bool first, char *error,
                             size_t error_size)
{
    host_net_forward_t *forward = calloc(o->portfwd_count + 1, sizeof(*forward));
    host_net_user_t desc = {spec->loopback, forward, first ? o->portfwd_count : 0};
    if (!forward) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < o->portfwd_count; i++) {
        host_net_parse_forward(o->portfwds[i], &forward[i]); /* options_parse() has tried it */
    }
    host_net_t *net = host_net_open_user(&desc, error, error_size);
    free(forward);
    return net;
}

/* On a network with others each card needs an address of its own. */
static void pick_mac(net_spec_t *spec, size_t index)
{
    static const uint8_t usual[6] = {0x02, 0x72, 0x76, 0, 0, 1};
    if (spec->mac_given) {
        return;
    }
    memcpy(spec->mac, usual, 6);
    if (!strcmp(spec->kind, "user")) {
        spec->mac[5] = (uint8_t)(1 + index);
    } else {
        host_random(spec->mac + 3, 3);
    }
}

static bool open_one(const options_t *o, const char *text, board_desc_t *desc, bool *user,
                     char *error, size_t error_size)
{
    net_spec_t spec;
    char why[300] = "";
    if (!spec_parse(&spec, text, error, error_size)) {
        return false;
    }
    if (!strcmp(spec.kind, "none")) {
        return true;
    }
    host_net_t *net = !strcmp(spec.kind, "user")  ? open_user(o, &spec, !*user, why, sizeof(why))
                      : !strcmp(spec.kind, "tap") ? host_net_open_tap(spec.name, why, sizeof(why))
                                                  : host_net_open_unix(spec.name, spec.listen, why,
                                                                       sizeof(why));
    *user |= !strcmp(spec.kind, "user");
    if (net && spec.pcap) {
        net = host_net_record(net, spec.pcap, why, sizeof(why));
    }
    if (!net) {
        snprintf(error, error_size, "-net %.60s: %s", text, why);
        return false;
    }
    pick_mac(&spec, desc->net_count);
    memcpy(desc->net[desc->net_count].mac, spec.mac, 6);
    desc->net[desc->net_count++].net = net;
    return true;
}

bool network_open(const options_t *options, board_desc_t *desc, char *error, size_t error_size)
{
    bool user = false;
    for (size_t i = 0; i < options->net_count && !options->nonet; i++) {
        if (!open_one(options, options->net[i], desc, &user, error, error_size)) {
            return false;
        }
    }
    bool wanted = options->portfwd_count || (host_net_user_available() && !options->icount);
    if (!options->net_count && !options->nonet && wanted) {
        return open_one(options, "user", desc, &user, error, error_size);
    }
    if (options->portfwd_count && !user) {
        snprintf(error, error_size, "-portfwd needs the user network (-net user)");
        return false;
    }
    return true;
}
