/* zones_read.c: a file of zones, checked key by key: a table of keys, and a function for each.
 *
 * Keys of a zone are read in the table's order, not the file's, so that one may ask what another
 * said. */
#include <math.h>
#include <string.h>

#include "zones_list.h"

typedef struct reader {
    zones_list *list;
    const stream_zones_scene *scene;
    const base_node *units; /* of the file, NULL: not said */
    vg_error *err;
    /* of the zone that is read */
    const base_node *zone;
    detect_zone *z;
    zones_extra *extra;
} reader;

/* "zones.yaml:12, field polygon" */
static base_text place(const reader *r, const base_node *at, const char *field)
{
    const char *source = base_tree_source(r->list->tree);
    const char *comma = field != NULL ? ", field " : "";
    if (at == NULL || at->line < 1)
        return base_text_make("%s%s%s", source, comma, field != NULL ? field : "");
    return base_text_make("%s:%d%s%s", source, at->line, comma, field != NULL ? field : "");
}

#define wrong(r, at, field, mend, ...)                                                             \
    base_fail((r)->err, VG_ERR_FORMAT, place((r), (at), (field)).text, (mend), __VA_ARGS__)

/* What the user wrote, in quotes, or of which kind it is. */
static base_text written(const base_node *n)
{
    if (n->kind == BASE_NODE_LIST || n->kind == BASE_NODE_MAP || n->kind == BASE_NODE_NULL ||
        n->text == NULL)
        return base_text_make("%s", base_node_kind_name(n->kind));
    return base_text_make("\"%.60s\"", n->text);
}

/* Letters to change; a word cut short is near to the whole one: min_conf, class. */
static size_t distance_between(const char *word, const char *known)
{
    return base_starts_with(known, word) ? 0 : base_edit_distance(word, known);
}

static const char *nearest(const char *word, const char *const *words, size_t n)
{
    const char *best = words[0];
    for (size_t i = 1; i < n; i++)
        if (distance_between(word, words[i]) < distance_between(word, best))
            best = words[i];
    return best;
}

/* Place of the text among words; -1 when it is none of them. */
static int word_of(const base_node *n, const char *const *words, size_t n_words)
{
    for (size_t i = 0; n->kind == BASE_NODE_TEXT && i < n_words; i++)
        if (strcmp(n->text, words[i]) == 0)
            return (int)i;
    return -1;
}

/* ---- numbers ---- */

static bool number_of(double *out, const base_node *n)
{
    if ((n->kind != BASE_NODE_INT && n->kind != BASE_NODE_REAL) || !isfinite(n->real))
        return false;
    *out = n->real;
    return true;
}

static vg_status read_share(const reader *r, const base_node *n, const char *field, float *out)
{
    double v;
    if (!number_of(&v, n) || v < 0 || v > 1)
        return wrong(r, n, field, "give a number from 0 to 1", "%s is %s", field, written(n).text);
    *out = (float)v;
    return VG_OK;
}

/* The number that text begins with; *rest: behind it and blanks. */
static bool leading_number(double *out, const char **rest, const char *text)
{
    char digits[32];
    const size_t n = strspn(text, "0123456789.");
    if (n == 0 || n >= sizeof digits)
        return false;
    memcpy(digits, text, n);
    digits[n] = '\0';
    *rest = text + n + strspn(text + n, " ");
    return base_parse_double(out, digits);
}

/* "500ms", "30s", "2m", "1.5 h", "1d", or a plain number of seconds. */
static bool seconds_of(double *out, const base_node *n)
{
    static const struct {
        const char *unit;
        double s;
    } units[] = {{"ms", 1e-3}, {"s", 1},    {"sec", 1},  {"m", 60},
                 {"min", 60},  {"h", 3600}, {"d", 86400}};
    const char *rest;
    double v;
    if (number_of(out, n))
        return *out >= 0;
    if (n->kind != BASE_NODE_TEXT || !leading_number(&v, &rest, n->text))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(rest, units[i].unit) == 0) {
            *out = v * units[i].s;
            return true;
        }
    return false;
}

static const double MOST_S = 366.0 * 86400;

