/* config.c: a map of three keys; each entry is a map whose fields stand in a table. */
#include "config.h"

#include <math.h>
#include <string.h>

enum { MOST_COUNT = 100000, MOST_BENCH_BYTES = 16 << 20 };

typedef struct reader {
    const char *source;
    vg_error *err;
} reader;

static vg_status bad(const reader *r, const base_node *at, const char *field, const char *mend,
                     const char *what)
{
    return base_fail(r->err, VG_ERR_FORMAT,
                     base_where("%.400s:%d, field %.60s", r->source, at->line, field), mend, "%s",
                     what);
}

/* ---- fields ---- */

static vg_status read_text(const reader *r, char *out, size_t room, const base_node *n)
{
    if (n->text == NULL || n->text[0] == '\0' || !base_format(out, room, "%s", n->text))
        return bad(r, n, n->key, base_mend("write a text of 1 to %zu bytes", room - 1),
                   "no text, or a longer one");
    return VG_OK;
}

static vg_status read_count(const reader *r, int *out, const base_node *n)
{
    if (n->kind != BASE_NODE_INT || n->i < 1 || n->i > MOST_COUNT)
        return bad(r, n, n->key, base_mend("give a whole number, 1 to %d", MOST_COUNT), "no count");
    *out = (int)n->i;
    return VG_OK;
}

static vg_status read_rate(const reader *r, double *out, const base_node *n)
{
    const bool is_number = n->kind == BASE_NODE_INT || n->kind == BASE_NODE_REAL;
    if (!is_number || !isfinite(n->real) || n->real <= 0 || n->real > 1e6)
        return bad(r, n, n->key, "give frames a second, above 0 and at most 1000000",
                   "no number of frames a second");
    *out = n->real;
    return VG_OK;
}

static vg_status read_bytes(const reader *r, size_t *out, const base_node *n)
{
    if (n->text == NULL || !base_parse_bytes(out, n->text) || *out == 0)
        return bad(r, n, n->key, "give bytes, such as 16G or 900M", "no number of bytes");
    return VG_OK;
}

static vg_status read_size(const reader *r, int *w, int *h, const base_node *n)
{
    int64_t sides[2];
    char first[16];
    const char *x = n->text != NULL ? strchr(n->text, 'x') : NULL;
    if (x == NULL || !base_format(first, sizeof first, "%.*s", (int)(x - n->text), n->text) ||
        !base_parse_i64(&sides[0], first, 16, 16384) ||
        !base_parse_i64(&sides[1], x + 1, 16, 16384))
        return bad(r, n, n->key, "give WIDTHxHEIGHT, 16 to 16384 each: 1920x1080", "no size");
    *w = (int)sides[0];
    *h = (int)sides[1];
    return VG_OK;
}

static vg_status unknown(const reader *r, const base_node *n, const char *known)
{
    return bad(r, n, n->key, base_mend("the fields are %s", known), "a field that is none here");
}

static vg_status missing(const reader *r, const base_node *at, const char *field)
{
    return bad(r, at, field, base_mend("write %s: ...", field), "a field that is missing");
}

/* ---- entries ---- */

static vg_status read_machine(const reader *r, vg_fleet_machine *m, const base_node *map)
{
    vg_status st = VG_OK;
    *m = (vg_fleet_machine){.count = 1};
    for (const base_node *n = map->first; n != NULL && st == VG_OK; n = n->next) {
        if (strcmp(n->key, "name") == 0)
            st = read_text(r, m->name, sizeof m->name, n);
        else if (strcmp(n->key, "count") == 0)
            st = read_count(r, &m->count, n);
        else if (strcmp(n->key, "frames_per_s") == 0)
            st = read_rate(r, &m->frames_per_s, n);
        else if (strcmp(n->key, "bench") == 0)
            st = read_text(r, m->bench, sizeof m->bench, n);
        else if (strcmp(n->key, "memory") == 0)
            st = read_bytes(r, &m->memory_bytes, n);
        else
            st = unknown(r, n, "name, count, frames_per_s or bench, memory");
    }
    if (st == VG_OK && m->name[0] == '\0')
        st = missing(r, map, "name");
    if (st == VG_OK && m->memory_bytes == 0)
        st = missing(r, map, "memory");
    if (st == VG_OK && (m->frames_per_s > 0) == (m->bench[0] != '\0'))
        st = bad(r, map, "frames_per_s",
                 "write frames_per_s: 95, or bench: FILE of vigil bench --json on such a machine",
                 m->bench[0] != '\0' ? "both frames_per_s and bench"
                                     : "neither frames_per_s nor bench");
    return st;
}

static vg_status read_cameras(const reader *r, vg_fleet_cameras *c, const base_node *map)
{
    vg_status st = VG_OK;
    *c = (vg_fleet_cameras){.count = 1, .width = 1920, .height = 1080};
    for (const base_node *n = map->first; n != NULL && st == VG_OK; n = n->next) {
        if (strcmp(n->key, "name") == 0)
            st = read_text(r, c->name, sizeof c->name, n);
        else if (strcmp(n->key, "count") == 0)
            st = read_count(r, &c->count, n);
        else if (strcmp(n->key, "fps") == 0)
            st = read_rate(r, &c->fps, n);
        else if (strcmp(n->key, "size") == 0)
            st = read_size(r, &c->width, &c->height, n);
        else
            st = unknown(r, n, "name, count, fps, size");
    }
    if (st == VG_OK && c->name[0] == '\0')
        st = missing(r, map, "name");
    if (st == VG_OK && !(c->fps > 0))
        st = missing(r, map, "fps");
    return st;
}

