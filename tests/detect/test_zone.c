/* test_zone.c: who came, went, stayed and is missing, along paths that the test draws. */
#include "zone_bench.h"

static void one_that_walks_through_comes_and_goes(void **state)
{
    (void)state;
    bench b;
    const detect_zone zones[] = {right_half(), {.xy = LEFT, .n_points = 4, .events = ALL}};
    open_zones(&b, zones, 2);
    int in_at[2] = {-1, -1}, out_at[2] = {-1, -1};
    for (int x = 20; x <= 180; x += 5) {
        one(&b, 7, (float)x);
        for (size_t i = 0; i < b.n; i++) {
            const detect_zone_event *e = &b.events[i];
            assert_int_equal(e->track, 7);
            assert_int_equal(e->class_index, 1);
            assert_true(e->box.x1 == (float)x - 10);
            *(e->kind == VG_STREAM_ENTER ? &in_at[e->zone] : &out_at[e->zone]) = x;
        }
    }
    assert_int_equal(in_at[1], 20);
    assert_int_equal(out_at[1], 85); /* 80 is the border, and inside */
    assert_int_equal(in_at[0], 100);
    assert_int_equal(out_at[0], -1);
    counts_are(&b, 0, 1, 1, 0);
    counts_are(&b, 1, 0, 1, 1);
    close_zones(&b);
}

static bool holds(const detect_zone *z, const vg_detection *box, int w, int h)
{
    return detect_zone_holds(z, &(detect_zone_picture){.boxes = box, .n = 1, .w = w, .h = h}, 0);
}

static void the_anchor_says_what_must_be_inside(void **state)
{
    (void)state;
    /* A band from y 50 to 70 of a picture 100 high. */
    static const float BAND[] = {0, 0.5f, 1, 0.5f, 1, 0.7f, 0, 0.7f};
    const vg_detection stands = {50, 20, 70, 60, 1, 0}, hangs = {50, 45, 70, 80, 1, 0},
                       at_the_edge = {50, 20, 70, 130, 1, 0};
    detect_zone z = {.xy = BAND, .n_points = 4, .is_fraction = true};
    assert_true(holds(&z, &stands, W, H));
    assert_false(holds(&z, &hangs, W, H));
    z.anchor = DETECT_ANCHOR_CENTER;
    assert_false(holds(&z, &stands, W, H));
    assert_true(holds(&z, &hangs, W, H));
    z.anchor = DETECT_ANCHOR_BOX;
    z.overlap = 0.25f;
    assert_true(holds(&z, &stands, W, H)); /* 10 of 40 */
    z.overlap = 0.26f;
    assert_false(holds(&z, &stands, W, H));
    assert_true(holds(&z, &hangs, W, H)); /* 20 of 35 */
    /* Feet below the picture stand at its edge, which belongs to a zone down to there; and so does
     * every border. */
    static const float FLOOR[] = {0, 0.75f, 1, 0.75f, 1, 1, 0, 1};
    for (int h = 4; h < 4000; h += 4) {
        const float at = (float)h * 0.75f;
        const vg_detection tall = {50, 0, 70, (float)h, 1, 0}, on_the_line = {50, 0, 70, at, 1, 0};
        const detect_zone floor_zone = {.xy = FLOOR, .n_points = 4, .is_fraction = true};
        assert_true(holds(&floor_zone, &tall, W, h));
        assert_true(holds(&floor_zone, &on_the_line, W, h));
        assert_true(holds(&floor_zone, &at_the_edge, W, 100));
    }
}

/* A mask of 8 x 8 pixels that is full to the left of its middle, in a grid where the picture lies
 * by half and 10 pixels down. */
