/* test_zones.c: files of zones, good and bad ones, and what a channel's zones tell. */
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "stream/scene/zones.h"

enum { W = 200, H = 100, N_CHANNELS = 2 };

static const char *const NAMES[] = {"person", "bottle", "cup", "Traffic Light"};
static const detect_track_options TRACKER = {.most_tracks = 16, .track_buffer = 5};
static const stream_zones_scene SCENE = {NAMES, 4, false, N_CHANNELS, &TRACKER};

typedef struct bench {
    base_mem mem;
    vg_error err;
    stream_zones *z;
    vg_stream_event events[STREAM_ZONES_EVENTS];
    size_t n;
    int64_t ms;
} bench;

static vg_status parse(bench *b, const char *text)
{
    return stream_zones_parse(&b->z, text, strlen(text), "zones.yaml", &SCENE, &b->mem, &b->err);
}

static void open_zones(bench *b, const char *text)
{
    *b = (bench){.mem = {.tag = "test"}};
    if (parse(b, text) != VG_OK)
        fail_msg("%s, at %s", b->err.what, b->err.where);
}

static void close_zones(bench *b)
{
    stream_zones_close(&b->z);
    assert_int_equal(b->mem.in_use_bytes, 0);
}

static size_t step_of(bench *b, int channel, const char *source, const char *stem,
                      const vg_detection *boxes, const int64_t *ids, size_t n)
{
    const uint64_t n_allocs = b->mem.n_allocs;
    b->ms += 100;
    const detect_zone_picture seen = {
        .boxes = boxes, .ids = ids, .n = n, .w = W, .h = H, .time_ns = b->ms * 1000000};
    b->n = stream_zones_step(b->z, b->events, channel, source, stem, seen);
    assert_int_equal(b->mem.n_allocs, n_allocs);
    return b->n;
}

static size_t step(bench *b, const vg_detection *boxes, const int64_t *ids, size_t n)
{
    return step_of(b, 0, "rtsp://gate/1", "gate", boxes, ids, n);
}

static vg_detection standing(float x, int class_index)
{
    return (vg_detection){x - 10, 20, x + 10, 60, 0.9f, class_index};
}

/* ---- good files ---- */

#define SQUARE "polygon: [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]"

static void a_small_file_is_enough(void **state)
{
    (void)state;
    bench b;
    open_zones(&b, "zones:\n  - name: door\n    " SQUARE "\n");
    assert_int_equal(stream_zones_n(b.z), 1);
    assert_true(stream_zones_needs_tracks(b.z));
    const vg_detection box = standing(150, 2);
    const int64_t id = 3;
    assert_int_equal(step(&b, &box, &id, 1), 0);
    assert_int_equal(step(&b, &box, &id, 1), 0);
    assert_int_equal(step(&b, &box, &id, 1), 1); /* three frames are believed */
    const vg_stream_event *e = &b.events[0];
    assert_int_equal(e->kind, VG_STREAM_ENTER);
    assert_string_equal(e->zone, "door");
    assert_int_equal(e->class_index, 2);
    assert_int_equal(e->track, 3);
    assert_true(e->inside == 1 && e->n_in == 1 && e->n_out == 0);
    assert_false(e->wants_snapshot);
    assert_true(e->box.x1 == box.x1);
    close_zones(&b);
}

