/* test_show.c: the window, without a screen: SDL's dummy driver, whose pixels can be read
 * back. */
#include "stream/bed.h"

extern const stream_sink stream_sink_show;

#ifdef VIGIL_HAVE_SDL2

#include <SDL.h>
#include <dlfcn.h>

/* The sink's own SDL: a library is in a process once. */
#define FUNCTIONS(X)                                                                               \
    X(SDL_PushEvent)                                                                               \
    X(SDL_GetWindowFromID)                                                                         \
    X(SDL_GetRenderer)                                                                             \
    X(SDL_GetRendererOutputSize)                                                                   \
    X(SDL_RenderReadPixels)

static struct {
#define X(name) __typeof__(&name) name;
    FUNCTIONS(X)
#undef X
} sdl;

static void load_sdl(void)
{
    void *library = dlopen("libSDL2-2.0.so.0", RTLD_NOW);
    assert_non_null(library);
#define X(name) assert_int_equal(VG_OK, base_library_find(&sdl.name, library, #name, NULL));
    FUNCTIONS(X)
#undef X
}

/* The only window: ids count on from test to test. */
static SDL_Renderer *renderer(int *w, int *h)
{
    for (Uint32 id = 1; id < 64; id++) {
        SDL_Window *window = sdl.SDL_GetWindowFromID(id);
        if (window == NULL)
            continue;
        SDL_Renderer *r = sdl.SDL_GetRenderer(window);
        sdl.SDL_GetRendererOutputSize(r, w, h);
        return r;
    }
    return NULL;
}

/* What the window shows at x, y: 0xRRGGBB. */
static unsigned look(int x, int y)
{
    int w, h;
    uint8_t rgb[3];
    const SDL_Rect r = {.x = x, .y = y, .w = 1, .h = 1};
    assert_int_equal(0,
                     sdl.SDL_RenderReadPixels(renderer(&w, &h), &r, SDL_PIXELFORMAT_RGB24, rgb, 3));
    return (unsigned)rgb[0] << 16 | (unsigned)rgb[1] << 8 | rgb[2];
}

static bool is_like(unsigned a, unsigned b)
{
    for (int shift = 0; shift <= 16; shift += 8)
        if (abs((int)(a >> shift & 255) - (int)(b >> shift & 255)) > 12)
            return false;
    return true;
}

static void show_color(bed *b, int channel, const char *graph)
{
    bed_connect(b, graph);
    b->r.channel = channel;
    b->r.n_boxes = 0;
    bed_write(b, 1);
    OK(stream_sink_show.tick(b->state, &b->s, err));
}

static void sources_are_side_by_side(void **state)
{
    bed *b = *state;
    int w = 0, h = 0;
    bed_open(b, &stream_sink_show);
    load_sdl();
    assert_null(renderer(&w, &h)); /* before the first picture */
    show_color(b, 0, "lavfi:color=c=0xC82020:size=160x120");
    assert_non_null(renderer(&w, &h));
    assert_int_equal(160, w);
    assert_int_equal(120, h);
    assert_true(is_like(0xC82020, look(80, 60)));
    show_color(b, 2, "lavfi:color=c=0x20C820:size=160x120");
    assert_true(is_like(0xC82020, look(40, 60)));
    assert_true(is_like(0x20C820, look(120, 60)));
    assert_true(is_like(0x000000, look(40, 10))); /* above, for each is as wide as half a window */
    show_color(
        b, 1, "lavfi:color=c=0x2020C8:size=320x240"); /* shapes may differ; two columns, two rows */
    assert_true(is_like(0xC82020, look(40, 30)));
    assert_true(is_like(0x2020C8, look(120, 30)));
    assert_true(is_like(0x20C820, look(40, 90)));
    assert_true(is_like(0x000000, look(120, 90)));
    show_color(b, 1, "lavfi:color=c=0xC8C820:size=64x48"); /* a source that changes its size */
    assert_true(is_like(0xC8C820, look(120, 30)));
    stream_sink_show.channel_ended(b->state, 0);
    stream_sink_show.channel_ended(b->state, 2);
    OK(stream_sink_show.tick(b->state, &b->s, err));
    assert_true(is_like(0xC8C820, look(80, 60)));
    OK(bed_close(b, err));
    assert_null(renderer(&w, &h));
}

