/* zone.c: a table of tracks by id, and for each of them a stay in every zone.
 *
 * What changes a state and is to be told needs room for its event; without room the state stays,
 * the reason stays, too, and the next step finds both. */
#include "zone.h"

#include <math.h>
#include <string.h>

/* Hysteresis: since when, and for how many frames, what is seen differs from what is counted. */
typedef struct turn {
    int64_t since_ns;
    int n_frames;
} turn;

/* A track's, in a zone. */
typedef struct stay {
    turn turn;
    bool is_inside, has_dwelt;
    int class_index;           /* when it came in */
    int64_t from_ns, until_ns; /* first and newest sight inside */
} stay;

typedef struct slot {
    int64_t id, seen; /* seen: step; 0: a free place */
    vg_detection box;
} slot;

typedef struct place {
    int64_t id;
    int slot;
} place;

typedef struct tally {
    int64_t inside, n_in, n_out;
    int n_seen; /* boxes of this step */
} tally;

typedef struct absence {
    int class_index; /* -1: any */
    turn turn;
    int64_t last_ns; /* there for certain; INT64_MIN: the clock has not begun */
    bool is_absent;
} absence;

struct detect_zones {
    detect_zones_options o;
    slot *slots;        /* (most_tracks) */
    stay *stays;        /* (most_tracks, n_zones) */
    place *places;      /* (most_tracks) by id */
    int *free_slots;    /* (most_tracks) a stack */
    tally *tallies;     /* (n_zones, n_classes) */
    absence *absences;  /* (n_absences) */
    int *first_absence; /* (n_zones + 1) into absences */
    int n_tracks;
    int64_t step, interrupted; /* interrupted: tracks seen at that step or before are to end */
    bool has_begun;
    int64_t raw_ns, now_ns; /* as given, and never going back */
    /* of the step that runs */
    detect_zone_event *out;
    size_t n_out;
};

/* ---- geometry ---- */

static bool holds_mask(const detect_zone *z, const detect_zone_picture *p, size_t i)
{
    detect_polygon_place at = p->grid;
    if (p->masks == NULL)
        return false;
    at.step_x *= z->is_fraction ? p->w : 1;
    at.step_y *= z->is_fraction ? p->h : 1;
    const double share = detect_polygon_mask_share(z->xy, (size_t)z->n_points, &at, &p->masks[i]);
    return share >= (double)z->overlap;
}

bool detect_zone_holds(const detect_zone *z, const detect_zone_picture *p, size_t i)
{
    const vg_detection *box = &p->boxes[i];
    const int w = p->w, h = p->h;
    if (z->anchor == DETECT_ANCHOR_MASK)
        return holds_mask(z, p, i);
    const double sx = z->is_fraction ? 1.0 / w : 1, sy = z->is_fraction ? 1.0 / h : 1;
    const double x1 = fmin(fmax((double)box->x1, 0), w), x2 = fmin(fmax((double)box->x2, 0), w);
    const double y1 = fmin(fmax((double)box->y1, 0), h), y2 = fmin(fmax((double)box->y2, 0), h);
    const size_t n = (size_t)z->n_points;
    if (!(x1 <= x2 && y1 <= y2))
        return false;
    if (z->anchor == DETECT_ANCHOR_BOX) {
        const vg_detection b = {.x1 = (float)(x1 * sx),
                                .y1 = (float)(y1 * sy),
                                .x2 = (float)(x2 * sx),
                                .y2 = (float)(y2 * sy)};
        return detect_polygon_share(z->xy, n, &b) >= (double)z->overlap;
    }
    const double x = (x1 + x2) / 2, y = z->anchor == DETECT_ANCHOR_CENTER ? (y1 + y2) / 2 : y2;
    /* Divided: times 1 / h falls just short of some edges that y / h is on. */
    return detect_polygon_holds(z->xy, n, z->is_fraction ? x / w : x, z->is_fraction ? y / h : y);
}

static bool is_a_box(const vg_detection *b)
{
    return isfinite(b->x1) && isfinite(b->y1) && isfinite(b->x2) && isfinite(b->y2) &&
           b->x1 <= b->x2 && b->y1 <= b->y2;
}