static void every_key_does_what_it_says(void **state)
{
    (void)state;
    bench b;
    open_zones(&b, "units: pixels\n"
                   "zones:\n"
                   "  - name: belt 1\n"
                   "    polygon: [[100, 0], [200, 0], [200, 100], [100, 100]]\n"
                   "    sources: gate\n"
                   "    classes: [PERSON, 1, \"traffic light\"]\n"
                   "    min_confidence: 0.5\n"
                   "    anchor: box\n"
                   "    overlap: 0.75\n"
                   "    debounce: 2 frames\n"
                   "    dwell: 1s\n"
                   "    snapshot: [dwell, leave]\n");
    const int64_t ids[] = {1, 2, 3, 4};
    const vg_detection boxes[] = {standing(104, 0), /* 14 of 20 wide */
                                  standing(106, 1), /* 16 of 20 */
                                  standing(150, 2), /* not a class of it */
                                  standing(150, 3)};
    step(&b, boxes, ids, 4);
    assert_int_equal(step(&b, boxes, ids, 4), 2);
    assert_int_equal(b.events[0].track, 2);
    assert_int_equal(b.events[1].track, 4);
    assert_false(b.events[0].wants_snapshot);
    for (int k = 0; k < 8; k++)
        assert_int_equal(step(&b, boxes, ids, 4), 0);
    assert_int_equal(step(&b, boxes, ids, 4), 2);
    assert_int_equal(b.events[0].kind, VG_STREAM_DWELL);
    assert_true(b.events[0].wants_snapshot && b.events[0].seconds == 1.0);
    stream_zone_view v;
    assert_true(stream_zones_get(&v, b.z, 0, 0));
    assert_true(v.is_on && v.has_tracks && !v.is_absent);
    assert_true(v.inside == 2 && v.n_in == 2 && v.n_out == 0);
    assert_false(stream_zones_get(&v, b.z, 0, 1));
    step(&b, NULL, NULL, 0); /* not seen for a moment */
    stream_zones_get(&v, b.z, 0, 0);
    assert_int_equal(v.inside, 2);
    close_zones(&b);
}

static void what_is_not_said_is_the_usual(void **state)
{
    (void)state;
    bench b;
    open_zones(&b, "zones:\n - {name: a, anchor: box, absent: 1m, " SQUARE "}\n");
    const vg_detection boxes[] = {standing(101, 0), standing(99, 1)}; /* 11 and 9 of 20 */
    stream_zone_view v;
    step(&b, boxes, NULL, 2);
    stream_zones_get(&v, b.z, 0, 0);
    assert_false(v.has_tracks);
    assert_int_equal(v.inside, 1); /* half a box, of any class, with any score */
    step(&b, NULL, NULL, 0);
    stream_zones_get(&v, b.z, 0, 0);
    assert_int_equal(v.inside, 0);
    close_zones(&b);
}

static void times_are_read_in_every_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int steps; /* of 100 ms until the dwell is told */
    } cases[] = {{"1", 10},     {"0.5", 5},  {"500ms", 5},    {"1500 ms", 15}, {"2s", 20},
                 {"2 sec", 20}, {"1m", 600}, {"0.5min", 300}, {"0.01h", 360},  {"0.001 d", 864}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench b;
        char text[256];
        base_format(text, sizeof text,
                    "zones:\n - name: a\n   " SQUARE "\n   debounce: 0\n   events: dwell\n"
                    "   dwell: %s\n",
                    cases[i].text);
        open_zones(&b, text);
        const vg_detection box = standing(150, 0);
        const int64_t id = 1;
        for (int k = 0; k <= cases[i].steps; k++)
            if (step(&b, &box, &id, 1) != (k == cases[i].steps))
                fail_msg("%s: event in step %d", cases[i].text, k);
        close_zones(&b);
    }
}

static void zones_tell_what_they_are_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *keys;
        bool needs_tracks;
        const char *kinds; /* of events that come, by initial */
    } cases[] = {
        {"", true, "elel"},
        {"dwell: 500ms", true, "edledl"},
        {"absent: 500ms", false, "ababa"},
        {"absent: 500ms\n   dwell: 500ms", true, "aebdlaebdla"},
        {"absent: 500ms\n   events: [back]", false, "bb"},
        {"absent: 500ms\n   events: absent", false, "aaa"},
        {"events: [leave]", true, "ll"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench b;
        char text[256], kinds[64] = "";
        size_t n = 0;
        base_format(text, sizeof text, "zones:\n - name: a\n   " SQUARE "\n   debounce: 0\n   %s\n",
                    cases[i].keys);
        open_zones(&b, text);
        assert_int_equal(stream_zones_needs_tracks(b.z), cases[i].needs_tracks);
        for (int k = 0; k < 50; k++) { /* out, in, out, in, out: a second each */
            const vg_detection box = standing(k / 10 % 2 ? 150 : 50, 0);
            const int64_t id = 1;
            step(&b, &box, &id, 1);
            for (size_t j = 0; j < b.n; j++)
                kinds[n++] = stream_event_name(b.events[j].kind)[0];
        }
        kinds[n] = '\0';
        if (strcmp(kinds, cases[i].kinds) != 0)
            fail_msg("%s: %s, not %s", cases[i].keys, kinds, cases[i].kinds);
        close_zones(&b);
    }
}

