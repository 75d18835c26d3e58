/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The window with events that no X test server makes: fingers, input methods, dropped files,
 * screens of another density. SDL draws into nothing; the events are pushed by a second thread,
 * which looks at what a guest sees of them.
 */
#include "window_rig.h"

#include "tap.h"

#include <sys/stat.h>
#include <unistd.h>

/* --- Events, and what came of them --- */

static void push(SDL_Event event)
{
    CHECK(SDL_PushEvent(&event) == 1);
}

static void key(SDL_Scancode code, SDL_Keycode sym, unsigned mod)
{
    SDL_Event e = {.key = {.type = SDL_KEYDOWN,
                           .state = SDL_PRESSED,
                           .keysym = {.scancode = code, .sym = sym, .mod = (Uint16)mod}}};
    push(e);
    e.key.type = SDL_KEYUP;
    e.key.state = SDL_RELEASED;
    push(e);
}

static void shortcut(SDL_Scancode code, SDL_Keycode sym)
{
    key(code, sym, KMOD_LCTRL | KMOD_LALT);
}

static void show(unsigned number)
{
    shortcut((SDL_Scancode)(SDL_SCANCODE_1 + number - 1), (SDL_Keycode)(SDLK_1 + number - 1));
}

static void focus(bool in)
{
    push((SDL_Event){
        .window = {.type = SDL_WINDOWEVENT,
                   .event = in ? SDL_WINDOWEVENT_FOCUS_GAINED : SDL_WINDOWEVENT_FOCUS_LOST}});
}

static void text(const char *utf8)
{
    SDL_Event e = {.text = {.type = SDL_TEXTINPUT}};
    SDL_strlcpy(e.text.text, utf8, sizeof(e.text.text));
    push(e);
}

static void editing(const char *utf8)
{
    SDL_Event e = {.edit = {.type = SDL_TEXTEDITING}};
    SDL_strlcpy(e.edit.text, utf8, sizeof(e.edit.text));
    push(e);
}

static void finger(Uint32 type, SDL_FingerID id, float x, float y)
{
    push((SDL_Event){.tfinger = {.type = type, .fingerId = id, .x = x, .y = y}});
}

static bool until(bool (*done)(const void *what), const void *what)
{
    for (unsigned i = 0; i < 2500; i++) {
        if (done(what)) {
            return true;
        }
        host_sleep_ns(2000000);
    }
    return false;
}

/* What the guest has read from its console, so far. */
static char heard[4096];
static size_t heard_size;

static bool has_heard(const void *what)
{
    heard_size += chardev_read(rig.guest.port, heard + heard_size, sizeof(heard) - 1 - heard_size);
    heard[heard_size] = 0;
    return heard_size == strlen(what) && !strcmp(heard, what);
}

/* The guest reads exactly this. */
static bool hears(const char *want)
{
    heard_size = 0;
    if (until(has_heard, want)) {
        return true;
    }
    printf("# the guest read \"%s\"\n", heard);
    return false;
}

static unsigned count_events(void)
{
    host_mutex_lock(rig.lock);
    unsigned count = rig.events;
    host_mutex_unlock(rig.lock);
    return count;
}

static bool has_events(const void *what)
{
    return count_events() >= *(const unsigned *)what;
}

static void forget_events(void)
{
    host_mutex_lock(rig.lock);
    rig.events = 0;
    host_mutex_unlock(rig.lock);
}

/* The guest gets so many input events, and no more. */
static bool gets(unsigned want)
{
    bool ok = until(has_events, &want);
    host_sleep_ns(150000000);
    ok &= count_events() == want;
    if (!ok) {
        printf("# %u input events, not %u\n", count_events(), want);
    }
    return ok;
}

static bool near(int32_t place, double part)
{
    double away = place - part * INPUT_PLACE_MAX;
    return away > -150 && away < 150;
}

/* Turns to a screen, and waits until it was drawn: places mean something then. */
static void show_screen(unsigned number)
{
    static const unsigned one = 1;
    show(number);
    for (unsigned i = 0; i < 50; i++) {
        forget_events();
        push((SDL_Event){.motion = {.type = SDL_MOUSEMOTION, .x = 5, .y = 5}});
        host_sleep_ns(40000000);
        if (has_events(&one)) {
            break;
        }
    }
    CHECK(has_events(&one));
    forget_events();
}

/* --- Consoles --- */