/* The list's entries, which must be 1 to VG_FLEET_MOST maps. */
static vg_status check_list(const reader *r, const base_node *root, const char *key,
                            const base_node **out)
{
    *out = base_node_get(root, key);
    if (*out == NULL)
        return missing(r, root, key);
    if ((*out)->kind != BASE_NODE_LIST || (*out)->n_children < 1 ||
        (*out)->n_children > VG_FLEET_MOST)
        return bad(r, *out, key,
                   base_mend("write 1 to %d entries, each begins with -", VG_FLEET_MOST),
                   "no list, or a longer one");
    for (const base_node *n = (*out)->first; n != NULL; n = n->next)
        if (n->kind != BASE_NODE_MAP)
            return bad(r, n, key, "write - name: ... and its other fields below",
                       "an entry that is no map");
    return VG_OK;
}

static vg_status read_root(const reader *r, vg_fleet *f, const base_node *root)
{
    const base_node *machines = NULL, *cameras = NULL, *job;
    if (root->kind != BASE_NODE_MAP)
        return bad(r, root, "machines", "write job:, machines: and cameras:", "no map");
    for (const base_node *n = root->first; n != NULL; n = n->next)
        if (strcmp(n->key, "job") != 0 && strcmp(n->key, "machines") != 0 &&
            strcmp(n->key, "cameras") != 0)
            return unknown(r, n, "job, machines, cameras");
    if ((job = base_node_get(root, "job")) == NULL)
        return missing(r, root, "job");
    vg_status st = read_text(r, f->job, sizeof f->job, job);
    if (st == VG_OK)
        st = check_list(r, root, "machines", &machines);
    if (st == VG_OK)
        st = check_list(r, root, "cameras", &cameras);
    if (st != VG_OK)
        return st;
    for (const base_node *n = machines->first; n != NULL && st == VG_OK; n = n->next)
        st = read_machine(r, &f->machines[f->n_machines++], n);
    for (const base_node *n = cameras->first; n != NULL && st == VG_OK; n = n->next)
        st = read_cameras(r, &f->cameras[f->n_cameras++], n);
    return st;
}

vg_status stream_fleet_config_parse(vg_fleet *out, const char *text, size_t n, const char *source,
                                    base_mem *mem, vg_error *err)
{
    base_tree *tree = NULL;
    const reader r = {source, err};
    *out = (vg_fleet){.n_machines = 0};
    vg_status st = base_tree_from_yaml(&tree, text, n, source, mem, err);
    if (st == VG_OK)
        st = read_root(&r, out, base_tree_root(tree));
    base_tree_destroy(&tree);
    return st;
}

/* ---- files ---- */

static vg_status beside(char *out, size_t room, const char *path, vg_error *err)
{
    char whole[4096];
    if (out[0] == '/')
        return VG_OK;
    if (!base_format(whole, sizeof whole, "%.*s%s", (int)(base_path_name(path) - path), path,
                     out) ||
        !base_format(out, room, "%s", whole))
        return base_fail(err, VG_ERR_LIMIT, path, "use shorter paths", "a path that is too long");
    return VG_OK;
}

/* The most pictures a second that vigil bench measured, whatever the batch and the threads. */
static vg_status read_bench(vg_fleet_machine *m, base_mem *mem, vg_error *err)
{
    base_tree *tree = NULL;
    vg_status st = base_tree_read(&tree, m->bench, mem, err);
    if (st != VG_OK)
        return st;
    const base_node *speeds = base_node_get(base_tree_root(tree), "speeds");
    for (const base_node *n = speeds != NULL ? speeds->first : NULL; n != NULL; n = n->next) {
        const base_node *rate = base_node_get(n, "pictures_per_s");
        if (rate != NULL && rate->real > m->frames_per_s)
            m->frames_per_s = rate->real;
    }
    if (!(m->frames_per_s > 0) || !isfinite(m->frames_per_s))
        st = base_fail(err, VG_ERR_FORMAT, base_where("%.400s, field speeds", m->bench),
                       "write it with: vigil bench --weights FILE --json",
                       "no measurement of vigil bench");
    base_tree_destroy(&tree);
    return st;
}

vg_status stream_fleet_config_read(vg_fleet *out, const char *path, base_mem *mem, vg_error *err)
{
    char *text = NULL;
    size_t n = 0;
    vg_status st = base_file_read(&text, &n, path, MOST_BENCH_BYTES, mem, err);
    if (st == VG_OK)
        st = stream_fleet_config_parse(out, text, n, path, mem, err);
    base_free(text);
    if (st == VG_OK)
        st = beside(out->job, sizeof out->job, path, err);
    for (size_t i = 0; i < out->n_machines && st == VG_OK; i++) {
        vg_fleet_machine *m = &out->machines[i];
        if (m->bench[0] == '\0')
            continue;
        st = beside(m->bench, sizeof m->bench, path, err);
        if (st == VG_OK)
            st = read_bench(m, mem, err);
    }
    return st;
}
