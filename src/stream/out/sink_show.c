/* sink_show.c: a window with the pictures of all sources, side by side. SDL2 is opened when it
 * is asked for: it brings X11, Wayland and OpenGL along.
 *
 * SDL wants its windows to be of one thread: open only tries whether there is a screen, and the
 * sink's own thread makes the window at its first picture. What SDL takes (a texture a source) is
 * not on our accounts; it is bounded by the largest pictures. q, Esc and closing the window end the
 * job. */
#include "files.h"
#include "painter.h"

#ifdef VIGIL_HAVE_SDL2

#include <SDL.h>
#include <math.h>
#include <string.h>

static const char SONAME[] = "libSDL2-2.0.so.0";
enum { FIRST_W = 1280, FIRST_H = 720, LEAST_MS = 15 }; /* between two presentations */

#define FUNCTIONS(X)                                                                               \
    X(SDL_InitSubSystem)                                                                           \
    X(SDL_QuitSubSystem)                                                                           \
    X(SDL_SetHint)                                                                                 \
    X(SDL_GetError)                                                                                \
    X(SDL_GetCurrentVideoDriver)                                                                   \
    X(SDL_CreateWindow)                                                                            \
    X(SDL_DestroyWindow)                                                                           \
    X(SDL_CreateRenderer)                                                                          \
    X(SDL_DestroyRenderer)                                                                         \
    X(SDL_GetRendererOutputSize)                                                                   \
    X(SDL_CreateTexture)                                                                           \
    X(SDL_DestroyTexture)                                                                          \
    X(SDL_UpdateTexture)                                                                           \
    X(SDL_SetRenderDrawColor)                                                                      \
    X(SDL_RenderClear)                                                                             \
    X(SDL_RenderCopy)                                                                              \
    X(SDL_RenderPresent)                                                                           \
    X(SDL_PollEvent)

typedef struct library {
#define X(name) __typeof__(&name) name;
    FUNCTIONS(X)
#undef X
} library;

typedef struct tile {
    SDL_Texture *texture; /* NULL: no picture yet */
    int w, h;
} tile;

typedef struct state {
    library sdl;
    stream_painter *painter;
    SDL_Window *window;
    SDL_Renderer *renderer;
    tile tiles[STREAM_MOST_CHANNELS];
    bool is_initialised;
    bool is_stale; /* the window shows less than is known */
    int64_t shown_ns;
} state;

static bool is_wanted(const stream_options *o)
{
    return o->show;
}

static vg_status failed(const state *t, const char *what, vg_error *err)
{
    const char *why = t->sdl.SDL_GetError();
    return base_fail(err, VG_ERR_UNSUPPORTED, "show",
                     "leave --show out, or set DISPLAY or WAYLAND_DISPLAY", "%s%s%s", what,
                     *why != '\0' ? ": " : "", why);
}

static vg_status load(library *l, vg_error *err)
{
    void *sdl = NULL;
    vg_status st = base_library_open(&sdl, SONAME, "--show needs SDL2",
                                     "install libsdl2-2.0-0, or leave --show out", err);
#define X(name)                                                                                    \
    if (st == VG_OK)                                                                               \
        st = base_library_find(&l->name, sdl, #name, err);
    FUNCTIONS(X)
#undef X
    base_library_close(&sdl);
    return st;
}

/* Where there is no screen SDL draws into memory that nobody sees; fine when asked for by name. */
static bool is_invisible(const state *t)
{
    static const char *const drivers[] = {"offscreen", "dummy", "evdev"};
    const char *driver = t->sdl.SDL_GetCurrentVideoDriver(), *asked = getenv("SDL_VIDEODRIVER");
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers && driver != NULL; i++)
        if (strcmp(driver, drivers[i]) == 0)
            return asked == NULL || *asked == '\0';
    return false;
}