TEST(input_methods)
{
    show(1);
    text("q");
    CHECK(hears("q"));
    editing("にほ");
    key(SDL_SCANCODE_RETURN, SDLK_RETURN, 0); /* the input method's */
    key(SDL_SCANCODE_BACKSPACE, SDLK_BACKSPACE, 0);
    editing("");
    text("日本語é😀");
    CHECK(hears("日本語é😀"));
    key(SDL_SCANCODE_RETURN, SDLK_RETURN, 0);
    CHECK(hears("\r"));
}

static bool is_editing(const void *what)
{
    return !strcmp(text_of(rig.window->view[0])->editing, what);
}

/* A sentence is longer than what SDL's first event for it has room for. */
TEST(long_editing)
{
    static const char sentence[] = "すもももももももものうち、にわにはにわにわとりがいる";
    show(1);
#if SDL_VERSION_ATLEAST(2, 0, 22)
    CHECK(SDL_GetHintBoolean(SDL_HINT_IME_SUPPORT_EXTENDED_TEXT, SDL_FALSE));
    push((SDL_Event){.editExt = {.type = SDL_TEXTEDITING_EXT, .text = SDL_strdup(sentence)}});
    CHECK(until(is_editing, sentence));
    editing("");
#endif
    text("すもも"); /* what comes of it, in pieces that SDL makes */
    text("にわ");
    CHECK(hears("すももにわ"));
}

TEST(clipboard_questions)
{
    show(1);
    SDL_SetClipboardText("pass wörd");
    shortcut(SDL_SCANCODE_V, SDLK_v); /* nobody has asked */
    guest_says(&rig.guest, "\033]52;c;?\033\\");
    host_sleep_ns(300000000);
    text("v");
    CHECK(hears("v")); /* typing gives nothing away */
    shortcut(SDL_SCANCODE_V, SDLK_v);
    CHECK(hears("\033]52;c;cGFzcyB3w7ZyZA==\033\\"));
    shortcut(SDL_SCANCODE_V, SDLK_v); /* once only */
    text("w");
    CHECK(hears("w"));
}

/* A console that nobody looks at asks in vain. */
TEST(clipboard_questions_elsewhere)
{
    show(2);
    host_sleep_ns(100000000);
    guest_says(&rig.guest, "\033]52;c;?\033\\");
    host_sleep_ns(300000000);
    show(1);
    shortcut(SDL_SCANCODE_V, SDLK_v);
    text("x");
    CHECK(hears("x"));
}

TEST(news_are_told)
{
    show(4);
    text("");
    for (unsigned i = 0; i < 1000 && __atomic_load_n(&rig.counter->told, __ATOMIC_SEQ_CST) < 3;
         i++) {
        host_sleep_ns(2000000);
    }
    CHECK_EQ(3, __atomic_load_n(&rig.counter->told, __ATOMIC_SEQ_CST));
}

/* Shortcuts and Ctrl are by the Latin letter where the key's own is of another script, and by the
 * key's own letter otherwise. */
TEST(keyboards)
{
    show(1);
    key(SDL_SCANCODE_W, 0x446, KMOD_LCTRL); /* Cyrillic */
    key(SDL_SCANCODE_LEFTBRACKET, 0x445, KMOD_LCTRL);
    CHECK(hears("\027\033"));
    key(SDL_SCANCODE_Y, SDLK_z, KMOD_LCTRL); /* German */
    CHECK(hears("\032"));
    text("\321\206");
    CHECK(hears("\321\206"));
    SDL_SetClipboardText("copied");
    key(SDL_SCANCODE_V, 0x43C, KMOD_LCTRL | KMOD_LSHIFT);
    CHECK(hears("copied"));
}

static bool has_notice(const void *what);

/* All of it is pasted, or nothing: not what SDL has of it when it gives up. */
TEST(slow_clipboards)
{
    show(1);
    SDL_SetClipboardText("all of it");
    __atomic_store_n(&slow, 3, __ATOMIC_SEQ_CST);
    key(SDL_SCANCODE_V, SDLK_v, KMOD_LCTRL | KMOD_LSHIFT);
    text("typed"); /* nobody waits for it */
    CHECK(hears("typedall of it"));
    CHECK_EQ(0, __atomic_load_n(&slow, __ATOMIC_SEQ_CST));
    __atomic_store_n(&slow, 100000, __ATOMIC_SEQ_CST);
    key(SDL_SCANCODE_V, SDLK_v, KMOD_LCTRL | KMOD_LSHIFT);
    CHECK(until(has_notice, "nothing is pasted"));
    __atomic_store_n(&slow, 0, __ATOMIC_SEQ_CST);
    text("x");
    CHECK(hears("x"));
}