static bool is_asked_for(const detect_zones *z, const detect_zone *zone, const vg_detection *b)
{
    return b->confidence >= zone->min_score && b->class_index >= 0 &&
           b->class_index < z->o.n_classes &&
           (zone->classes == NULL || zone->classes[b->class_index]);
}

/* ---- create ---- */

static int n_absences_of(const detect_zones_options *o, const detect_zone *zone)
{
    int n = 0;
    if (!(zone->absent_s > 0))
        return 0;
    for (int c = 0; zone->classes != NULL && c < o->n_classes; c++)
        n += zone->classes[c] != 0;
    return zone->classes == NULL ? 1 : n;
}

static vg_status make_absences(detect_zones *z, base_mem *mem, vg_error *err)
{
    const detect_zones_options *o = &z->o;
    int n = 0;
    for (int i = 0; i < o->n_zones; i++)
        n += n_absences_of(o, &o->zones[i]);
    z->absences = base_alloc_zero(mem, (size_t)n, sizeof *z->absences, err);
    z->first_absence = base_alloc_zero(mem, (size_t)o->n_zones + 1, sizeof *z->first_absence, err);
    if (z->absences == NULL || z->first_absence == NULL)
        return VG_ERR_MEMORY;
    int at = 0;
    for (int i = 0; i < o->n_zones; i++) {
        const detect_zone *zone = &o->zones[i];
        z->first_absence[i] = at;
        if (zone->absent_s > 0 && zone->classes == NULL)
            z->absences[at++].class_index = -1;
        for (int c = 0; zone->absent_s > 0 && zone->classes != NULL && c < o->n_classes; c++)
            if (zone->classes[c])
                z->absences[at++].class_index = c;
    }
    z->first_absence[o->n_zones] = at;
    return VG_OK;
}

vg_status detect_zones_create(detect_zones **out, const detect_zones_options *o, base_mem *mem,
                              vg_error *err)
{
    *out = NULL;
    if (o->n_zones < 1 || o->n_classes < 1 || o->most_tracks < 1 || o->forget < 0 ||
        o->most_events < 1)
        return base_fail(err, VG_ERR_ARGUMENT, "zones", "give at least 1 of each",
                         "bounds of %d zones, %d classes, %d tracks, %d frames, %d events",
                         o->n_zones, o->n_classes, o->most_tracks, o->forget, o->most_events);
    detect_zones *z = base_alloc_zero(mem, 1, sizeof *z, err);
    if (z == NULL)
        return VG_ERR_MEMORY;
    const size_t n = (size_t)o->most_tracks, n_zones = (size_t)o->n_zones;
    z->o = *o;
    vg_status st = VG_ERR_MEMORY;
    if ((z->slots = base_alloc_zero(mem, n, sizeof *z->slots, err)) != NULL &&
        (z->stays = base_alloc_zero(mem, n, n_zones * sizeof *z->stays, err)) != NULL &&
        (z->places = base_alloc_zero(mem, n, sizeof *z->places, err)) != NULL &&
        (z->free_slots = base_alloc_zero(mem, n, sizeof *z->free_slots, err)) != NULL &&
        (z->tallies =
             base_alloc_zero(mem, n_zones, (size_t)o->n_classes * sizeof *z->tallies, err)) != NULL)
        st = make_absences(z, mem, err);
    if (st != VG_OK) {
        detect_zones_destroy(&z);
        return st;
    }
    detect_zones_reset(z);
    *out = z;
    return VG_OK;
}

void detect_zones_destroy(detect_zones **zones)
{
    detect_zones *z = *zones;
    if (z == NULL)
        return;
    base_free(z->slots);
    base_free(z->stays);
    base_free(z->places);
    base_free(z->free_slots);
    base_free(z->tallies);
    base_free(z->absences);
    base_free(z->first_absence);
    base_free(z);
    *zones = NULL;
}