static void a_mask_may_say_it_too(void **state)
{
    (void)state;
    static const uint8_t bits[8] = {0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0};
    const vg_mask mask = {W / 2, H / 2 + 20, 40, 20, 8, 8, bits, 1, NULL, 0};
    const vg_detection box = {80, 20, 96, 36, 1, 0};
    detect_zone_picture p = {.boxes = &box,
                             .masks = &mask,
                             .grid = {.left = 0, .top = 10, .step_x = 0.5, .step_y = 0.5},
                             .n = 1,
                             .w = W,
                             .h = H};
    /* To the left of x 84: half of what is full, a quarter of the box. */
    static const float LEFT_OF[] = {0, 0, 84, 0, 84, 100, 0, 100};
    static const float PARTS[] = {0, 0, 0.42f, 0, 0.42f, 1, 0, 1};
    for (int k = 0; k < 2; k++) {
        detect_zone z = {.xy = k ? PARTS : LEFT_OF,
                         .n_points = 4,
                         .is_fraction = k == 1,
                         .anchor = DETECT_ANCHOR_MASK,
                         .overlap = 0.5f};
        assert_true(detect_zone_holds(&z, &p, 0));
        z.overlap = 0.51f;
        assert_false(detect_zone_holds(&z, &p, 0));
        z.anchor = DETECT_ANCHOR_BOX;
        z.overlap = 0.26f;
        assert_false(detect_zone_holds(&z, &p, 0));
    }
    const detect_zone right = {.xy = (const float[]){88, 0, 200, 0, 200, 100, 88, 100},
                               .n_points = 4,
                               .anchor = DETECT_ANCHOR_MASK,
                               .overlap = 0.01f};
    assert_false(detect_zone_holds(&right, &p, 0)); /* where the box is, and nothing is full */
    const detect_zone all = {.xy = (const float[]){0, 0, 200, 0, 200, 100, 0, 100},
                             .n_points = 4,
                             .anchor = DETECT_ANCHOR_MASK,
                             .overlap = 1};
    assert_true(detect_zone_holds(&all, &p, 0));
    p.masks = &(const vg_mask){.grid_width = W / 2, .grid_height = H / 2};
    assert_false(detect_zone_holds(&all, &p, 0)); /* an empty mask */
    p.masks = NULL;
    assert_false(detect_zone_holds(&all, &p, 0));
}