static void fractions_and_pixels_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *polygon;
        float x, y;
    } cases[] = {{"polygon: [[0.5, 0.25], [1, 0], [1, 1]]", 100, 25},
                 {"polygon: [[50, 25], [100, 0], [100, 100]]", 50, 25},
                 {"polygon: [[1, 0], [1, 1], [0, 1]]", 200, 0},
                 {"polygon: [[1, 0], [1, 1], [0, 1]]\n   units: pixels", 1, 0},
                 {"polygon: [[10.5, 0.5], [20, 0], [20, 20]]\n   units: pixels", 10.5f, 0.5f}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench b;
        char text[256];
        float xy[2 * STREAM_MOST_ZONE_POINTS];
        base_format(text, sizeof text, "zones:\n - name: a\n   %s\n", cases[i].polygon);
        open_zones(&b, text);
        assert_int_equal(stream_zones_outline(xy, b.z, 0, 0, W, H), 0); /* no source yet */
        step(&b, NULL, NULL, 0);
        assert_int_equal(stream_zones_outline(xy, b.z, 0, 0, W, H), 3);
        if (xy[0] != cases[i].x || xy[1] != cases[i].y)
            fail_msg("case %zu: %g, %g", i, (double)xy[0], (double)xy[1]);
        close_zones(&b);
    }
}

static void zones_are_for_the_sources_that_they_name(void **state)
{
    (void)state;
    bench b;
    open_zones(&b, "zones:\n"
                   " - {name: all, debounce: 0, " SQUARE "}\n"
                   " - {name: one, debounce: 0, sources: [gate, \"0\"], " SQUARE "}\n"
                   " - {name: two, debounce: 0, sources: rtsp://yard/1, " SQUARE "}\n");
    const vg_detection box = standing(150, 0);
    const int64_t id = 1;
    assert_int_equal(step_of(&b, 0, "rtsp://gate/1", "gate", &box, &id, 1), 2);
    assert_string_equal(b.events[1].zone, "one");
    assert_int_equal(step_of(&b, 1, "rtsp://yard/1", "yard", &box, &id, 1), 2);
    assert_string_equal(b.events[1].zone, "two");
    float xy[2 * STREAM_MOST_ZONE_POINTS];
    assert_int_equal(stream_zones_outline(xy, b.z, 0, 2, W, H), 0);
    assert_int_equal(stream_zones_outline(xy, b.z, 1, 2, W, H), 4);
    /* Each channel has its own counts; another source in its place begins anew. */
    stream_zone_view v;
    stream_zones_get(&v, b.z, 1, 0);
    assert_int_equal(v.n_in, 1);
    const int64_t next = 2;
    assert_int_equal(step_of(&b, 0, "rtsp://gate/1", "gate", &box, &next, 1), 2);
    assert_string_equal(b.events[1].zone, "one");
    assert_int_equal(step_of(&b, 1, "camera", "0", &box, &id, 1), 2);
    assert_string_equal(b.events[1].zone, "one");
    stream_zones_get(&v, b.z, 1, 0);
    assert_true(v.n_in == 1 && v.n_out == 0);
    close_zones(&b);
}

static void a_channel_that_was_away_keeps_its_totals(void **state)
{
    (void)state;
    bench b;
    open_zones(&b, "zones:\n - {name: a, debounce: 0, " SQUARE "}\n");
    const vg_detection box = standing(150, 0);
    int64_t id = 1;
    assert_int_equal(step(&b, &box, &id, 1), 1);
    stream_zones_clear(b.z, 0);
    id = 2;
    assert_int_equal(step(&b, &box, &id, 1), 2);
    assert_true(b.events[0].kind == VG_STREAM_LEAVE && b.events[0].is_lost);
    stream_zone_view v;
    stream_zones_get(&v, b.z, 0, 0);
    assert_true(v.inside == 1 && v.n_in == 2 && v.n_out == 1);
    close_zones(&b);
}