/* --- Not seen --- */

static void minimise(bool yes)
{
    __atomic_store_n(&minimised, yes, __ATOMIC_SEQ_CST);
    push((SDL_Event){
        .window = {.type = SDL_WINDOWEVENT,
                   .event = yes ? SDL_WINDOWEVENT_MINIMIZED : SDL_WINDOWEVENT_RESTORED}});
}

static bool was_drawn(const void *what)
{
    return __atomic_load_n(&rig.counter->drawn, __ATOMIC_SEQ_CST) > *(const unsigned *)what;
}

static unsigned drawn_after_news(void)
{
    host_sleep_ns(100000000);
    unsigned before = __atomic_load_n(&rig.counter->drawn, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < 60; i++) {
        view_wake(&rig.counter->view);
        host_sleep_ns(10000000);
    }
    return __atomic_load_n(&rig.counter->drawn, __ATOMIC_SEQ_CST) - before;
}

/* A window that cannot be seen is not drawn, and all that came meanwhile is there when it can. */
TEST(minimised_windows)
{
    show(4);
    CHECK(drawn_after_news() > 1);
    minimise(true);
    CHECK_EQ(0, drawn_after_news());
    host_sleep_ns(700000000); /* no news are left */
    unsigned before = __atomic_load_n(&rig.counter->drawn, __ATOMIC_SEQ_CST);
    minimise(false);
    CHECK(until(was_drawn, &before));
    CHECK(drawn_after_news() > 1);
}

/* --- Screens --- */

TEST(fingers)
{
    show_screen(2);
    finger(SDL_FINGERDOWN, 70, 0.25f, 0.5f);
    finger(SDL_FINGERDOWN, 71, 0.75f, 1);
    finger(SDL_FINGERMOTION, 70, 0.5f, 0);
    finger(SDL_FINGERUP, 70, 0.5f, 0);
    finger(SDL_FINGERDOWN, 72, 0, 0); /* takes the place that is free */
    finger(SDL_FINGERUP, 71, 0.75f, 1);
    CHECK(gets(6));
    static const struct {
        unsigned slot;
        bool down;
        double x, y;
    } want[] = {{0, true, 0.25, 0.5}, {1, true, 0.75, 1}, {0, true, 0.5, 0},
                {0, false, 0.5, 0},   {0, true, 0, 0},    {1, false, 0.75, 1}};
    for (unsigned i = 0; i < 6; i++) {
        const input_event_t *e = &rig.event[i];
        CHECK(e->type == INPUT_EV_TOUCH && e->code == want[i].slot && e->down == want[i].down);
        CHECK(near(e->x, want[i].x) && near(e->y, want[i].y));
    }
    forget_events();
    finger(SDL_FINGERUP, 72, 0, 0);
    CHECK(gets(1));
}

/* SDL makes a mouse of fingers as well: the guest, which has a touch screen, gets them once. */
TEST(fingers_are_no_mouse)
{
    show_screen(2);
    push((SDL_Event){.motion = {.type = SDL_MOUSEMOTION, .which = SDL_TOUCH_MOUSEID, .x = 9}});
    push((SDL_Event){
        .button = {.type = SDL_MOUSEBUTTONDOWN, .which = SDL_TOUCH_MOUSEID, .button = 1}});
    finger(SDL_FINGERDOWN, 1, 0.5f, 0.5f);
    finger(SDL_FINGERUP, 1, 0.5f, 0.5f);
    CHECK(gets(2));
    CHECK(rig.event[0].type == INPUT_EV_TOUCH && rig.event[1].type == INPUT_EV_TOUCH);
}

TEST(many_fingers)
{
    show_screen(2);
    for (int i = 0; i < INPUT_SLOTS + 3; i++) {
        finger(SDL_FINGERDOWN, i, 0.5f, 0.5f);
    }
    CHECK(gets(INPUT_SLOTS));
    forget_events();
    focus(false); /* lifts them all */
    CHECK(gets(INPUT_SLOTS));
    for (unsigned i = 0; i < INPUT_SLOTS; i++) {
        CHECK(rig.event[i].type == INPUT_EV_TOUCH && !rig.event[i].down);
    }
    focus(true);
}

