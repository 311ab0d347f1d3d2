/* pt.c: a checkpoint of torch.save: the zip's layout, then the tree of modules that the pickle
 * describes.
 *
 * Spec section 7. `ema` is taken when there is one, else `model`; a module's tensors are the values
 * of _parameters and _buffers that are not None, named by their path through _modules. A plain dict
 * of tensors is taken as it is, at the top or under model, ema or state_dict. The pickle's graph is
 * dropped once the tensors' places are known. */
#include "pt.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_DEPTH = 32, MOST_NAME_BYTES = 512 };
/* Dict entries looked at: a small graph may unfold to a large tree. YOLO11x needs about 60,000. */
enum { MOST_STEPS = 16 << 20 };

/* ---- container ---- */

static bool ends_with(const zip_entry *e, const char *tail)
{
    const size_t n = strlen(tail);
    return e->n_name >= n && memcmp(e->name + e->n_name - n, tail, n) == 0;
}

static bool begins_with(const zip_entry *e, const char *folder, const char *rest)
{
    const size_t n_folder = strlen(folder), n_rest = strlen(rest);
    return e->n_name >= n_folder + n_rest && memcmp(e->name, folder, n_folder) == 0 &&
           memcmp(e->name + n_folder, rest, n_rest) == 0;
}

/* <folder>/data.pkl, with one slash; c->folder becomes "<folder>/". */
static vg_status find_pickle(pt_context *c, arena *scratch, const zip_entry **out)
{
    *out = NULL;
    for (size_t i = 0; i < c->zip.n_entries; i++) {
        const zip_entry *e = &c->zip.entries[i];
        const char *slash = memchr(e->name, '/', e->n_name);
        if (slash == NULL || !ends_with(e, "/data.pkl") ||
            (size_t)(slash - e->name) + 9 != e->n_name)
            continue;
        if (*out != NULL)
            return base_fail(c->err, VG_ERR_FORMAT, c->f->name,
                             "unpack the zip and give the checkpoint inside",
                             "the zip holds more than one data.pkl");
        *out = e;
    }
    if (*out == NULL)
        return base_fail(
            c->err, VG_ERR_FORMAT, c->f->name,
            "give a checkpoint written by torch.save, or unpack the zip if there is one inside",
            "the zip has no <name>/data.pkl, so it is no PyTorch checkpoint");
    c->folder = arena_text(scratch, (*out)->name, (*out)->n_name - strlen("data.pkl"), c->err);
    return c->folder != NULL ? VG_OK : c->err->status;
}

static vg_status check_layout(const pt_context *c)
{
    for (size_t i = 0; i < c->zip.n_entries; i++) {
        const zip_entry *e = &c->zip.entries[i];
        if (begins_with(e, c->folder, "constants.pkl") || begins_with(e, c->folder, "code/"))
            return base_fail(
                c->err, VG_ERR_UNSUPPORTED, c->f->name,
                "give the checkpoint it was exported from (best.pt), not the exported program",
                "a TorchScript program, which is code and not a checkpoint");
    }
    for (size_t i = 0; i < c->zip.n_entries; i++) {
        const zip_entry *e = &c->zip.entries[i];
        if (!e->is_stored)
            return base_fail(
                c->err, VG_ERR_UNSUPPORTED, base_where("%s, byte %zu", c->f->name, e->begin),
                "load it in PyTorch and torch.save it again, or repack it with zip -0",
                "an entry of the zip is compressed; torch.save stores them as they are");
        if (!begins_with(e, c->folder, "byteorder") ||
            e->n_name != strlen(c->folder) + strlen("byteorder"))
            continue;
        const bool little = e->n_bytes >= 6 && memcmp(e->data, "little", 6) == 0 &&
                            (e->n_bytes == 6 || (e->n_bytes == 7 && e->data[6] == '\n'));
        if (!little)
            return base_fail(
                c->err, VG_ERR_UNSUPPORTED, base_where("%s, %sbyteorder", c->f->name, c->folder),
                "load it in PyTorch on a little-endian machine and torch.save it again",
                "the checkpoint's byte order is not little");
    }
    return VG_OK;
}

/* ---- module tree ---- */

typedef struct walk {
    pt_context *c;
    char name[MOST_NAME_BYTES + 1];
    size_t n_steps;
    weights_tensor *tensors; /* NULL: only count */
    size_t n_tensors;
    weights_bn *bns; /* NULL: only count */
    size_t n_bns;
} walk;

static vg_status bad(const walk *w, vg_status status, const pickle_node *at, const char *what)
{
    return base_fail(w->c->err, status,
                     base_where("%s, data.pkl byte %" PRIu32 ", module %.150s", w->c->f->name,
                                at->at, w->name[0] != '\0' ? w->name : "(root)"),
                     "copy or download the file again, or check where it comes from", "%s", what);
}

