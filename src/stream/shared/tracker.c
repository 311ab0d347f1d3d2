/* tracker.c: a tracker's keys, from a file below what the job's own options say, or one by one. */
#include "tracker.h"

#include <string.h>
#include <unistd.h>

typedef stream_tracker_keys keys;

#define AT(field)    .offset = offsetof(keys, field)
#define SHARE(field) .kind = VG_OPTION_FLOAT, AT(field), .most = 1

/* The first rows are options of the job, too. */
static const vg_option rows[] = {
    {.name = "track_high_thresh", SHARE(options.track_high_thresh), .preset = "0.25"},
    {.name = "track_low_thresh", SHARE(options.track_low_thresh), .preset = "0.1"},
    {.name = "new_track_thresh", SHARE(options.new_track_thresh), .preset = "0.25"},
    {.name = "match_thresh", SHARE(options.match_thresh), .preset = "0.8"},
    {.name = "track_buffer",
     .kind = VG_OPTION_INT,
     AT(options.track_buffer),
     .least = 1,
     .most = 100000,
     .preset = "30"},
    {.name = "fuse_score", .kind = VG_OPTION_BOOL, AT(options.fuse_score), .preset = "true"},
    /* a file's alone */
    {.name = "tracker_type",
     .kind = VG_OPTION_CHOICE,
     AT(type),
     .choices = "bytetrack|botsort",
     .preset = "bytetrack"},
    {.name = "gmc_method",
     .kind = VG_OPTION_TEXT,
     AT(gmc_method),
     .most = STREAM_GMC_BYTES,
     .preset = "sparseOptFlow"},
    {.name = "proximity_thresh", SHARE(proximity_thresh), .preset = "0.5"},
    {.name = "appearance_thresh", SHARE(appearance_thresh), .preset = "0.8"},
    {.name = "with_reid", .kind = VG_OPTION_BOOL, AT(with_reid), .preset = "false"},
    {.name = "model", .kind = VG_OPTION_TEXT, AT(model), .preset = "auto"},
};
enum { N_ROWS = sizeof rows / sizeof *rows, N_SHARED = 6 };

static const base_options table = {
    .rows = rows,
    .n = N_ROWS,
    .noun = "key of a tracker",
    .mend = "leave it out; docs/zones.md lists the keys",
    .where = "key ",
};

/* ---- keys that ask for what there is not ---- */

static bool follows_camera(const keys *k)
{
    return base_equal_nocase(k->gmc_method, "sparseOptFlow");
}

static bool is_off(const char *method)
{
    return method[0] == '\0' || base_equal_nocase(method, "none") ||
           base_equal_nocase(method, "null");
}

static vg_status check_key(const keys *k, const char *key, const char *where, vg_status status,
                           vg_error *err)
{
    if (vg_name_equal(key, "gmc_method") && !follows_camera(k) && !is_off(k->gmc_method))
        return base_fail(
            err, status, where, "use sparseOptFlow, or none for a camera that stands still",
            "gmc_method %s: the camera is followed by sparse optical flow alone", k->gmc_method);
    if (vg_name_equal(key, "with_reid") && k->with_reid)
        return base_fail(err, status, where, "write with_reid: false",
                         "with_reid: there is no network that knows an object by its looks");
    return VG_OK;
}

/* ---- the file ---- */

static vg_status read_node(keys *k, bool *has, const base_node *n, const char *source,
                           vg_error *err)
{
    vg_status st = base_options_set_node(&table, k, n, source, err);
    if (st == VG_ERR_ARGUMENT) { /* the file's fault, not the command line's */
        st = VG_ERR_FORMAT;
        if (err != NULL)
            err->status = st;
    }
    if (st != VG_OK)
        return st;
    has[base_options_find(&table, n->key) - rows] = true;
    return check_key(k, n->key, base_text_make("%.400s:%d, key %s", source, n->line, n->key).text,
                     VG_ERR_FORMAT, err);
}

static const base_node *node_of(const base_node *map, const char *key)
{
    const base_node *n = base_node_get(map, key);
    return n != NULL ? n : map;
}

/* What only the whole file tells. */
static vg_status check_file(const keys *k, const bool *has, const base_node *root,
                            const char *source, vg_error *err)
{
    const size_t type = (size_t)(base_options_find(&table, "tracker_type") - rows);
    if (!has[type])
        return base_fail(err, VG_ERR_FORMAT, source,
                         "write tracker_type: bytetrack, or tracker_type: botsort",
                         "a tracker's file without tracker_type");
    if (k->type == DETECT_TRACK_BYTE && has[type + 1] && follows_camera(k))
        return base_fail(err, VG_ERR_FORMAT,
                         base_where("%.400s:%d", source, node_of(root, "gmc_method")->line),
                         "write tracker_type: botsort, or leave gmc_method out",
                         "gmc_method for bytetrack, which does not ask what the camera did");
    return VG_OK;
}

static vg_status read_tree(keys *k, bool *has, const base_tree *tree, const char *source,
                           vg_error *err)
{
    const base_node *root = base_tree_root(tree);
    vg_status st = VG_OK;
    if (root->kind != BASE_NODE_MAP)
        return base_fail(err, VG_ERR_FORMAT, source, "write one `key: value` a line",
                         "a tracker's file that is no map");
    for (const base_node *n = root->first; n != NULL && st == VG_OK; n = n->next)
        st = read_node(k, has, n, source, err);
    return st == VG_OK ? check_file(k, has, root, source, err) : st;
}