static vg_status start_sdl(state *t, vg_error *err)
{
    t->sdl.SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1"); /* Ctrl-C is the program's */
    t->sdl.SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    t->is_initialised = t->sdl.SDL_InitSubSystem(SDL_INIT_VIDEO) == 0;
    if (!t->is_initialised)
        return failed(t, "there is no screen for --show", err);
    return is_invisible(t) ? failed(t, "there is no screen for --show", err) : VG_OK;
}

static void stop_sdl(state *t)
{
    for (int i = 0; i < STREAM_MOST_CHANNELS; i++) {
        if (t->tiles[i].texture != NULL)
            t->sdl.SDL_DestroyTexture(t->tiles[i].texture);
        t->tiles[i] = (tile){0};
    }
    if (t->renderer != NULL)
        t->sdl.SDL_DestroyRenderer(t->renderer);
    if (t->window != NULL)
        t->sdl.SDL_DestroyWindow(t->window);
    if (t->is_initialised)
        t->sdl.SDL_QuitSubSystem(SDL_INIT_VIDEO);
    t->renderer = NULL;
    t->window = NULL;
    t->is_initialised = false;
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    vg_status st = load(&t->sdl, err);
    if (st != VG_OK)
        return st;
    st = start_sdl(t, err);
    stop_sdl(t);
    return st == VG_OK ? stream_painter_create(&t->painter, s, s->mem, err) : st;
}

static vg_status make_window(state *t, int w, int h, vg_error *err)
{
    const double scale = fmin(fmin((double)FIRST_W / w, (double)FIRST_H / h), 1);
    if (!t->is_initialised) {
        const vg_status st = start_sdl(t, err);
        if (st != VG_OK)
            return st;
    }
    if (t->window == NULL)
        t->window = t->sdl.SDL_CreateWindow("vigil", SDL_WINDOWPOS_UNDEFINED,
                                            SDL_WINDOWPOS_UNDEFINED, (int)fmax(w * scale, 64),
                                            (int)fmax(h * scale, 64), SDL_WINDOW_RESIZABLE);
    if (t->window != NULL && t->renderer == NULL)
        t->renderer = t->sdl.SDL_CreateRenderer(t->window, -1, 0);
    return t->renderer != NULL ? VG_OK : failed(t, "a window cannot be made", err);
}

/* ---- pictures ---- */

static void drop_tile(state *t, int channel)
{
    tile *at = &t->tiles[channel];
    if (at->texture != NULL)
        t->sdl.SDL_DestroyTexture(at->texture);
    *at = (tile){0};
    t->is_stale = true;
}

static vg_status fill_tile(state *t, int channel, const image_view *picture, vg_error *err)
{
    tile *at = &t->tiles[channel];
    if (at->texture != NULL && (at->w != picture->w || at->h != picture->h))
        drop_tile(t, channel);
    if (at->texture == NULL) {
        at->texture = t->sdl.SDL_CreateTexture(t->renderer, SDL_PIXELFORMAT_RGB24,
                                               SDL_TEXTUREACCESS_STREAMING, picture->w, picture->h);
        at->w = picture->w;
        at->h = picture->h;
    }
    t->is_stale = true;
    if (at->texture == NULL ||
        t->sdl.SDL_UpdateTexture(at->texture, NULL, picture->data, (int)picture->stride) != 0)
        return failed(t, "a picture cannot be shown", err);
    return VG_OK;
}

/* The largest upright picture of the tile's shape in the middle of its place. */
static SDL_Rect place_tile(const tile *at, int place, int columns, int rows, int w, int h)
{
    const int cell_w = w / columns, cell_h = h / rows;
    const double scale = fmin((double)cell_w / at->w, (double)cell_h / at->h);
    SDL_Rect r = {.w = (int)fmax(at->w * scale, 1), .h = (int)fmax(at->h * scale, 1)};
    r.x = place % columns * cell_w + (cell_w - r.w) / 2;
    r.y = place / columns * cell_h + (cell_h - r.h) / 2;
    return r;
}