/* Sets w->name from n_prefix on to ".key" (or "key" at the root). */
static vg_status extend_name(walk *w, size_t n_prefix, const pickle_node *key, size_t *n_name)
{
    if (key == NULL || key->kind != PICKLE_TEXT || key->as.text.n == 0 ||
        !weights_is_utf8(key->as.text.bytes, key->as.text.n))
        return bad(w, VG_ERR_FORMAT, key != NULL ? key : &pickle_none,
                   "a name in the model is not a proper text");
    const size_t n_dot = n_prefix > 0;
    if (key->as.text.n > MOST_NAME_BYTES - n_prefix - n_dot || n_prefix + n_dot > MOST_NAME_BYTES)
        return bad(w, VG_ERR_LIMIT, key, "a name in the model is longer than 512 bytes");
    if (n_dot)
        w->name[n_prefix] = '.';
    memcpy(w->name + n_prefix + n_dot, key->as.text.bytes, key->as.text.n);
    *n_name = n_prefix + n_dot + key->as.text.n;
    w->name[*n_name] = '\0';
    return VG_OK;
}

static vg_status add_tensor(walk *w, const pickle_node *n)
{
    if (w->n_tensors == WEIGHTS_MOST_TENSORS)
        return bad(w, VG_ERR_LIMIT, n, "the model has more tensors than any model should");
    if (w->tensors != NULL) {
        const char *name = arena_text(&w->c->f->own, w->name, strlen(w->name), w->c->err);
        if (name == NULL)
            return w->c->err->status;
        vg_status st = pt_read_tensor(w->c, &w->tensors[w->n_tensors], name, n);
        if (st != VG_OK)
            return st;
    }
    w->n_tensors++;
    return VG_OK;
}

/* torch keeps a set of the buffers that state_dict leaves out; a set is a record of the list it was
 * made of. */
static bool is_listed(walk *w, const pickle_node *set, const pickle_node *key)
{
    const pickle_node *list =
        set != NULL && set->kind == PICKLE_OBJECT ? pickle_item(set->as.object.args, 0) : set;
    if (list == NULL || (list->kind != PICKLE_LIST && list->kind != PICKLE_SET))
        return false;
    w->n_steps += list->as.items.n; /* as many for every buffer: it counts */
    for (const pickle_cell *c = list->as.items.first; c != NULL; c = c->next)
        if (c->value->kind == PICKLE_TEXT && c->value->as.text.n == key->as.text.n &&
            memcmp(c->value->as.text.bytes, key->as.text.bytes, key->as.text.n) == 0)
            return true;
    return false;
}

/* The tensors of one dict of a module, or of a plain state dict when others are to be passed over.
 */