static vg_status read_file(keys *k, bool *has, const char *path, base_mem *mem, vg_error *err)
{
    base_tree *tree = NULL;
    vg_status st = base_tree_read(&tree, path, mem, err);
    if (st == VG_OK)
        st = read_tree(k, has, tree, path, err);
    base_tree_destroy(&tree);
    return st;
}

/* ---- which ---- */

/* "botsort", or "botsort.yaml" where no file has that name; false: the name of a file. */
static bool is_built_in(int *type, const char *name)
{
    static const char *const names[] = {
        [DETECT_TRACK_BYTE] = "bytetrack", [DETECT_TRACK_BOT] = "botsort"};
    for (int i = 0; i < 2; i++)
        if (base_equal_nocase(name, names[i]) ||
            (base_equal_nocase(name, base_text_make("%s.yaml", names[i]).text) &&
             access(name, F_OK) != 0)) {
            *type = i;
            return true;
        }
    return false;
}

static vg_status no_tracker(const char *name, const char *where, vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, where,
                     "give bytetrack.yaml, botsort.yaml, or a file of their keys",
                     "no tracker, and no file, is named %.200s", name);
}

static vg_status make_tracker(stream_tracker *out, const keys *k, vg_status status,
                              const char *where, vg_error *err)
{
    const bool is_bot = k->type == DETECT_TRACK_BOT;
    if (k->options.track_low_thresh > k->options.track_high_thresh)
        return base_fail(err, status, where, "make track_low_thresh the smaller one",
                         "track_low_thresh %g above track_high_thresh %g",
                         (double)k->options.track_low_thresh, (double)k->options.track_high_thresh);
    *out = (stream_tracker){.options = k->options, .follows_camera = is_bot && follows_camera(k)};
    out->options.kind = is_bot ? DETECT_TRACK_BOT : DETECT_TRACK_BYTE;
    return VG_OK;
}

/* ---- key by key ---- */

void stream_tracker_keys_default(keys *k)
{
    *k = (keys){0};
    base_options_default(&table, k);
    k->options.most_tracks = DETECT_TRACK_DEFAULT.most_tracks;
    k->options.most_detections = DETECT_TRACK_DEFAULT.most_detections;
}

static vg_status set_all(keys *k, const char *name, base_mem *mem, vg_error *err)
{
    bool has[N_ROWS] = {false};
    const detect_track_options most = k->options;
    stream_tracker_keys_default(k);
    k->options.most_tracks = most.most_tracks;
    k->options.most_detections = most.most_detections;
    if (is_built_in(&k->type, name))
        return VG_OK;
    return access(name, F_OK) == 0 ? read_file(k, has, name, mem, err)
                                   : no_tracker(name, "key tracker", err);
}

vg_status stream_tracker_keys_set(keys *k, const char *name, const char *value, base_mem *mem,
                                  vg_error *err)
{
    if (vg_name_equal(name, "tracker"))
        return set_all(k, value, mem, err);
    const vg_status st = base_options_set(&table, k, name, value, err);
    return st == VG_OK
               ? check_key(k, name, base_text_make("key %s", name).text, VG_ERR_ARGUMENT, err)
               : st;
}

vg_status stream_tracker_keys_parse(keys *k, const char *text, size_t n, const char *source,
                                    base_mem *mem, vg_error *err)
{
    base_tree *tree = NULL;
    bool has[N_ROWS] = {false};
    vg_status st = base_tree_from_yaml(&tree, text, n, source, mem, err);
    if (st == VG_OK)
        st = read_tree(k, has, tree, source, err);
    base_tree_destroy(&tree);
    return st;
}

vg_status stream_tracker_keys_settle(stream_tracker *out, const keys *k, vg_error *err)
{
    return make_tracker(out, k, VG_ERR_ARGUMENT, "keys track_low_thresh, track_high_thresh", err);
}

/* ---- of a job ---- */

/* What the job's options were given stays. */
static void put_options(detect_track_options *from_file, const stream_options *o, const bool *has)
{
    const detect_track_options given = o->tracker;
    for (size_t i = 0; i < N_SHARED; i++) {
        const bool is_given = stream_option_set_at(o, rows[i].name) != 0;
        if (has[i] && !is_given)
            continue;
        const size_t at = rows[i].offset - offsetof(keys, options);
        memcpy((char *)from_file + at, (const char *)&given + at, vg_option_bytes(&rows[i]));
    }
    from_file->most_tracks = given.most_tracks;
    from_file->most_detections = given.most_detections;
}

vg_status stream_tracker_read(stream_tracker *out, const stream_options *o, base_mem *mem,
                              vg_error *err)
{
    keys k = {0};
    bool has[N_ROWS] = {false};
    vg_status st = VG_OK;
    base_options_default(&table, &k);
    const bool is_of_file = !is_built_in(&k.type, o->tracker_name);
    if (is_of_file && access(o->tracker_name, F_OK) != 0)
        return no_tracker(o->tracker_name, "option tracker", err);
    if (is_of_file)
        st = read_file(&k, has, o->tracker_name, mem, err);
    if (st != VG_OK)
        return st;
    put_options(&k.options, o, has);
    return make_tracker(
        out, &k, is_of_file ? VG_ERR_FORMAT : VG_ERR_ARGUMENT,
        is_of_file ? o->tracker_name : "options track_low_thresh, track_high_thresh", err);
}