TEST(two_screens)
{
    for (unsigned number = 2; number <= 3; number++) {
        show_screen(number);
        push((SDL_Event){.motion = {.type = SDL_MOUSEMOTION, .x = WIDTH / 4, .y = HEIGHT / 2}});
        key(SDL_SCANCODE_A, SDLK_a, 0);
        CHECK(gets(3));
        CHECK(rig.event[0].type == INPUT_EV_PLACE && near(rig.event[0].x, 0.25));
        CHECK(rig.event[1].type == INPUT_EV_KEY && rig.event[1].code == 4 && rig.event[1].down);
    }
}

/* A cursor is where the guest says, as far as numbers go. */
TEST(wild_cursors)
{
    static const uint32_t image[DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE] = {0xFFFFFFFF};
    static const int32_t place[] = {INT32_MIN, -1, 0, 320, INT32_MAX};
    static const uint32_t hot[] = {0, 1, 63, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    const display_host_t *screen = &rig.screen[0];
    for (unsigned i = 0; i < 5; i++) {
        for (unsigned j = 0; j < 6; j++) {
            screen->cursor(screen->opaque, image, hot[j], hot[j]);
            screen->move_cursor(screen->opaque, place[i], place[(i + j) % 5]);
            show_screen(2);
        }
    }
    screen->cursor(screen->opaque, NULL, 0, 0);
}

TEST(power_key)
{
    forget_events();
    push((SDL_Event){.type = SDL_QUIT});
    CHECK(gets(2));
    CHECK(rig.event[0].type == INPUT_EV_KEY && rig.event[0].code == POWER && rig.event[0].down);
    CHECK(rig.event[1].type == INPUT_EV_KEY && rig.event[1].code == POWER && !rig.event[1].down);
    CHECK_EQ(0, __atomic_load_n(&rig.app.quits, __ATOMIC_SEQ_CST));
}

static bool has_quit(const void *what)
{
    (void)what;
    return __atomic_load_n(&rig.app.quits, __ATOMIC_SEQ_CST) != 0;
}

TEST(quit_is_asked)
{
    push((SDL_Event){.type = SDL_QUIT});
    host_sleep_ns(200000000);
    CHECK(!has_quit(NULL));
    key(SDL_SCANCODE_N, SDLK_n, 0);
    push((SDL_Event){.type = SDL_QUIT});
    host_sleep_ns(200000000);
    CHECK(!has_quit(NULL));
    push((SDL_Event){.type = SDL_QUIT}); /* closed twice */
    CHECK(until(has_quit, NULL));
}

/* --- Files --- */

static char folder[64];

static void file_path(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", folder, name);
}

static void file_write(const char *name, const char *contents)
{
    char path[128];
    file_path(path, sizeof(path), name);
    FILE *file = fopen(path, "wb");
    CHECK(file && fputs(contents, file) >= 0 && fclose(file) == 0);
}

static bool file_holds(const char *name, const char *contents)
{
    char path[128], got[256] = "";
    file_path(path, sizeof(path), name);
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(got, 1, sizeof(got) - 1, file) : 0;
    if (file) {
        fclose(file);
    }
    return file && n == strlen(contents) && !memcmp(got, contents, n);
}

static bool has_notice(const void *what)
{
    host_mutex_lock(rig.window->lock);
    bool same = strstr(rig.window->notice, what) != NULL;
    host_mutex_unlock(rig.window->lock);
    return same;
}

static void drop(const char *name)
{
    char path[128];
    file_path(path, sizeof(path), name);
    push((SDL_Event){.drop = {.type = SDL_DROPFILE, .file = SDL_strdup(path)}});
}

TEST(dropped_files)
{
    file_write("in/näme with space", "contents");
    drop("in/näme with space");
    CHECK(until(has_notice, "näme with space is in the shared folder b"));
    CHECK(file_holds("shared/näme with space", "contents"));
    file_write("in/näme with space", "others");
    drop("in/näme with space");
    CHECK(until(has_notice, "is not copied to the folder b: File exists"));
    CHECK(file_holds("shared/näme with space", "contents"));
    drop("in/missing");
    CHECK(until(has_notice, "missing is not copied to the folder b: No such file"));
    CHECK(access(folder, F_OK) == 0 && !file_holds("shared/missing", ""));
    drop("in"); /* a folder */
    CHECK(until(has_notice, "in is not copied to the folder b: Is a directory"));
    CHECK(!file_holds("shared/in", ""));
}

TEST(dropped_without_a_folder)
{
    drop("in/näme with space");
    CHECK(until(has_notice, "there is no shared folder"));
}

/* --- Density --- */

static bool has_rows(const void *what)
{
    console_info_t info;
    console_info(rig.guest.console, &info);
    return info.rows == *(const uint16_t *)what;
}

/* A screen of twice the density has twice the pixels for the same text: as many cells, and the
 * pointer at the same place. */
TEST(twice_the_density)
{
    console_info_t once, twice;
    show(1);
    console_info(rig.guest.console, &once);
    CHECK(once.rows > 10 && once.cols > 40);
    __atomic_store_n(&density, 2, __ATOMIC_SEQ_CST);
    push(
        (SDL_Event){.window = {.type = SDL_WINDOWEVENT, .event = SDL_WINDOWEVENT_DISPLAY_CHANGED}});
    host_sleep_ns(300000000);
    console_info(rig.guest.console, &twice);
    CHECK(twice.rows >= once.rows - 1 && twice.rows <= once.rows + 1);
    CHECK(twice.cols >= once.cols - 3 && twice.cols <= once.cols + 3);
    show_screen(2);
    push((SDL_Event){.motion = {.type = SDL_MOUSEMOTION, .x = WIDTH / 4, .y = HEIGHT * 3 / 4}});
    finger(SDL_FINGERDOWN, 1, 0.25f, 0.75f);
    finger(SDL_FINGERUP, 1, 0.25f, 0.75f);
    CHECK(gets(3));
    CHECK(near(rig.event[0].x, 0.25) && near(rig.event[0].y, 0.75));
    CHECK(near(rig.event[1].x, 0.25) && near(rig.event[1].y, 0.75));
    __atomic_store_n(&density, 1, __ATOMIC_SEQ_CST);
    push(
        (SDL_Event){.window = {.type = SDL_WINDOWEVENT, .event = SDL_WINDOWEVENT_DISPLAY_CHANGED}});
    CHECK(until(has_rows, &once.rows));
}

/* --- Runs --- */

static void first_run(void *opaque)
{
    (void)opaque;
    focus(true);
    RUN(input_methods);
    RUN(long_editing);
    RUN(clipboard_questions);
    RUN(clipboard_questions_elsewhere);
    RUN(news_are_told);
    RUN(keyboards);
    RUN(slow_clipboards);
    RUN(minimised_windows);
    RUN(fingers);
    RUN(fingers_are_no_mouse);
    RUN(many_fingers);
    RUN(two_screens);
    RUN(wild_cursors);
    RUN(dropped_files);
    RUN(twice_the_density);
    RUN(quit_is_asked);
    window_end(rig.window);
}

static void second_run(void *opaque)
{
    (void)opaque;
    focus(true);
    RUN(power_key);
    RUN(dropped_without_a_folder);
    window_end(rig.window);
}

static void run(void (*body)(void *opaque), const char **shares, size_t share_count, bool power)
{
    if (!rig_open()) {
        printf("not ok a window\n");
        tap_failed++;
        return;
    }
    for (size_t i = 0; i < share_count; i++) {
        rig.app.options.share[i] = shares[i];
    }
    rig.app.options.share_count = share_count;
    if (power) {
        window_power_key(rig.window, rig.input);
    }
    host_thread_t *thread = host_thread_create(body, NULL);
    const window_guest_t guest = app_guest(&rig.app);
    window_start(rig.window, &guest);
    seat_run(rig.seat);
    host_thread_join(thread);
    rig_close();
}

int main(void)
{
    char read_only[100], writable[100], path[128];
    snprintf(folder, sizeof(folder), "/tmp/rvkit-window.XXXXXX");
    if (!mkdtemp(folder)) {
        return 1;
    }
    SDL_setenv("SDL_VIDEODRIVER", "dummy", 1);
    static const char *const names[] = {"in", "shared"};
    for (unsigned i = 0; i < 2; i++) {
        file_path(path, sizeof(path), names[i]);
        mkdir(path, 0777);
    }
    snprintf(read_only, sizeof(read_only), "a=%s/in,ro", folder);
    snprintf(writable, sizeof(writable), "b=%s/shared", folder);
    run(first_run, (const char *[]){read_only, writable}, 2, false);
    run(second_run, (const char *[]){read_only}, 1, true);
    snprintf(path, sizeof(path), "rm -rf '%s'", folder);
    return tap_finish() | (system(path) != 0);
}