static void pictures_cost_no_memory_of_ours(void **state)
{
    bed *b = *state;
    bed_open(b, &stream_sink_show);
    bed_write(b, 3);
    const uint64_t n_allocs = b->mem.n_allocs;
    bed_write(b, 20);
    assert_int_equal(n_allocs, b->mem.n_allocs);
}

static void q_escape_and_closing_end_the_job(void **state)
{
    bed *b = *state;
    const SDL_Event events[] = {
        {.key = {.type = SDL_KEYDOWN, .keysym.sym = SDLK_q}},
        {.key = {.type = SDL_KEYDOWN, .keysym.sym = SDLK_ESCAPE}},
        {.window = {.type = SDL_WINDOWEVENT, .event = SDL_WINDOWEVENT_CLOSE}},
        {.quit = {.type = SDL_QUIT}},
    };
    const SDL_Event other = {.key = {.type = SDL_KEYDOWN, .keysym.sym = SDLK_w}};
    bed_open(b, &stream_sink_show);
    load_sdl();
    bed_write(b, 1);
    SDL_Event e = other;
    sdl.SDL_PushEvent(&e);
    bed_write(b, 1);
    assert_false(b->stats.wants_end);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        e = events[i];
        sdl.SDL_PushEvent(&e);
        if (i % 2)
            bed_write(b, 1);
        else
            OK(stream_sink_show.tick(b->state, &b->s, err));
        assert_true(b->stats.wants_end);
        b->stats.wants_end = false;
    }
}

static void without_a_screen_the_job_does_not_begin(void **state)
{
    bed *b = *state;
    vg_error e = {0};
    void *self = scene_alloc(stream_sink_show.state_bytes);
    char usual[64];
    snprintf(usual, sizeof usual, "%s", getenv("SDL_VIDEODRIVER"));
    setenv("SDL_VIDEODRIVER", "no-such-driver", 1);
    const vg_status st = stream_sink_show.open(self, &b->s, &e);
    /* Nor where SDL would draw for nobody. A graphics card without X11 is a screen, too. */
    char display[256] = "";
    if (getenv("DISPLAY") != NULL)
        snprintf(display, sizeof display, "%s", getenv("DISPLAY"));
    unsetenv("SDL_VIDEODRIVER");
    unsetenv("DISPLAY");
    unsetenv("WAYLAND_DISPLAY");
    const vg_status unseen = access("/dev/dri", F_OK) == 0
                                 ? VG_ERR_UNSUPPORTED
                                 : stream_sink_show.open(self, &b->s, NULL);
    if (*display != '\0')
        setenv("DISPLAY", display, 1);
    setenv("SDL_VIDEODRIVER", usual, 1);
    assert_int_equal(VG_ERR_UNSUPPORTED, unseen);
    assert_int_equal(VG_ERR_UNSUPPORTED, st);
    assert_non_null(strstr(e.what, "no screen"));
    free(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED_TEST(sources_are_side_by_side),
        BED_TEST(pictures_cost_no_memory_of_ours),
        BED_TEST(q_escape_and_closing_end_the_job),
        BED_TEST(without_a_screen_the_job_does_not_begin),
    };
    setenv("SDL_VIDEODRIVER", "dummy", 0); /* or x11, under Xvfb */
    setenv("SDL_RENDER_DRIVER", "software", 1);
    return cmocka_run_group_tests(tests, bed_open_detector, bed_close_detector);
}

#else

static void a_build_without_it_says_so(void **state)
{
    bed *b = *state;
    vg_error e = {0};
    char self[64];
    assert_int_equal(VG_ERR_UNSUPPORTED, stream_sink_show.open(self, &b->s, &e));
    assert_non_null(strstr(e.what, "SDL2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {BED_TEST(a_build_without_it_says_so)};
    return cmocka_run_group_tests(tests, bed_open_detector, bed_close_detector);
}

#endif