void detect_zones_reset(detect_zones *z)
{
    const size_t n = (size_t)z->o.most_tracks;
    memset(z->slots, 0, n * sizeof *z->slots);
    memset(z->tallies, 0, (size_t)z->o.n_zones * (size_t)z->o.n_classes * sizeof *z->tallies);
    for (size_t i = 0; i < n; i++)
        z->free_slots[i] = (int)(n - 1 - i);
    for (int i = 0; i < z->first_absence[z->o.n_zones]; i++)
        z->absences[i] = (absence){.class_index = z->absences[i].class_index, .last_ns = INT64_MIN};
    z->n_tracks = 0;
    z->step = z->interrupted = 0;
    z->has_begun = false;
    z->raw_ns = z->now_ns = 0;
}

void detect_zones_interrupt(detect_zones *z)
{
    z->interrupted = z->step;
    for (int i = 0; i < z->first_absence[z->o.n_zones]; i++) {
        z->absences[i].turn = (turn){0};
        if (!z->absences[i].is_absent)
            z->absences[i].last_ns = INT64_MIN;
    }
}

/* ---- events ---- */

static bool has_room(const detect_zones *z, int zone, vg_stream_event_kind kind)
{
    const bool is_told = z->o.zones[zone].events >> kind & 1;
    return !is_told || z->n_out < (size_t)z->o.most_events;
}

static double seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

static int64_t nanoseconds(double s)
{
    return s < 9e9 ? (int64_t)(s * 1e9) : INT64_MAX;
}

/* Fills in the counts. After has_room. */
static void tell(detect_zones *z, detect_zone_event e)
{
    if (!(z->o.zones[e.zone].events >> e.kind & 1))
        return;
    const bool is_of_boxes = e.kind == VG_STREAM_ABSENT || e.kind == VG_STREAM_BACK;
    for (int c = 0; c < z->o.n_classes; c++) {
        const tally *t = &z->tallies[(size_t)e.zone * (size_t)z->o.n_classes + (size_t)c];
        if (e.class_index >= 0 && c != e.class_index)
            continue;
        e.inside += is_of_boxes ? t->n_seen : t->inside;
        e.n_in += t->n_in;
        e.n_out += t->n_out;
    }
    z->out[z->n_out++] = e;
}

static tally *tally_of(detect_zones *z, int zone, int class_index)
{
    return &z->tallies[(size_t)zone * (size_t)z->o.n_classes + (size_t)class_index];
}

/* ---- hysteresis ---- */

/* True when what is seen has differed for long enough to be believed. */
static bool turn_see(turn *t, bool differs, const detect_zone *zone, int64_t now_ns)
{
    if (!differs) {
        t->n_frames = 0;
        return false;
    }
    if (t->n_frames == 0)
        t->since_ns = now_ns;
    if (t->n_frames < INT32_MAX)
        t->n_frames++;
    return t->n_frames >= zone->debounce_frames &&
           now_ns - t->since_ns >= nanoseconds(zone->debounce_s);
}

/* ---- tracks in zones ---- */

static void come_in(detect_zones *z, int zone, stay *s, const slot *k)
{
    if (!has_room(z, zone, VG_STREAM_ENTER))
        return;
    tally *t = tally_of(z, zone, k->box.class_index);
    *s = (stay){.is_inside = true,
                .class_index = k->box.class_index,
                .from_ns = s->turn.since_ns,
                .until_ns = z->now_ns};
    t->inside++;
    t->n_in++;
    tell(z, (detect_zone_event){.kind = VG_STREAM_ENTER,
                                .zone = zone,
                                .class_index = s->class_index,
                                .track = k->id,
                                .seconds = seconds(s->until_ns - s->from_ns),
                                .box = k->box});
}

/* False: no room. */
static bool go_out(detect_zones *z, int zone, stay *s, const slot *k, bool is_lost)
{
    if (!has_room(z, zone, VG_STREAM_LEAVE))
        return false;
    tally *t = tally_of(z, zone, s->class_index);
    t->inside--;
    t->n_out++;
    tell(z, (detect_zone_event){.kind = VG_STREAM_LEAVE,
                                .zone = zone,
                                .class_index = s->class_index,
                                .track = k->id,
                                .is_lost = is_lost,
                                .seconds = seconds(s->until_ns - s->from_ns),
                                .box = k->box});
    *s = (stay){0};
    return true;
}