typedef struct onlooker {
    stream_zones *z;
    atomic_bool stop;
    int64_t n_looks, greatest;
} onlooker;

static void *look_on(void *self)
{
    onlooker *o = self;
    while (!o->stop || o->n_looks == 0) {
        stream_zone_view v;
        float xy[2 * STREAM_MOST_ZONE_POINTS];
        char text[128];
        stream_zones_get(&v, o->z, 0, 0);
        stream_zones_caption(text, sizeof text, &v);
        stream_zones_outline(xy, o->z, 0, 0, W, H);
        o->greatest = v.n_in > o->greatest ? v.n_in : o->greatest;
        o->n_looks++;
    }
    return NULL;
}

/* For the thread sanitizer: who draws looks on while who counts steps. */
static void others_may_look_on(void **state)
{
    (void)state;
    bench b;
    pthread_t thread;
    onlooker o = {0};
    open_zones(&b, "zones:\n - {name: a, debounce: 0, " SQUARE "}\n");
    o.z = b.z;
    assert_int_equal(pthread_create(&thread, NULL, look_on, &o), 0);
    for (int k = 0; k < 5000; k++) {
        const vg_detection box = standing(k % 2 ? 150 : 50, 0);
        const int64_t id = 1;
        step(&b, &box, &id, 1);
    }
    o.stop = true;
    pthread_join(thread, NULL);
    assert_in_range(o.greatest, 0, 2500);
    close_zones(&b);
}

static void captions_say_what_there_is(void **state)
{
    (void)state;
    char text[128];
    stream_zone_view v = {.name = "door", .has_tracks = true, .inside = 2, .n_in = 14, .n_out = 12};
    assert_string_equal(stream_zones_caption(text, sizeof text, &v),
                        "door: 2 inside, 14 in, 12 out");
    v = (stream_zone_view){.name = "shelf", .is_absent = true};
    assert_string_equal(stream_zones_caption(text, sizeof text, &v), "shelf: 0 inside, missing");
    assert_string_equal(stream_zones_caption(text, 6, &v), "shelf"); /* cut, and ended */
}

static void the_example_is_good(void **state)
{
    (void)state;
    static const char *const coco[] = {"person", "bottle", "cup"};
    bench b = {.mem = {.tag = "test"}};
    const stream_zones_scene scene = {coco, 3, false, 1, &TRACKER};
    const vg_status st = stream_zones_open(&b.z, TEST_FIXTURES_DIR "/../../examples/zones.yaml",
                                           &scene, &b.mem, &b.err);
    if (st != VG_OK)
        fail_msg("%s, at %s", b.err.what, b.err.where);
    assert_int_equal(stream_zones_n(b.z), 2);
    close_zones(&b);
    assert_int_equal(stream_zones_open(&b.z, "nowhere/zones.yaml", &scene, &b.mem, &b.err),
                     VG_ERR_IO);
    assert_null(b.z);
}

/* ---- bad files ---- */

#define DOOR "zones:\n- name: door\n  " SQUARE "\n  "
#define POLY "zones:\n- name: door\n  polygon: "