static vg_status read_duration(const reader *r, const base_node *n, const char *field, double *out)
{
    double s;
    if (!seconds_of(&s, n) || !(s > 0 && s <= MOST_S))
        return wrong(r, n, field, "give a time up to a year, such as 30s, 2m or 1.5h", "%s is %s",
                     field, written(n).text);
    *out = s;
    return VG_OK;
}

/* ---- keys of a zone ---- */

enum { NAME_COLUMNS = STREAM_ZONE_NAME_BYTES - 1 };

static vg_status read_name(reader *r, const base_node *n)
{
    const zones_list *l = r->list;
    const bool is_scalar = n->kind != BASE_NODE_LIST && n->kind != BASE_NODE_MAP;
    const char *text = is_scalar && n->kind != BASE_NODE_NULL ? n->text : NULL;
    if (text == NULL || text[0] == '\0' || strlen(text) > NAME_COLUMNS)
        return wrong(r, n, "name", base_mend("give a text of 1 to %d bytes", NAME_COLUMNS),
                     "the zone's name is %s",
                     text == NULL ? written(n).text
                     : text[0]    ? "too long"
                                  : "empty");
    char shown[8 * STREAM_ZONE_NAME_BYTES];
    base_line_escape(shown, sizeof shown, text);
    if (strcmp(shown, text) != 0)
        return wrong(r, n, "name", "use letters, digits and blanks",
                     "the zone's name has a control character, or one that is not shown");
    for (const zones_extra *other = l->extras; other < r->extra; other++)
        if (strcmp(other->name, text) == 0)
            return wrong(r, n, "name", "give every zone a name of its own",
                         "zone \"%s\" is there already, in line %d", text, other->line);
    r->extra->name = text;
    return VG_OK;
}

static const char *const POLYGON_MEND =
    "give a list of 3 or more corners, such as [[0.1, 0.5], [0.4, 0.5], [0.4, 1]]";

static vg_status read_corner(const reader *r, const base_node *corner, double xy[2])
{
    if (corner->kind != BASE_NODE_LIST || corner->n_children != 2)
        return wrong(r, corner, "polygon", POLYGON_MEND,
                     "a corner is a list of two numbers, x and y, not %s",
                     corner->kind == BASE_NODE_LIST ? "a list of more or less"
                                                    : written(corner).text);
    const base_node *v = corner->first;
    for (int k = 0; k < 2; k++, v = v->next) {
        if (!number_of(&xy[k], v) || xy[k] > 1e6)
            return wrong(r, v, "polygon", "give numbers: pixels, or fractions of the picture",
                         "%s of a corner is %s", k == 0 ? "x" : "y", written(v).text);
        if (xy[k] < 0)
            return wrong(r, v, "polygon", "the picture begins at 0, 0, its upper left corner",
                         "%s of a corner is %g", k == 0 ? "x" : "y", xy[k]);
    }
    return VG_OK;
}

/* Fractions or pixels: as said by the zone, or by the file, or as the numbers look. */
static vg_status choose_units(reader *r, const base_node *polygon, double most, double least_part)
{
    static const char *const UNITS[] = {"fraction", "pixels"};
    const base_node *said = base_node_get(r->zone, "units");
    if (said == NULL)
        said = r->units;
    if (said == NULL) {
        r->z->is_fraction = most <= 1;
        if (most > 1 && least_part < 1)
            return wrong(r, polygon, "polygon",
                         "use fractions of the picture, 0 to 1, for all; or say units: pixels",
                         "some corners look like fractions (%g), others like pixels (%g)",
                         least_part, most);
        return VG_OK;
    }
    const int i = word_of(said, UNITS, 2);
    if (i < 0)
        return wrong(r, said, "units", "say units: fraction, or units: pixels", "units is %s",
                     written(said).text);
    r->z->is_fraction = i == 0;
    if (r->z->is_fraction && most > 1)
        return wrong(r, polygon, "polygon", "give fractions from 0 to 1, or say units: pixels",
                     "a corner at %g, where 1 is the picture's whole side", most);
    return VG_OK;
}