static void a_zone_takes_the_debounce_to_believe(void **state)
{
    (void)state;
    static const struct {
        double s;
        int frames, believed_at; /* the frame from 1 */
    } cases[] = {{0, 0, 1}, {0, 1, 1}, {0, 3, 3}, {0.25, 0, 4}, {0.25, 6, 6}, {0.5, 3, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench b;
        detect_zone zone = right_half();
        zone.debounce_s = cases[i].s;
        zone.debounce_frames = cases[i].frames;
        open_zones(&b, &zone, 1);
        for (int k = 0; k < 20; k++)
            assert_int_equal(one(&b, 1, 50), 0);
        for (int k = 1; k <= 20; k++)
            assert_int_equal(one(&b, 1, 150), k == cases[i].believed_at);
        for (int k = 1; k <= 20; k++) {
            assert_int_equal(one(&b, 1, 50), k == cases[i].believed_at);
            if (b.n == 1) /* from the first sight inside to the last, whatever debounce is */
                expect(&b, 0, VG_STREAM_LEAVE, 1, 1.9);
        }
        close_zones(&b);
    }
}

static void what_flickers_at_the_border_is_not_counted(void **state)
{
    (void)state;
    bench b;
    detect_zone zone = right_half();
    zone.debounce_frames = 3;
    open_zones(&b, &zone, 1);
    for (int k = 0; k < 100; k++)
        assert_int_equal(one(&b, 1, k % 3 ? 101 : 99), 0);
    for (int k = 0; k < 3; k++)
        one(&b, 1, 101);
    counts_are(&b, 0, 1, 1, 0);
    for (int k = 0; k < 100; k++)
        assert_int_equal(one(&b, 1, k % 3 ? 99 : 101), 0);
    counts_are(&b, 0, 1, 1, 0);
    close_zones(&b);
}

static void class_and_score_decide_who_comes_in_and_place_who_goes(void **state)
{
    (void)state;
    bench b;
    detect_zone zone = right_half();
    const uint8_t classes[N_CLASSES] = {0, 1, 0};
    const int64_t id = 4;
    zone.classes = classes;
    zone.min_score = 0.5f;
    open_zones(&b, &zone, 1);
    vg_detection box = standing(150, 2, 0.9f);
    assert_int_equal(step(&b, &box, &id, 1), 0); /* not the class */
    box = standing(150, 1, 0.4f);
    assert_int_equal(step(&b, &box, &id, 1), 0); /* too weak */
    box = standing(150, 1, 0.5f);
    assert_int_equal(step(&b, &box, &id, 1), 1);
    expect(&b, 0, VG_STREAM_ENTER, 4, 0);
    box = standing(150, 2, 0.1f);
    assert_int_equal(step(&b, &box, &id, 1), 0); /* still there */
    box = standing(50, 2, 0.1f);
    assert_int_equal(step(&b, &box, &id, 1), 1);
    expect(&b, 0, VG_STREAM_LEAVE, 4, 0.1);
    assert_int_equal(b.events[0].class_index, 1); /* as it came in */
    assert_false(b.events[0].is_lost);
    close_zones(&b);
}

static void counts_are_kept_by_class(void **state)
{
    (void)state;
    bench b;
    const detect_zone zone = right_half();
    open_zones(&b, &zone, 1);
    const vg_detection boxes[] = {standing(150, 0, 0.9f), standing(160, 0, 0.9f),
                                  standing(170, 2, 0.9f)};
    const int64_t ids[] = {11, 12, 13};
    assert_int_equal(step(&b, boxes, ids, 3), 3);
    assert_int_equal(b.events[1].inside, 2);
    assert_int_equal(b.events[1].n_in, 2);
    assert_int_equal(b.events[2].inside, 1);
    assert_int_equal(b.events[2].n_in, 1);
    counts_are(&b, 0, 3, 3, 0);
    const vg_detection left = standing(50, 0, 0.9f);
    assert_int_equal(step(&b, &left, &ids[0], 1), 1);
    assert_int_equal(b.events[0].inside, 1);
    assert_int_equal(b.events[0].n_in, 2);
    assert_int_equal(b.events[0].n_out, 1);
    close_zones(&b);
}

static void who_stays_too_long_is_told_once(void **state)
{
    (void)state;
    bench b;
    detect_zone zone = right_half();
    zone.dwell_s = 1;
    zone.debounce_frames = 3;
    open_zones(&b, &zone, 1);
    int told = 0;
    for (int k = 1; k <= 40; k++) {
        one(&b, 1, 150);
        if (k == 3) {
            expect(&b, 0, VG_STREAM_ENTER, 1, 0.2);
        } else if (b.n == 1) {
            expect(&b, 0, VG_STREAM_DWELL, 1, 1); /* since the first sight */
            assert_int_equal(k, 11);
            told++;
        }
    }
    assert_int_equal(told, 1);
    for (int k = 0; k < 3; k++)
        one(&b, 1, 50);
    expect(&b, 0, VG_STREAM_LEAVE, 1, 3.9);
    told = 0; /* one that comes again begins anew */
    for (int k = 0; k < 20; k++) {
        one(&b, 1, 150);
        told += b.n == 1 && b.events[0].kind == VG_STREAM_DWELL;
    }
    assert_int_equal(told, 1);
    close_zones(&b);
}

static void one_that_vanishes_inside_leaves_when_the_tracker_forgets(void **state)
{
    (void)state;
    bench b;
    const detect_zone zone = right_half();
    open_zones(&b, &zone, 1);
    for (int k = 0; k < 10; k++)
        one(&b, 1, 150);
    /* Hidden for as long as the tracker remembers: nothing happens. */
    for (int k = 0; k < FORGET; k++)
        assert_int_equal(step(&b, NULL, NULL, 0), 0);
    assert_int_equal(one(&b, 1, 150), 0);
    counts_are(&b, 0, 1, 1, 0);
    for (int k = 0; k <= FORGET; k++)
        assert_int_equal(step(&b, NULL, NULL, 0), 0);
    assert_int_equal(step(&b, NULL, NULL, 0), 1);
    expect(&b, 0, VG_STREAM_LEAVE, 1, 1.5); /* until it was last seen */
    assert_true(b.events[0].is_lost);
    counts_are(&b, 0, 0, 1, 1);
    close_zones(&b);
}

static void an_interruption_ends_stays_but_not_totals(void **state)
{
    (void)state;
    bench b;
    detect_zone zone = right_half();
    zone.absent_s = 2;
    open_zones(&b, &zone, 1);
    for (int k = 0; k < 10; k++)
        one(&b, 1, 150);
    detect_zones_interrupt(b.z);
    b.ms += 3600 * 1000; /* away for an hour: nothing was missing, for nobody looked */
    one(&b, 2, 150);
    assert_int_equal(b.n, 2);
    expect(&b, 0, VG_STREAM_LEAVE, 1, 0.9);
    assert_true(b.events[0].is_lost);
    expect(&b, 1, VG_STREAM_ENTER, 2, 0);
    counts_are(&b, 0, 1, 2, 1);
    detect_zones_reset(b.z);
    counts_are(&b, 0, 0, 0, 0);
    one(&b, 1, 150);
    assert_int_equal(b.n, 1);
    counts_are(&b, 0, 1, 1, 0);
    close_zones(&b);
}

static void nothing_is_missed_while_nobody_looks(void **state)
{
    (void)state;
    bench b;
    detect_zone zone = right_half();
    zone.absent_s = 2;
    open_zones(&b, &zone, 1);
    for (int k = 0; k < 15; k++)
        assert_int_equal(step(&b, NULL, NULL, 0), 0);
    detect_zones_interrupt(b.z);
    b.ms += 3600 * 1000;
    for (int k = 0; k <= 20; k++)
        assert_int_equal(step(&b, NULL, NULL, 0), k == 20);
    expect(&b, 0, VG_STREAM_ABSENT, 0, 2);
    detect_zones_interrupt(b.z); /* what was missing already is not told again, and */
    b.ms += 3600 * 1000;
    for (int k = 0; k <= 30; k++)
        assert_int_equal(step(&b, NULL, NULL, 0), 0);
    const vg_detection box = standing(150, 0, 0.9f);
    assert_int_equal(step(&b, &box, NULL, 1), 1); /* has been missing all the while */
    expect(&b, 0, VG_STREAM_BACK, 0, 3600 + 5.2);
    close_zones(&b);
}

static void an_id_counts_once_a_frame(void **state)
{
    (void)state;
    bench b;
    detect_zone zone = right_half();
    zone.debounce_frames = 2;
    open_zones(&b, &zone, 1);
    const vg_detection twice[] = {standing(150, 0, 0.9f), standing(150, 0, 0.9f)};
    const int64_t ids[] = {5, 5};
    assert_int_equal(step(&b, twice, ids, 2), 0);
    assert_int_equal(step(&b, twice, ids, 2), 1);
    close_zones(&b);
}

static void what_should_be_there_is_missed_without_tracks(void **state)
{
    (void)state;
    bench b;
    detect_zone zone = right_half();
    const uint8_t classes[N_CLASSES] = {1, 0, 1};
    zone.classes = classes;
    zone.absent_s = 2;
    zone.debounce_frames = 2;
    open_zones(&b, &zone, 1);
    const vg_detection both[] = {standing(150, 0, 0.9f), standing(160, 2, 0.9f)};
    const vg_detection elsewhere = standing(50, 2, 0.9f);
    for (int k = 0; k < 50; k++)
        assert_int_equal(step(&b, both, NULL, 2), 0);
    /* The second is taken out of the zone; a wrong sight of a single frame does not count. */
    for (int k = 1; k <= 30; k++) {
        const vg_detection now[] = {both[0], k == 10 ? both[1] : elsewhere};
        step(&b, now, NULL, 2);
        assert_int_equal(b.n, k == 20);
        if (k == 20) {
            expect(&b, 0, VG_STREAM_ABSENT, 0, 2);
            assert_int_equal(b.events[0].class_index, 2);
            assert_int_equal(b.events[0].inside, 0);
        }
    }
    detect_zone_counts c;
    detect_zones_get(&c, b.z, 0);
    assert_true(c.is_absent && c.n_seen == 1 && c.inside == 0);
    assert_int_equal(step(&b, both, NULL, 2), 0);
    assert_int_equal(step(&b, both, NULL, 2), 1);
    expect(&b, 0, VG_STREAM_BACK, 0, 3.1);
    assert_int_equal(b.events[0].class_index, 2);
    assert_int_equal(b.events[0].inside, 1);
    for (int k = 0; k < 50; k++)
        assert_int_equal(step(&b, both, NULL, 2), 0);
    close_zones(&b);
}

static void absence_begins_with_the_first_frame_and_for_any_class(void **state)
{
    (void)state;
    bench b;
    detect_zone zone = right_half();
    zone.absent_s = 1;
    zone.events = 1u << VG_STREAM_ABSENT;
    open_zones(&b, &zone, 1);
    b.ms = 1000000000;
    for (int k = 0; k <= 20; k++) {
        step(&b, NULL, NULL, 0);
        assert_int_equal(b.n, k == 10);
    }
    const vg_detection any = standing(150, 2, 0.1f);
    assert_int_equal(step(&b, &any, NULL, 1), 0); /* back, which was not asked for */
    for (int k = 1; k <= 10; k++)
        assert_int_equal(step(&b, NULL, NULL, 0), k == 10);
    expect(&b, 0, VG_STREAM_ABSENT, 0, 1);
    assert_int_equal(b.events[0].class_index, -1);
    close_zones(&b);
}

static void a_time_that_goes_back_goes_on_from_there(void **state)
{
    (void)state;
    bench b;
    detect_zone zone = right_half();
    zone.dwell_s = 1;
    zone.events = 1u << VG_STREAM_DWELL;
    open_zones(&b, &zone, 1);
    b.ms = 500000;
    for (int k = 0; k < 6; k++) /* 0.5 s */
        assert_int_equal(one(&b, 1, 150), 0);
    b.ms = 0;                   /* the next file of a folder */
    for (int k = 0; k < 5; k++) /* the first frame takes no time */
        assert_int_equal(one(&b, 1, 150), 0);
    assert_int_equal(one(&b, 1, 150), 1);
    expect(&b, 0, VG_STREAM_DWELL, 1, 1);
    close_zones(&b);
    open_zones(&b, &zone, 1);
    const vg_detection box = standing(150, 1, 0.9f);
    const int64_t id = 1, ends[] = {INT64_MIN, INT64_MAX, INT64_MIN, 0, INT64_MAX};
    for (size_t i = 0; i < 5; i++)
        detect_zones_step(
            b.z, b.events, NULL,
            &(detect_zone_picture){
                .boxes = &box, .ids = &id, .n = 1, .w = W, .h = H, .time_ns = ends[i]});
    close_zones(&b);
}

static void events_that_find_no_room_come_with_the_next_frame(void **state)
{
    (void)state;
    bench b;
    const detect_zone zones[] = {right_half(), right_half(), right_half()};
    open_zones(&b, zones, 3);
    vg_detection boxes[MOST_TRACKS];
    int64_t ids[MOST_TRACKS];
    int told[2][3][MOST_TRACKS] = {0};
    for (int i = 0; i < MOST_TRACKS; i++) {
        boxes[i] = standing(110 + 10 * (float)i, 0, 0.9f);
        ids[i] = 100 - i; /* any order */
    }
    /* 24 events to come, 16 fit. */
    for (int k = 0; k < 4 + 2 * FORGET; k++) {
        step(&b, boxes, ids, k < 3 ? MOST_TRACKS : 0);
        assert_true(b.n <= MOST_EVENTS);
        if (k < 3)
            assert_int_equal(b.n, k == 0 ? 16 : k == 1 ? 8 : 0);
        for (size_t i = 0; i < b.n; i++)
            told[b.events[i].kind == VG_STREAM_LEAVE][b.events[i].zone][100 - b.events[i].track]++;
    }
    for (int kind = 0; kind < 2; kind++)
        for (int zone = 0; zone < 3; zone++)
            for (int i = 0; i < MOST_TRACKS; i++)
                assert_int_equal(told[kind][zone][i], 1);
    for (int zone = 0; zone < 3; zone++)
        counts_are(&b, zone, 0, MOST_TRACKS, MOST_TRACKS);
    close_zones(&b);
}

static void one_track_too_many_ends_the_one_unseen_longest(void **state)
{
    (void)state;
    bench b;
    const detect_zone zone = right_half();
    open_zones(&b, &zone, 1);
    vg_detection boxes[MOST_TRACKS + 1];
    int64_t ids[MOST_TRACKS + 1];
    for (int i = 0; i <= MOST_TRACKS; i++) {
        boxes[i] = standing(110 + 10 * (float)i, 0, 0.9f);
        ids[i] = i + 1;
    }
    step(&b, boxes, ids, MOST_TRACKS + 1);
    assert_int_equal(b.n, MOST_TRACKS);
    step(&b, boxes + 2, ids + 2, MOST_TRACKS - 2); /* 1 and 2 are not seen */
    step(&b, boxes + 1, ids + 1, MOST_TRACKS - 1); /* 1 is not seen for longest */
    assert_int_equal(step(&b, boxes + 1, ids + 1, MOST_TRACKS), 2);
    expect(&b, 0, VG_STREAM_LEAVE, 1, 0);
    assert_true(b.events[0].is_lost);
    expect(&b, 1, VG_STREAM_ENTER, MOST_TRACKS + 1, 0);
    counts_are(&b, 0, MOST_TRACKS, MOST_TRACKS + 1, 1);
    close_zones(&b);
}

static void boxes_of_any_number_do_no_harm(void **state)
{
    (void)state;
    static const float VALUES[] = {-1e30f, -5, 0, 80, 150, 1e30f, INFINITY, NAN};
    enum { N = sizeof VALUES / sizeof *VALUES };
    static const detect_anchor ANCHORS[] = {DETECT_ANCHOR_BOTTOM, DETECT_ANCHOR_CENTER,
                                            DETECT_ANCHOR_BOX};
    bench b;
    detect_zone zones[3];
    for (int i = 0; i < 3; i++) {
        zones[i] = right_half();
        zones[i].anchor = ANCHORS[i];
    }
    open_zones(&b, zones, 3);
    int64_t id = 0;
    for (size_t i = 0; i < N * N * N * N; i++) {
        const vg_detection box = {VALUES[i % N],         VALUES[i / N % N], VALUES[i / N / N % N],
                                  VALUES[i / N / N / N], VALUES[i % N],     (int)(i % 7) - 2};
        id++;
        const int64_t twice[] = {id, id};
        step(&b, (const vg_detection[]){box, box}, twice, 2);
    }
    detect_zone_counts c;
    for (int zone = 0; zone < 3; zone++) {
        detect_zones_get(&c, b.z, zone);
        assert_int_equal(c.inside, c.n_in - c.n_out);
        assert_in_range(c.inside, 0, MOST_TRACKS);
    }
    close_zones(&b);
}

/* Random walks with ids that end and begin: whatever comes, each stay is told from its enter to its
 * leave, and inside is what the events say. */
static void events_and_counts_agree_along_random_walks(void **state)
{
    (void)state;
    enum { N = 6, FRAMES = 20000 };
    bench b;
    detect_zone zones[] = {right_half(), {.xy = LEFT, .n_points = 4, .events = ALL}};
    zones[0].debounce_frames = 2;
    zones[1].debounce_s = 0.3;
    zones[1].dwell_s = 1;
    open_zones(&b, zones, 2);
    test_random r = {.state = 5};
    float x[N];
    int64_t id[N], next = 1, inside[2] = {0}, entered = 0;
    bool is_in[2][FRAMES + N] = {0}, has_dwelt[FRAMES + N] = {0};
    for (int i = 0; i < N; i++) {
        x[i] = random_float(&r, 0, W);
        id[i] = next++;
    }
    for (int f = 0; f < FRAMES; f++) {
        vg_detection boxes[N];
        int64_t ids[N];
        size_t n = 0;
        for (int i = 0; i < N; i++) {
            x[i] = fminf(fmaxf(x[i] + random_float(&r, -12, 12), 0), W);
            if (random_u64(&r) % 100 == 0) /* its id ends, another begins */
                id[i] = next++;
            if (random_u64(&r) % 5 == 0)
                continue; /* unseen */
            boxes[n] = standing(x[i], (int)(random_u64(&r) % N_CLASSES), 0.9f);
            ids[n++] = id[i];
        }
        step(&b, boxes, ids, n);
        for (size_t i = 0; i < b.n; i++) {
            const detect_zone_event *e = &b.events[i];
            bool *was_in = &is_in[e->zone][e->track];
            if (e->kind == VG_STREAM_DWELL) {
                assert_true(*was_in && e->zone == 1 && !has_dwelt[e->track]);
                assert_true(e->seconds >= 1);
                has_dwelt[e->track] = true;
                continue;
            }
            assert_int_equal(*was_in, e->kind == VG_STREAM_LEAVE);
            *was_in = !*was_in;
            inside[e->zone] += *was_in ? 1 : -1;
            entered += *was_in;
            if (e->zone == 1 && !*was_in) {
                assert_true(has_dwelt[e->track] == (e->seconds >= 1));
                has_dwelt[e->track] = false;
            }
        }
        for (int zone = 0; zone < 2; zone++) {
            detect_zone_counts c;
            detect_zones_get(&c, b.z, zone);
            assert_int_equal(c.inside, inside[zone]);
            assert_int_equal(c.inside, c.n_in - c.n_out);
        }
    }
    assert_true(entered > 1000);
    close_zones(&b);
}

static void every_failed_allocation_is_an_error_and_no_leak(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    vg_error err;
    const detect_zone zone = right_half();
    detect_zones_options o = {.zones = &zone,
                              .n_zones = 1,
                              .n_classes = N_CLASSES,
                              .most_tracks = MOST_TRACKS,
                              .most_events = MOST_EVENTS};
    detect_zones *z;
    for (int64_t k = 1;; k++) {
        mem.fail_in = k;
        const vg_status st = detect_zones_create(&z, &o, &mem, &err);
        const bool was_reached = mem.fail_in == 0;
        mem.fail_in = 0;
        assert_int_equal(st, was_reached ? VG_ERR_MEMORY : VG_OK);
        detect_zones_destroy(&z);
        assert_int_equal(mem.in_use_bytes, 0);
        if (!was_reached) {
            assert_true(k > 5);
            break;
        }
    }
    o.most_tracks = 0;
    assert_int_equal(detect_zones_create(&z, &o, &mem, &err), VG_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_walks_through_comes_and_goes),
        cmocka_unit_test(the_anchor_says_what_must_be_inside),
        cmocka_unit_test(a_mask_may_say_it_too),
        cmocka_unit_test(a_zone_takes_the_debounce_to_believe),
        cmocka_unit_test(what_flickers_at_the_border_is_not_counted),
        cmocka_unit_test(class_and_score_decide_who_comes_in_and_place_who_goes),
        cmocka_unit_test(counts_are_kept_by_class),
        cmocka_unit_test(who_stays_too_long_is_told_once),
        cmocka_unit_test(one_that_vanishes_inside_leaves_when_the_tracker_forgets),
        cmocka_unit_test(an_interruption_ends_stays_but_not_totals),
        cmocka_unit_test(nothing_is_missed_while_nobody_looks),
        cmocka_unit_test(an_id_counts_once_a_frame),
        cmocka_unit_test(what_should_be_there_is_missed_without_tracks),
        cmocka_unit_test(absence_begins_with_the_first_frame_and_for_any_class),
        cmocka_unit_test(a_time_that_goes_back_goes_on_from_there),
        cmocka_unit_test(events_that_find_no_room_come_with_the_next_frame),
        cmocka_unit_test(one_track_too_many_ends_the_one_unseen_longest),
        cmocka_unit_test(boxes_of_any_number_do_no_harm),
        cmocka_unit_test(events_and_counts_agree_along_random_walks),
        cmocka_unit_test(every_failed_allocation_is_an_error_and_no_leak)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