static const struct bad {
    const char *text, *where, *what, *mend; /* parts of the texts */
} BAD[] = {
    {"", "zones.yaml", "is a map", "zones:"},
    {"- a\n", "zones.yaml:1", "is a map", "zones:"},
    {"zone: []\n", "zones.yaml:1", "no \"zone\"", "did you mean zones?"},
    {"units: pixels\n", "zones.yaml:1, field zones", "no list of zones", "- name"},
    {"zones: []\n", "zones.yaml:1, field zones", "no list of zones", "- name"},
    {"zones: {door: 1}\n", "zones.yaml:1, field zones", "no list of zones", "- name"},
    {"zones:\n- door\n", "zones.yaml:2, field zones", "a map, not \"door\"", "- name"},
    {"zones: [[\n", "zones.yaml:", "", ""},
    {"zones:\n- " SQUARE "\n", "zones.yaml:2, field name", "no name", "name: door"},
    {"zones:\n- name: door\n", "zones.yaml:2, field polygon", "no polygon", "corners"},
    {"zones:\n- name: ''\n  " SQUARE, "zones.yaml:2, field name", "empty", "1 to 63 bytes"},
    {"zones:\n- name: [a]\n  " SQUARE, "zones.yaml:2, field name", "list", "1 to 63 bytes"},
    {"zones:\n- name:\n  " SQUARE, "zones.yaml:2, field name", "null", ""},
    {"zones:\n- name: \"a\\tb\"\n  " SQUARE, "zones.yaml:2, field name", "control", ""},
    {"zones:\n- name: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg\n  " SQUARE,
     "zones.yaml:2, field name", "too long", "1 to 63 bytes"},
    {"zones:\n- name: a\n  " SQUARE "\n- name: a\n  " SQUARE "\n", "zones.yaml:4, field name",
     "zone \"a\" is there already, in line 2", "of its own"},
    {DOOR "min_conf: 0.5\n", "zones.yaml:4", "a zone has no \"min_conf\"",
     "did you mean min_confidence?"},
    {DOOR "class: person\n", "zones.yaml:4", "a zone has no \"class\"", "did you mean classes?"},
    {POLY "0.5\n", "zones.yaml:3, field polygon", "polygon is \"0.5\"", "corners"},
    {POLY "[[0, 0], [1, 1]]\n", "zones.yaml:3, field polygon", "fewer than 3", "corners"},
    {POLY "[[0, 0], [1, 1], 5]\n", "zones.yaml:3, field polygon", "not \"5\"", "corners"},
    {POLY "\n  - [0, 0]\n  - [1, 1]\n  - [1, 2, 3]\n", "zones.yaml:6, field polygon",
     "list of more or less", "corners"},
    {POLY "\n  - [0, 0]\n  - [1, x]\n  - [1, 0]\n", "zones.yaml:5, field polygon",
     "y of a corner is \"x\"", "numbers"},
    {POLY "[[0, 0], [1, .nan], [1, 0]]\n", "zones.yaml:3, field polygon", ".nan", "numbers"},
    {POLY "[[0, 0], [-0.1, 1], [1, 0]]\n", "zones.yaml:3, field polygon", "x of a corner is -0.1",
     "upper left"},
    {POLY "[[0, 0], [1e9, 1], [1, 0]]\n", "zones.yaml:3, field polygon", "1e9", ""},
    {POLY "[[0.5, 0], [200, 0], [200, 100]]\n", "zones.yaml:3, field polygon",
     "fractions (0.5), others like pixels (200)", "units: pixels"},
    {"units: fraction\n" POLY "[[0, 0], [200, 0], [200, 100]]\n", "zones.yaml:4, field polygon",
     "corner at 200", "units: pixels"},
    {"units: metres\n" POLY "[[0, 0], [200, 0], [200, 100]]\n", "zones.yaml:1, field units",
     "metres", "fraction"},
    {POLY "[[0, 0], [1, 1], [1, 0], [0, 1]]\n", "zones.yaml:3, field polygon",
     "edges after corners 1 and 3 meet", "order"},
    {POLY "[[0, 0], [1, 0], [1, 1], [0, 0]]\n", "zones.yaml:3, field polygon",
     "edges after corners", "not again at the end"},
    {DOOR "anchor: mask\n", "zones.yaml:4, field anchor", "this model makes none", "yolo11n-seg"},
    {DOOR "sources: []\n", "zones.yaml:4, field sources", "empty list", "leave the line out"},
    {DOOR "sources: [gate, [yard]]\n", "zones.yaml:4, field sources", "list", "names"},
    {DOOR "sources:\n", "zones.yaml:4, field sources", "null", ""},
    {DOOR "classes: []\n", "zones.yaml:4, field classes", "empty list", "leave the line out"},
    {DOOR "classes: [person, botle]\n", "zones.yaml:4, field classes",
     "\"botle\" is no class of a model of 4", "did you mean \"bottle\"?"},
    {DOOR "classes: [person, 4]\n", "zones.yaml:4, field classes",
     "\"4\" is no class of a model of 4", "0 to 3"},
    {DOOR "classes: -1\n", "zones.yaml:4, field classes", "\"-1\" is no class", "0 to 3"},
    {DOOR "classes: [[person]]\n", "zones.yaml:4, field classes", "a list is no class", ""},
    {DOOR "min_confidence: 40\n", "zones.yaml:4, field min_confidence", "40", "0 to 1"},
    {DOOR "min_confidence: high\n", "zones.yaml:4, field min_confidence", "high", "0 to 1"},
    {DOOR "anchor: top\n", "zones.yaml:4, field anchor", "top", "bottom, center, box or mask"},
    {DOOR "overlap: 0.5\n", "zones.yaml:4, field overlap", "anchor: box", "add anchor: box"},
    {DOOR "overlap: 0\n  anchor: box\n", "zones.yaml:4, field overlap", "overlaps by \"0\"", ""},
    {DOOR "debounce: soon\n", "zones.yaml:4, field debounce", "soon", "5 frames"},
    {DOOR "debounce: 1.5 frames\n", "zones.yaml:4, field debounce", "1.5 frames", "5 frames"},
    {DOOR "debounce: -1\n", "zones.yaml:4, field debounce", "-1", "5 frames"},
    {DOOR "dwell: 0\n", "zones.yaml:4, field dwell", "\"0\"", "30s"},
    {DOOR "dwell: 30x\n", "zones.yaml:4, field dwell", "30x", "30s"},
    {DOOR "dwell: 1.2.3s\n", "zones.yaml:4, field dwell", "1.2.3s", "30s"},
    {DOOR "dwell: [30]\n", "zones.yaml:4, field dwell", "list", "30s"},
    {DOOR "absent: .inf\n", "zones.yaml:4, field absent", ".inf", "30s"},
    {DOOR "absent: 500d\n", "zones.yaml:4, field absent", "500d", "up to a year"},
    {DOOR "events: [enter, leaf]\n", "zones.yaml:4, field events", "\"leaf\"",
     "did you mean leave?"},
    {DOOR "events: [enter, 1]\n", "zones.yaml:4, field events", "\"1\"", "enter, leave"},
    {DOOR "events: dwell\n", "zones.yaml:4, field events", "no dwell", "dwell: 30s"},
    {DOOR "events: [back]\n", "zones.yaml:4, field events", "names back", "absent: 2m"},
    {DOOR "snapshot: 3\n", "zones.yaml:4, field snapshot", "\"3\"", "true, false"},
    {DOOR "snapshot: [entre]\n", "zones.yaml:4, field snapshot", "entre", "did you mean enter?"},
    {DOOR "snapshot: true\n  snapshot: true\n", "zones.yaml:5", "snapshot", ""},
};

