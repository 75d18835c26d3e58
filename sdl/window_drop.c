/* SPDX-License-Identifier: MPL-2.0 */
/* A file that is dropped on the window is copied into the first shared folder that can be written.
 */
#include "window_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* 0, or an errno; what is there already stays. */
static int drop_copy(const char *from, const char *to)
{
    static const size_t piece = 1 << 16;
    FILE *in = fopen(from, "rb");
    int error = in ? 0 : errno;
    FILE *out = in ? fopen(to, "wbx") : NULL;
    error = in && !out ? errno : error;
    char *buffer = SDL_malloc(piece);
    size_t size = 0;
    error = buffer ? error : ENOMEM;
    while (!error && (size = fread(buffer, 1, piece, in)) != 0) {
        error = fwrite(buffer, 1, size, out) == size ? 0 : errno;
    }
    error = !error && ferror(in) ? errno : error; /* of fread(): the last call was one */
    SDL_free(buffer);
    if (in) {
        fclose(in);
    }
    if (out && fclose(out) != 0 && !error) {
        error = errno;
    }
    if (out && error) {
        remove(to);
    }
    return error;
}

void window_drop(window_t *w, const char *path)
{
    char dir[4096], tag[128];
    char to[4400], said[NOTICE_MAX];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (!w->guest.folder || !w->guest.folder(w->guest.opaque, dir, sizeof(dir), tag, sizeof(tag))) {
        window_say(w, "there is no shared folder for the file (-share TAG=DIR)");
        return;
    }
    int n = snprintf(to, sizeof(to), "%s/%s", dir, name);
    int error = n > 0 && (size_t)n < sizeof(to) ? drop_copy(path, to) : ENAMETOOLONG;
    snprintf(said, sizeof(said), "%.150s%s %.120s%s%s", name,
             error ? " is not copied to the folder" : " is in the shared folder", tag,
             error ? ": " : "", error ? strerror(error) : "");
    window_say(w, said);
}