static void dwell(detect_zones *z, int zone, stay *s, const slot *k)
{
    const double dwell_s = z->o.zones[zone].dwell_s;
    if (!(dwell_s > 0) || s->has_dwelt || s->until_ns - s->from_ns < nanoseconds(dwell_s) ||
        !has_room(z, zone, VG_STREAM_DWELL))
        return;
    s->has_dwelt = true;
    tell(z, (detect_zone_event){.kind = VG_STREAM_DWELL,
                                .zone = zone,
                                .class_index = s->class_index,
                                .track = k->id,
                                .seconds = seconds(s->until_ns - s->from_ns),
                                .box = k->box});
}

static void see_track(detect_zones *z, int zone, stay *s, const slot *k, bool is_there)
{
    const detect_zone *asked = &z->o.zones[zone];
    const bool is_in = is_there && (s->is_inside || is_asked_for(z, asked, &k->box));
    const bool has_turned = turn_see(&s->turn, is_in != s->is_inside, asked, z->now_ns);
    if (is_in && s->is_inside)
        s->until_ns = z->now_ns;
    if (has_turned && s->is_inside)
        go_out(z, zone, s, k, false);
    else if (has_turned)
        come_in(z, zone, s, k);
    if (s->is_inside)
        dwell(z, zone, s, k);
}

/* ---- the table of tracks ---- */