static void bad_files_are_told_with_line_and_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        bench b = {.mem = {.tag = "test"}};
        const vg_status st = parse(&b, BAD[i].text);
        if (st == VG_OK)
            fail_msg("case %zu was read:\n%s", i, BAD[i].text);
        /* What the model lacks, not the file. */
        const bool is_lack = strstr(BAD[i].what, "no class") || strstr(BAD[i].what, "makes none");
        assert_int_equal(st, is_lack ? VG_ERR_ARGUMENT : VG_ERR_FORMAT);
        assert_null(b.z);
        if (!strstr(b.err.where, BAD[i].where) || !strstr(b.err.what, BAD[i].what) ||
            !strstr(b.err.mend, BAD[i].mend))
            fail_msg("case %zu:\n%s\n=> %s\n at %s\n try %s", i, BAD[i].text, b.err.what,
                     b.err.where, b.err.mend);
        assert_int_equal(b.mem.in_use_bytes, 0);
    }
}

static void classes_without_names_have_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        vg_status st;
    } cases[] = {{DOOR "classes: [0, 2]\n", VG_OK},
                 {DOOR "classes: person\n", VG_ERR_ARGUMENT},
                 {DOOR "classes: [0, 3]\n", VG_ERR_ARGUMENT}};
    for (size_t i = 0; i < 3; i++) {
        bench b = {.mem = {.tag = "test"}};
        const stream_zones_scene scene = {NULL, 3, false, 1, &TRACKER};
        assert_int_equal(stream_zones_parse(&b.z, cases[i].text, strlen(cases[i].text),
                                            "zones.yaml", &scene, &b.mem, &b.err),
                         cases[i].st);
        if (cases[i].st != VG_OK)
            assert_string_equal(b.err.mend,
                                "this model's classes have no names: use numbers from 0 to 2");
        close_zones(&b);
    }
}