static vg_status check_shape(const reader *r, const base_node *polygon)
{
    size_t a, b;
    const size_t n = (size_t)r->z->n_points;
    if (detect_polygon_is_simple(r->z->xy, n, &a, &b))
        return VG_OK;
    return wrong(r, polygon, "polygon",
                 "give the corners in their order around the zone, the first not again at the end",
                 "the edges after corners %zu and %zu meet", a + 1, b + 1);
}

static vg_status read_polygon(reader *r, const base_node *n)
{
    if (n->kind != BASE_NODE_LIST || n->n_children < 3 || n->n_children > STREAM_MOST_ZONE_POINTS)
        return wrong(r, n, "polygon", POLYGON_MEND, "polygon is %s",
                     n->kind != BASE_NODE_LIST ? written(n).text
                     : n->n_children < 3       ? "a list of fewer than 3 corners"
                                               : "a list of more than 64 corners");
    _Static_assert(STREAM_MOST_ZONE_POINTS == 64, "the text above says so");
    float *xy = &r->list->xy[(size_t)(r->z - r->list->zones) * STREAM_MOST_ZONE_POINTS * 2];
    double most = 0, least_part = 1;
    for (const base_node *c = n->first; c != NULL; c = c->next) {
        double v[2] = {0};
        vg_status st = read_corner(r, c, v);
        if (st != VG_OK)
            return st;
        for (int k = 0; k < 2; k++) {
            most = fmax(most, v[k]);
            if (v[k] > 0 && v[k] < least_part)
                least_part = v[k];
            xy[2 * r->z->n_points + k] = (float)v[k];
        }
        r->z->n_points++;
    }
    r->z->xy = xy;
    vg_status st = choose_units(r, n, most, least_part);
    return st == VG_OK ? check_shape(r, n) : st;
}

static vg_status read_sources(reader *r, const base_node *n)
{
    const bool is_list = n->kind == BASE_NODE_LIST;
    if (is_list && n->n_children == 0)
        return wrong(r, n, "sources", "name sources, or leave the line out for all of them",
                     "sources is an empty list");
    for (const base_node *c = is_list ? n->first : n; c != NULL; c = is_list ? c->next : NULL)
        if (c->kind == BASE_NODE_LIST || c->kind == BASE_NODE_MAP || c->kind == BASE_NODE_NULL ||
            c->text == NULL || c->text[0] == '\0')
            return wrong(r, c, "sources", "give names of sources, in quotes if need be",
                         "a source's name is %s", written(c).text);
    r->extra->sources = n;
    return VG_OK;
}

/* By name, else by name in any case, else by number. */
static int class_of(const reader *r, const base_node *n)
{
    const char *text = n->kind == BASE_NODE_LIST || n->kind == BASE_NODE_MAP ? NULL : n->text;
    int64_t number;
    for (int i = 0; text != NULL && r->scene->names != NULL && i < r->scene->n_classes; i++)
        if (strcmp(text, r->scene->names[i]) == 0)
            return i;
    for (int i = 0; text != NULL && r->scene->names != NULL && i < r->scene->n_classes; i++)
        if (base_equal_nocase(text, r->scene->names[i]))
            return i;
    if (n->kind == BASE_NODE_INT && n->i >= 0 && n->i < r->scene->n_classes)
        return (int)n->i;
    if (n->kind == BASE_NODE_TEXT && base_parse_i64(&number, text, 0, r->scene->n_classes - 1))
        return (int)number;
    return -1;
}

static vg_status no_class(const reader *r, const base_node *n)
{
    const char *how =
        r->scene->names != NULL ? "use names, or" : "this model's classes have no names: use";
    const bool is_word = n->kind == BASE_NODE_TEXT && r->scene->names != NULL;
    return base_fail(
        r->err, VG_ERR_ARGUMENT, place(r, n, "classes").text,
        is_word ? base_mend("did you mean \"%.60s\"? Or a number from 0 to %d",
                            nearest(n->text, r->scene->names, (size_t)r->scene->n_classes),
                            r->scene->n_classes - 1)
                : base_mend("%s numbers from 0 to %d", how, r->scene->n_classes - 1),
        "%s is no class of a model of %d classes", written(n).text, r->scene->n_classes);
}