static void show(state *t)
{
    int n = 0, w = 0, h = 0, place = 0;
    for (int i = 0; i < STREAM_MOST_CHANNELS; i++)
        n += t->tiles[i].texture != NULL;
    t->sdl.SDL_GetRendererOutputSize(t->renderer, &w, &h);
    const int columns = (int)ceil(sqrt(n > 0 ? n : 1)),
              rows = ((n > 0 ? n : 1) + columns - 1) / columns;
    t->sdl.SDL_SetRenderDrawColor(t->renderer, 0, 0, 0, 255);
    t->sdl.SDL_RenderClear(t->renderer);
    for (int i = 0; i < STREAM_MOST_CHANNELS; i++) {
        const tile *at = &t->tiles[i];
        if (at->texture == NULL)
            continue;
        const SDL_Rect r = place_tile(at, place++, columns, rows, w, h);
        t->sdl.SDL_RenderCopy(t->renderer, at->texture, NULL, &r);
    }
    t->sdl.SDL_RenderPresent(t->renderer);
    t->shown_ns = base_now_ns();
    t->is_stale = false;
}

/* ---- the user ---- */

static bool is_end(const SDL_Event *e)
{
    return e->type == SDL_QUIT ||
           (e->type == SDL_WINDOWEVENT && e->window.event == SDL_WINDOWEVENT_CLOSE) ||
           (e->type == SDL_KEYDOWN &&
            (e->key.keysym.sym == SDLK_q || e->key.keysym.sym == SDLK_ESCAPE));
}

static void see_events(state *t, const stream_setting *s)
{
    SDL_Event e;
    while (t->window != NULL && t->sdl.SDL_PollEvent(&e)) {
        if (is_end(&e) && s->wants_end != NULL)
            *s->wants_end = true;
        t->is_stale = t->is_stale || e.type == SDL_WINDOWEVENT; /* resized, uncovered */
    }
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    image_view picture;
    vg_status st = stream_painter_drawn(t->painter, &picture, s, r, err);
    if (st == VG_OK && t->renderer == NULL)
        st = make_window(t, picture.w, picture.h, err);
    if (st == VG_OK)
        st = fill_tile(t, r->channel, &picture, err);
    see_events(t, s);
    /* Eight sources of 30 frames a second need no 240 windows full. */
    if (st == VG_OK && base_now_ns() - t->shown_ns >= LEAST_MS * INT64_C(1000000))
        show(t);
    return st;
}

static vg_status tick(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    (void)err;
    see_events(t, s);
    if (t->is_stale && t->renderer != NULL)
        show(t);
    return VG_OK;
}

static void channel_ended(void *self, int channel)
{
    drop_tile(self, channel);
}

static vg_status close_(void *self, vg_error *err)
{
    state *t = self;
    (void)err;
    stop_sdl(t);
    stream_painter_destroy(&t->painter);
    return VG_OK;
}

#define IF_BUILT(function) function

#else /* without SDL2's headers */

typedef struct state {
    char nothing;
} state;

static bool is_wanted(const stream_options *o)
{
    return o->show;
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    (void)self;
    (void)s;
    return base_fail(err, VG_ERR_UNSUPPORTED, "show",
                     "install libsdl2-dev and build vigil again, or leave --show out",
                     "this vigil was built without SDL2: it has no window");
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    (void)r;
    return open_(self, s, err);
}

static vg_status close_(void *self, vg_error *err)
{
    (void)self;
    (void)err;
    return VG_OK;
}

#define IF_BUILT(function) NULL

#endif

/* One picture in its queue: what is shown is the newest. */
const stream_sink stream_sink_show = {.name = "show",
                                      .help = "a window with the pictures and their boxes",
                                      .needs_pixels = true,
                                      .queue_length = 1,
                                      .state_bytes = sizeof(state),
                                      .is_wanted = is_wanted,
                                      .need_bytes = IF_BUILT(stream_painter_bytes),
                                      .open = open_,
                                      .write = write_,
                                      .tick = IF_BUILT(tick),
                                      .channel_ended = IF_BUILT(channel_ended),
                                      .close = close_};