static void lists_have_an_end(void **state)
{
    (void)state;
    static char text[32768];
    bench b = {.mem = {.tag = "test"}};
    size_t n = (size_t)snprintf(text, sizeof text, "zones:\n");
    for (int i = 0; i <= STREAM_MOST_ZONES; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "- {name: z%d, " SQUARE "}\n", i);
    assert_int_equal(parse(&b, text), VG_ERR_FORMAT);
    assert_non_null(strstr(b.err.what, "65 zones"));
    n = (size_t)snprintf(text, sizeof text, "zones:\n- name: a\n  polygon:\n");
    for (int i = 0; i <= STREAM_MOST_ZONE_POINTS; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "  - [%d, %d]\n", i, i * i);
    assert_int_equal(parse(&b, text), VG_ERR_FORMAT);
    assert_non_null(strstr(b.err.what, "more than 64"));
    assert_int_equal(b.mem.in_use_bytes, 0);
}

static void every_failed_allocation_is_an_error_and_no_leak(void **state)
{
    (void)state;
    bench b = {.mem = {.tag = "test"}};
    for (int64_t k = 1;; k++) {
        b.mem.fail_in = k;
        const vg_status st = parse(&b, DOOR "classes: person\n");
        const bool was_reached = b.mem.fail_in == 0;
        b.mem.fail_in = 0;
        assert_int_equal(st, was_reached ? VG_ERR_MEMORY : VG_OK);
        stream_zones_close(&b.z);
        assert_int_equal(b.mem.in_use_bytes, 0);
        if (!was_reached) {
            assert_true(k > 15);
            break;
        }
    }
}

/* By public name or stem; one of several may be wrong; and a zone for all is for all. */
static void a_name_that_is_no_source_s_is_told(void **state)
{
    (void)state;
    bench b;
    stream_source items[] = {{.name = "rtsp://gate/1", .stem = "gate-1"},
                             {.name = "yard", .stem = "yard"}};
    const stream_sources sources = {.items = items, .n = 2};
    open_zones(&b, "zones:\n"
                   " - {name: all, " SQUARE "}\n"
                   " - {name: one, sources: [gate-1, rtsp://gate/1, yrad], " SQUARE "}\n"
                   " - {name: two, sources: rtsp://gate/2, " SQUARE "}\n"
                   " - {name: three, sources: yard, " SQUARE "}\n");
    assert_int_equal(stream_zones_warn(b.z, "zones.yaml", &sources), 2);
    items[1].stem[1] = 'r';
    items[1].stem[2] = 'a';
    assert_int_equal(stream_zones_warn(b.z, "zones.yaml", &sources), 1);
    close_zones(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_file_is_enough),
        cmocka_unit_test(every_key_does_what_it_says),
        cmocka_unit_test(what_is_not_said_is_the_usual),
        cmocka_unit_test(times_are_read_in_every_spelling),
        cmocka_unit_test(zones_tell_what_they_are_asked_for),
        cmocka_unit_test(fractions_and_pixels_are_told_apart),
        cmocka_unit_test(zones_are_for_the_sources_that_they_name),
        cmocka_unit_test(a_name_that_is_no_source_s_is_told),
        cmocka_unit_test(a_channel_that_was_away_keeps_its_totals),
        cmocka_unit_test(others_may_look_on),
        cmocka_unit_test(captions_say_what_there_is),
        cmocka_unit_test(the_example_is_good),
        cmocka_unit_test(bad_files_are_told_with_line_and_remedy),
        cmocka_unit_test(classes_without_names_have_numbers),
        cmocka_unit_test(lists_have_an_end),
        cmocka_unit_test(every_failed_allocation_is_an_error_and_no_leak)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