static vg_status read_classes(reader *r, const base_node *n)
{
    uint8_t *classes =
        &r->list->classes[(size_t)(r->z - r->list->zones) * (size_t)r->scene->n_classes];
    const bool is_list = n->kind == BASE_NODE_LIST;
    if (is_list && n->n_children == 0)
        return wrong(r, n, "classes", "name classes, or leave the line out for all of them",
                     "classes is an empty list");
    for (const base_node *c = is_list ? n->first : n; c != NULL; c = is_list ? c->next : NULL) {
        const int i = class_of(r, c);
        if (i < 0)
            return no_class(r, c);
        classes[i] = 1;
    }
    r->z->classes = classes;
    return VG_OK;
}

static vg_status read_confidence(reader *r, const base_node *n)
{
    return read_share(r, n, "min_confidence", &r->z->min_score);
}

static vg_status read_anchor(reader *r, const base_node *n)
{
    static const char *const ANCHORS[] = {"bottom", "center", "box", "mask"}; /* detect_anchor */
    const int i = word_of(n, ANCHORS, 4);
    if (i < 0)
        return wrong(r, n, "anchor", "use bottom, center, box or mask", "anchor is %s",
                     written(n).text);
    if (i == DETECT_ANCHOR_MASK && !r->scene->has_masks)
        return base_fail(r->err, VG_ERR_ARGUMENT, place(r, n, "anchor").text,
                         "use anchor: box, or a model of segment, such as yolo11n-seg",
                         "the zone goes by masks, and this model makes none");
    r->z->anchor = (detect_anchor)i;
    return VG_OK;
}

static vg_status read_overlap(reader *r, const base_node *n)
{
    if (r->z->anchor != DETECT_ANCHOR_BOX && r->z->anchor != DETECT_ANCHOR_MASK)
        return wrong(r, n, "overlap", "add anchor: box or anchor: mask, or leave overlap out",
                     "overlap is for zones with anchor: box or mask");
    vg_status st = read_share(r, n, "overlap", &r->z->overlap);
    if (st == VG_OK && !(r->z->overlap > 0))
        return wrong(r, n, "overlap", "give a number above 0, up to 1", "every box overlaps by %s",
                     written(n).text);
    return st;
}

/* A time, or "5 frames". */
static vg_status read_debounce(reader *r, const base_node *n)
{
    const char *rest;
    double v;
    if (n->kind == BASE_NODE_TEXT && leading_number(&v, &rest, n->text) &&
        (strcmp(rest, "frames") == 0 || strcmp(rest, "frame") == 0) && v == floor(v) && v <= 1e6) {
        r->z->debounce_frames = (int)v;
        return VG_OK;
    }
    if (!seconds_of(&v, n) || v > MOST_S)
        return wrong(r, n, "debounce", "give a time or frames, such as 1s, 500ms or 5 frames",
                     "debounce is %s", written(n).text);
    r->z->debounce_frames = 0;
    r->z->debounce_s = v;
    return VG_OK;
}

static vg_status read_dwell(reader *r, const base_node *n)
{
    return read_duration(r, n, "dwell", &r->z->dwell_s);
}

static vg_status read_absent(reader *r, const base_node *n)
{
    return read_duration(r, n, "absent", &r->z->absent_s);
}

/* ---- events ---- */

static const char *const EVENTS[] = {"enter", "leave", "dwell", "absent", "back"};
enum { N_EVENTS = sizeof EVENTS / sizeof *EVENTS };
_Static_assert(N_EVENTS == VG_STREAM_BACK + 1, "a name for each kind");

const char *stream_event_name(vg_stream_event_kind k)
{
    return (unsigned)k < N_EVENTS ? EVENTS[k] : "?";
}