/* Where the id is, or would be. */
static int find(const detect_zones *z, int64_t id)
{
    int low = 0, high = z->n_tracks;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (z->places[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Leaves all zones as lost. False: some event found no room; the rest is for the next step. */
static bool end_track(detect_zones *z, int at)
{
    const int i = z->places[at].slot;
    stay *stays = &z->stays[(size_t)i * (size_t)z->o.n_zones];
    for (int zone = 0; zone < z->o.n_zones; zone++)
        if (stays[zone].is_inside && !go_out(z, zone, &stays[zone], &z->slots[i], true))
            return false;
    z->slots[i].seen = 0;
    z->free_slots[z->o.most_tracks - z->n_tracks] = i;
    z->n_tracks--;
    memmove(&z->places[at], &z->places[at + 1], (size_t)(z->n_tracks - at) * sizeof *z->places);
    return true;
}

/* A track that was not seen in the last `forget` frames may still come back in this one. */
static void end_lost(detect_zones *z)
{
    for (int at = 0; at < z->n_tracks;) {
        const int64_t seen = z->slots[z->places[at].slot].seen;
        if ((seen > z->interrupted && z->step - seen <= (int64_t)z->o.forget + 1) ||
            !end_track(z, at))
            at++;
    }
}

static bool make_room(detect_zones *z)
{
    int oldest = 0;
    if (z->n_tracks < z->o.most_tracks)
        return true;
    for (int at = 1; at < z->n_tracks; at++)
        if (z->slots[z->places[at].slot].seen < z->slots[z->places[oldest].slot].seen)
            oldest = at;
    return z->slots[z->places[oldest].slot].seen < z->step && end_track(z, oldest);
}

/* NULL: no room, or the id was seen in this frame already. */
static slot *slot_for(detect_zones *z, int64_t id)
{
    int at = find(z, id);
    if (at == z->n_tracks || z->places[at].id != id) {
        if (!make_room(z))
            return NULL;
        at = find(z, id); /* making room moves places */
        memmove(&z->places[at + 1], &z->places[at], (size_t)(z->n_tracks - at) * sizeof *z->places);
        z->n_tracks++;
        const int i = z->free_slots[z->o.most_tracks - z->n_tracks];
        z->places[at] = (place){.id = id, .slot = i};
        z->slots[i] = (slot){.id = id};
        memset(&z->stays[(size_t)i * (size_t)z->o.n_zones], 0,
               (size_t)z->o.n_zones * sizeof *z->stays);
    }
    slot *k = &z->slots[z->places[at].slot];
    /* One that waits for its end is not taken up again. */
    const bool is_ending = k->seen != 0 && k->seen <= z->interrupted;
    return k->seen == z->step || is_ending ? NULL : k;
}

/* ---- a step ---- */

static void see_box(detect_zones *z, const bool *is_on, const detect_zone_picture *p, size_t i)
{
    const vg_detection *box = &p->boxes[i];
    const int64_t id = p->ids != NULL ? p->ids[i] : 0;
    slot *k = id > 0 ? slot_for(z, id) : NULL;
    stay *stays = NULL;
    if (k != NULL) {
        k->seen = z->step;
        k->box = *box;
        stays = &z->stays[(size_t)(k - z->slots) * (size_t)z->o.n_zones];
    }
    for (int zone = 0; zone < z->o.n_zones; zone++) {
        if (is_on != NULL && !is_on[zone])
            continue;
        const detect_zone *asked = &z->o.zones[zone];
        const bool is_there = detect_zone_holds(asked, p, i);
        if (is_there && is_asked_for(z, asked, box))
            tally_of(z, zone, box->class_index)->n_seen++;
        if (k != NULL)
            see_track(z, zone, &stays[zone], k, is_there);
    }
}

static int n_seen(const detect_zones *z, int zone, int class_index)
{
    int n = 0;
    for (int c = 0; c < z->o.n_classes; c++)
        if (class_index < 0 || c == class_index)
            n += z->tallies[(size_t)zone * (size_t)z->o.n_classes + (size_t)c].n_seen;
    return n;
}

static void look_for_absence(detect_zones *z, int zone, absence *a)
{
    const detect_zone *asked = &z->o.zones[zone];
    if (a->last_ns == INT64_MIN)
        a->last_ns = z->now_ns;
    const bool is_there = turn_see(&a->turn, n_seen(z, zone, a->class_index) > 0, asked, z->now_ns);
    detect_zone_event e = {.zone = zone, .class_index = a->class_index};
    if (is_there && a->is_absent) {
        if (!has_room(z, zone, VG_STREAM_BACK))
            return;
        e.kind = VG_STREAM_BACK;
        e.seconds = seconds(a->turn.since_ns - a->last_ns);
        a->is_absent = false;
        tell(z, e);
    }
    if (is_there)
        a->last_ns = z->now_ns;
    if (a->is_absent || z->now_ns - a->last_ns < nanoseconds(asked->absent_s) ||
        !has_room(z, zone, VG_STREAM_ABSENT))
        return;
    e.kind = VG_STREAM_ABSENT;
    e.seconds = seconds(z->now_ns - a->last_ns);
    a->is_absent = true;
    tell(z, e);
}

static void move_on(detect_zones *z, int64_t time_ns)
{
    int64_t passed;
    if (z->has_begun && !__builtin_sub_overflow(time_ns, z->raw_ns, &passed) && passed > 0)
        z->now_ns += passed;
    z->has_begun = true;
    z->raw_ns = time_ns;
    z->step++;
}

size_t detect_zones_step(detect_zones *z, detect_zone_event *out, const bool *is_on,
                         const detect_zone_picture *p)
{
    z->out = out;
    z->n_out = 0;
    if (p->w < 1 || p->h < 1)
        return 0;
    move_on(z, p->time_ns);
    end_lost(z);
    for (size_t i = 0; i < (size_t)z->o.n_zones * (size_t)z->o.n_classes; i++)
        z->tallies[i].n_seen = 0;
    for (size_t i = 0; i < p->n; i++)
        if (is_a_box(&p->boxes[i]))
            see_box(z, is_on, p, i);
    for (int zone = 0; zone < z->o.n_zones; zone++)
        for (int i = z->first_absence[zone]; i < z->first_absence[zone + 1]; i++)
            if (is_on == NULL || is_on[zone])
                look_for_absence(z, zone, &z->absences[i]);
    return z->n_out;
}

void detect_zones_get(detect_zone_counts *out, const detect_zones *z, int zone)
{
    *out = (detect_zone_counts){0};
    for (int c = 0; c < z->o.n_classes; c++) {
        const tally *t = &z->tallies[(size_t)zone * (size_t)z->o.n_classes + (size_t)c];
        out->inside += t->inside;
        out->n_in += t->n_in;
        out->n_out += t->n_out;
        out->n_seen += t->n_seen;
    }
    for (int i = z->first_absence[zone]; i < z->first_absence[zone + 1]; i++)
        out->is_absent |= z->absences[i].is_absent;
}