static vg_status walk_tensors(walk *w, const pickle_node *dict, size_t n_prefix,
                              const pickle_node *left_out, bool only_tensors)
{
    for (const pickle_cell *c = dict->as.items.first; c != NULL; c = c->next) {
        size_t n_name = 0;
        if (++w->n_steps > MOST_STEPS)
            return bad(w, VG_ERR_LIMIT, dict, "the model unfolds without end");
        if (c->value->kind == PICKLE_NONE || (only_tensors && !pt_is_tensor(c->value)))
            continue;
        vg_status st = extend_name(w, n_prefix, c->key, &n_name);
        if (st == VG_OK && !is_listed(w, left_out, c->key))
            st = add_tensor(w, c->value);
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

/* Modules that normalise have an eps: tensors do not say it. */
static vg_status add_eps(walk *w, const pickle_node *module, size_t n_name)
{
    const pickle_node *eps = pickle_attribute(module, "eps");
    if (eps == NULL || eps->kind != PICKLE_REAL)
        return VG_OK;
    if (w->bns != NULL) {
        const char *key = arena_text(&w->c->f->own, w->name, n_name, w->c->err);
        if (key == NULL)
            return w->c->err->status;
        w->bns[w->n_bns] = (weights_bn){.key = key, .eps = eps->as.real};
    }
    w->n_bns++;
    return VG_OK;
}

static bool is_module(const pickle_node *n)
{
    const pickle_node *children = pickle_attribute(n, "_modules");
    return children != NULL && children->kind == PICKLE_DICT;
}

static vg_status walk_module(walk *w, const pickle_node *module, size_t n_prefix, int depth)
{
    if (!is_module(module))
        return bad(w, VG_ERR_FORMAT, module, "it is no module of PyTorch: it has no _modules");
    if (depth > MOST_DEPTH)
        return bad(w, VG_ERR_LIMIT, module,
                   "modules are nested deeper than 32, or contain themselves");
    w->n_steps += module->as.object.state->as.items.n;

    const pickle_node *left_out = pickle_attribute(module, "_non_persistent_buffers_set");
    const char *kinds[] = {"_parameters", "_buffers"};
    for (size_t i = 0; i < 2; i++) {
        const pickle_node *dict = pickle_attribute(module, kinds[i]);
        if (dict == NULL || dict->kind != PICKLE_DICT)
            return bad(w, VG_ERR_FORMAT, module, "it has no _parameters or _buffers");
        vg_status st = walk_tensors(w, dict, n_prefix, i == 1 ? left_out : NULL, false);
        if (st != VG_OK)
            return st;
    }
    vg_status noted = add_eps(w, module, n_prefix);
    if (noted != VG_OK)
        return noted;
    const pickle_node *children = pickle_attribute(module, "_modules");
    for (const pickle_cell *c = children->as.items.first; c != NULL; c = c->next) {
        size_t n_name = 0;
        if (++w->n_steps > MOST_STEPS)
            return bad(w, VG_ERR_LIMIT, module, "the model unfolds without end");
        if (c->value->kind == PICKLE_NONE)
            continue;
        vg_status st = extend_name(w, n_prefix, c->key, &n_name);
        if (st == VG_OK)
            st = walk_module(w, c->value, n_name, depth + 1);
        if (st != VG_OK)
            return st;
        w->name[n_prefix] = '\0';
    }
    return VG_OK;
}

static vg_status walk_model(walk *w, const pickle_node *model)
{
    w->name[0] = '\0';
    w->n_steps = 0;
    w->n_tensors = 0;
    w->n_bns = 0;
    return model->kind == PICKLE_DICT ? walk_tensors(w, model, 0, NULL, true)
                                      : walk_module(w, model, 0, 0);
}

/* ---- choice ---- */

static bool holds_tensor(const pickle_node *dict)
{
    if (dict != NULL && dict->kind == PICKLE_DICT)
        for (const pickle_cell *c = dict->as.items.first; c != NULL; c = c->next)
            if (pt_is_tensor(c->value))
                return true;
    return false;
}

static vg_status choose_model(pt_context *c, const pickle_node *root, const pickle_node **out)
{
    static const char *keys[] = {"ema", "model", "state_dict"};
    *out = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && *out == NULL; i++) {
        const pickle_node *n = pickle_get(root, keys[i]);
        if (n == NULL || n->kind == PICKLE_NONE)
            continue;
        *out = n;
        c->f->meta.chosen = keys[i];
    }
    if (*out == NULL && (is_module(root) || holds_tensor(root)))
        *out = root;
    if (*out != NULL && (is_module(*out) || holds_tensor(*out)))
        return VG_OK;
    const pickle_node *found = *out != NULL ? *out : root;
    const char *kind = pickle_kind_name(found->kind);
    return base_fail(
        c->err, VG_ERR_FORMAT, base_where("%s, data.pkl byte %" PRIu32, c->f->name, found->at),
        "give a detection checkpoint (best.pt, last.pt, yolo11n.pt) or a dict of tensors",
        "the checkpoint holds no model: its %s is %s %s",
        c->f->meta.chosen != NULL ? c->f->meta.chosen : "top", strchr("io", kind[0]) ? "an" : "a",
        kind);
}

static vg_status read_tensors(pt_context *c, const pickle_node *model)
{
    walk w = {.c = c};
    vg_status st = walk_model(&w, model);
    if (st != VG_OK)
        return st;
    if (w.n_tensors == 0)
        return bad(&w, VG_ERR_FORMAT, model, "the model has no tensors");
    w.tensors = arena_take(&c->f->own, w.n_tensors, sizeof *w.tensors, c->err);
    w.bns = arena_take(&c->f->own, w.n_bns + 1, sizeof *w.bns, c->err);
    if (w.tensors == NULL || w.bns == NULL)
        return c->err->status;
    st = walk_model(&w, model);
    c->f->bns = w.bns;
    c->f->n_bns = w.n_bns;
    c->f->tensors = w.tensors;
    c->f->n_tensors = w.n_tensors;
    return st;
}

vg_status pt_read(weights_file *f, base_mem *mem, vg_error *err)
{
    pt_context c = {.f = f, .mem = mem, .err = err};
    const zip_entry *data = NULL;
    const pickle_node *model = NULL;
    pickle_graph graph = {0};
    arena values;
    base_text source = base_text_make("%s, data.pkl", f->name);
    arena_init(&values, (size_t)256 << 10, PICKLE_MOST_ARENA_BYTES, "the pickle's values", mem);
    vg_status st = zip_read(&c.zip, f->bytes, f->n_bytes, f->name, mem, err);
    if (st == VG_OK)
        st = find_pickle(&c, &values, &data);
    if (st == VG_OK)
        st = check_layout(&c);
    if (st == VG_OK)
        st = pickle_read(&graph, data->data, data->n_bytes, source.text, &values, mem, err);
    if (st == VG_OK)
        st = choose_model(&c, graph.root, &model);
    if (st == VG_OK)
        st = read_tensors(&c, model);
    if (st == VG_OK)
        st = pt_read_meta(&c, graph.root, is_module(model) ? model : NULL);
    if (st == VG_OK)
        st = pt_count_unknown_classes(&c, graph.classes);
    arena_fini(&values);
    zip_fini(&c.zip);
    return st;
}