static vg_status read_kinds(const reader *r, const base_node *n, const char *field, unsigned *out)
{
    const bool is_list = n->kind == BASE_NODE_LIST;
    for (const base_node *c = is_list ? n->first : n; c != NULL; c = is_list ? c->next : NULL) {
        const int i = word_of(c, EVENTS, N_EVENTS);
        if (i < 0)
            return wrong(r, c, field,
                         c->kind == BASE_NODE_TEXT
                             ? base_mend("did you mean %s? There are enter, leave, dwell, absent "
                                         "and back",
                                         nearest(c->text, EVENTS, N_EVENTS))
                             : "use enter, leave, dwell, absent and back",
                         "%s names %s", field, written(c).text);
        *out |= 1u << i;
    }
    return VG_OK;
}

enum {
    COMING = 1 << VG_STREAM_ENTER | 1 << VG_STREAM_LEAVE,
    MISSING = 1 << VG_STREAM_ABSENT | 1 << VG_STREAM_BACK
};

static unsigned usual_events(const detect_zone *z)
{
    unsigned events = z->absent_s > 0 ? MISSING : 0;
    if (z->dwell_s > 0)
        events |= 1u << VG_STREAM_DWELL;
    /* A shelf that is asked for what is missing is not a door. */
    return z->dwell_s > 0 || !(z->absent_s > 0) ? events | COMING : events;
}

static vg_status read_events(reader *r, const base_node *n)
{
    vg_status st = read_kinds(r, n, "events", &r->z->events);
    if (st != VG_OK)
        return st;
    if (r->z->events >> VG_STREAM_DWELL & 1 && !(r->z->dwell_s > 0))
        return wrong(r, n, "events", "add after how long, such as dwell: 30s",
                     "events names dwell, and the zone has no dwell");
    if (r->z->events & MISSING && !(r->z->absent_s > 0))
        return wrong(r, n, "events", "add for how long, such as absent: 2m",
                     "events names %s, and the zone has no absent",
                     r->z->events >> VG_STREAM_ABSENT & 1 ? "absent" : "back");
    return VG_OK;
}

static vg_status read_snapshot(reader *r, const base_node *n)
{
    if (n->kind == BASE_NODE_BOOL) {
        r->extra->snapshots = n->i ? ~0u : 0;
        return VG_OK;
    }
    if (n->kind != BASE_NODE_LIST && n->kind != BASE_NODE_TEXT)
        return wrong(r, n, "snapshot", "say true, false, or for which events: [absent, dwell]",
                     "snapshot is %s", written(n).text);
    return read_kinds(r, n, "snapshot", &r->extra->snapshots);
}

/* ---- a zone ---- */

static vg_status read_nothing(reader *r, const base_node *n)
{
    (void)r, (void)n; /* units: read with the polygon */
    return VG_OK;
}

static const struct {
    const char *key;
    vg_status (*read)(reader *r, const base_node *n);
    bool is_needed;
} KEYS[] = {
    {"name", read_name, true},          {"polygon", read_polygon, true},
    {"units", read_nothing, false},     {"sources", read_sources, false},
    {"classes", read_classes, false},   {"min_confidence", read_confidence, false},
    {"anchor", read_anchor, false},     {"overlap", read_overlap, false},
    {"debounce", read_debounce, false}, {"dwell", read_dwell, false},
    {"absent", read_absent, false},     {"events", read_events, false},
    {"snapshot", read_snapshot, false},
};
enum { N_KEYS = sizeof KEYS / sizeof *KEYS };

static vg_status check_keys(const reader *r, const base_node *map, const char *const *known,
                            size_t n_known, const char *whose)
{
    for (const base_node *c = map->first; c != NULL; c = c->next) {
        bool is_known = false;
        for (size_t i = 0; i < n_known; i++)
            is_known |= strcmp(c->key, known[i]) == 0;
        if (!is_known)
            return wrong(r, c, NULL, base_mend("did you mean %s?", nearest(c->key, known, n_known)),
                         "%s has no \"%.60s\"", whose, c->key);
    }
    return VG_OK;
}

static vg_status read_zone(reader *r, const base_node *n)
{
    const char *known[N_KEYS];
    for (size_t i = 0; i < N_KEYS; i++)
        known[i] = KEYS[i].key;
    if (n->kind != BASE_NODE_MAP)
        return wrong(r, n, "zones", "begin each zone with - name: ...", "a zone is a map, not %s",
                     written(n).text);
    vg_status st = check_keys(r, n, known, N_KEYS, "a zone");
    if (st != VG_OK)
        return st;
    *r->z = (detect_zone){.overlap = 0.5f, .debounce_frames = 3};
    r->extra->line = n->line;
    r->zone = n;
    for (size_t i = 0; i < N_KEYS; i++) {
        const base_node *value = base_node_get(n, KEYS[i].key);
        if (value == NULL && KEYS[i].is_needed)
            return wrong(r, n, KEYS[i].key, i == 0 ? "add name: door" : POLYGON_MEND,
                         "the zone has no %s", KEYS[i].key);
        st = value != NULL ? KEYS[i].read(r, value) : VG_OK;
        if (st != VG_OK)
            return st;
    }
    if (base_node_get(n, "events") == NULL)
        r->z->events = usual_events(r->z);
    return VG_OK;
}

/* ---- the file ---- */

static vg_status take_room(zones_list *l, size_t n, int n_classes, base_mem *mem, vg_error *err)
{
    if ((l->zones = base_alloc_zero(mem, n, sizeof *l->zones, err)) == NULL ||
        (l->extras = base_alloc_zero(mem, n, sizeof *l->extras, err)) == NULL ||
        (l->xy = base_alloc_zero(mem, n, STREAM_MOST_ZONE_POINTS * 2 * sizeof *l->xy, err)) ==
            NULL ||
        (l->classes = base_alloc_zero(mem, n, (size_t)n_classes, err)) == NULL)
        return VG_ERR_MEMORY;
    return VG_OK;
}

static vg_status read_file(reader *r, base_mem *mem)
{
    static const char *const KNOWN[] = {"zones", "units"};
    zones_list *l = r->list;
    const base_node *root = base_tree_root(l->tree);
    if (root == NULL || root->kind != BASE_NODE_MAP)
        return wrong(r, root, NULL, "begin it with zones:", "a file of zones is a map");
    vg_status st = check_keys(r, root, KNOWN, 2, "a file of zones");
    if (st != VG_OK)
        return st;
    const base_node *zones = base_node_get(root, "zones");
    if (zones == NULL || zones->kind != BASE_NODE_LIST || zones->n_children == 0)
        return wrong(r, zones != NULL ? zones : root, "zones", "begin each zone with - name: ...",
                     "the file has no list of zones");
    if (zones->n_children > STREAM_MOST_ZONES)
        return wrong(r, zones, "zones", base_mend("use at most %d", STREAM_MOST_ZONES),
                     "a list of %zu zones", zones->n_children);
    r->units = base_node_get(root, "units");
    st = take_room(l, zones->n_children, r->scene->n_classes, mem, r->err);
    for (const base_node *n = zones->first; n != NULL && st == VG_OK; n = n->next) {
        r->z = &l->zones[l->n];
        r->extra = &l->extras[l->n];
        st = read_zone(r, n);
        l->n++;
    }
    return st;
}

vg_status zones_list_read(zones_list *out, base_tree *tree, const stream_zones_scene *scene,
                          base_mem *mem, vg_error *err)
{
    *out = (zones_list){.tree = tree};
    reader r = {.list = out, .scene = scene, .err = err};
    vg_status st = read_file(&r, mem);
    if (st != VG_OK)
        zones_list_fini(out);
    return st;
}

void zones_list_fini(zones_list *l)
{
    base_tree_destroy(&l->tree);
    base_free(l->zones);
    base_free(l->extras);
    base_free(l->xy);
    base_free(l->classes);
    *l = (zones_list){0};
}

bool zones_list_is_for(const zones_extra *zone, const char *source, const char *stem)
{
    const base_node *n = zone->sources;
    const bool is_list = n != NULL && n->kind == BASE_NODE_LIST;
    if (n == NULL)
        return true;
    for (const base_node *c = is_list ? n->first : n; c != NULL; c = is_list ? c->next : NULL)
        if (strcmp(c->text, source) == 0 || strcmp(c->text, stem) == 0)
            return true;
    return false;
}
