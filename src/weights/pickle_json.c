/* pickle_json.c: a value of a pickle as JSON text. The graph may be cyclic, or a small one that
 * unfolds to a large tree: depth is bounded, and every step writes at least a byte, so that the
 * bound on the text bounds the work. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "file.h"
#include "pickle.h"

enum { MOST_DEPTH = 64 };

typedef struct writer {
    base_str *out;
    bool unwrap;
    size_t most_bytes;
    base_mem *mem;
    vg_error *err;
} writer;

static vg_status raw(writer *w, const char *text)
{
    return base_str_add(w->out, w->most_bytes, w->mem, w->err, "%s", text);
}

static vg_status write_text(writer *w, const pickle_node *n, const char *bytes, size_t length)
{
    if (length > w->most_bytes)
        return base_fail(w->err, VG_ERR_LIMIT, base_where("data.pkl, byte %" PRIu32, n->at), NULL,
                         "a text of %zu bytes, more than %zu", length, w->most_bytes);
    if (!weights_is_utf8(bytes, length))
        return base_fail(w->err, VG_ERR_FORMAT, base_where("data.pkl, byte %" PRIu32, n->at),
                         "copy or download the file again",
                         "a text is not UTF-8, or holds a 0 byte");
    char *text = base_strndup(w->mem, bytes, length, w->err);
    if (text == NULL)
        return VG_ERR_MEMORY;
    const size_t n_escaped = base_json_escape(NULL, 0, text);
    char *escaped = base_alloc(w->mem, n_escaped + 1, w->err);
    vg_status st = VG_ERR_MEMORY;
    if (escaped != NULL) {
        base_json_escape(escaped, n_escaped + 1, text);
        st = base_str_add(w->out, w->most_bytes, w->mem, w->err, "\"%s\"", escaped);
    }
    base_free(escaped);
    base_free(text);
    return st;
}

static vg_status write_real(writer *w, double real)
{
    char buf[40];
    if (!isfinite(real))
        return raw(w, "null");
    weights_format_real(buf, sizeof buf, real);
    return raw(w, buf);
}

static vg_status write_value(writer *w, const pickle_node *n, int depth);

static vg_status write_list(writer *w, const pickle_node *n, int depth)
{
    vg_status st = raw(w, "[");
    for (const pickle_cell *c = n->as.items.first; c != NULL && st == VG_OK; c = c->next) {
        st = write_value(w, c->value, depth + 1);
        if (st == VG_OK && c->next != NULL)
            st = raw(w, ",");
    }
    return st == VG_OK ? raw(w, "]") : st;
}

static vg_status write_key(writer *w, const pickle_node *key)
{
    if (key->kind == PICKLE_TEXT)
        return write_text(w, key, key->as.text.bytes, key->as.text.n);
    if (key->kind == PICKLE_INT)
        return base_str_add(w->out, w->most_bytes, w->mem, w->err, "\"%" PRId64 "\"", key->as.i);
    return base_fail(w->err, VG_ERR_FORMAT, base_where("data.pkl, byte %" PRIu32, key->at), NULL,
                     "a dict of settings has a key that is a %s", pickle_kind_name(key->kind));
}

static vg_status write_dict(writer *w, const pickle_node *n, int depth)
{
    vg_status st = raw(w, "{");
    for (const pickle_cell *c = n->as.items.first; c != NULL && st == VG_OK; c = c->next) {
        st = write_key(w, c->key);
        if (st == VG_OK)
            st = raw(w, ":");
        if (st == VG_OK)
            st = write_value(w, c->value, depth + 1);
        if (st == VG_OK && c->next != NULL)
            st = raw(w, ",");
    }
    return st == VG_OK ? raw(w, "}") : st;
}

/* pathlib pickles a path as its class and its parts. */
static vg_status write_path(writer *w, const pickle_node *object)
{
    base_str path = {0};
    const pickle_node *parts = object->as.object.args;
    vg_status st = VG_OK;
    bool slash = false;
    for (const pickle_cell *c = parts->as.items.first; c != NULL && st == VG_OK; c = c->next) {
        if (c->value->kind != PICKLE_TEXT)
            st = base_fail(w->err, VG_ERR_FORMAT, base_where("data.pkl, byte %" PRIu32, object->at),
                           NULL, "a part of a path is a %s", pickle_kind_name(c->value->kind));
        if (slash && st == VG_OK)
            st = base_str_add(&path, w->most_bytes, w->mem, w->err, "/");
        if (st == VG_OK)
            st = base_str_add_bytes(&path, w->most_bytes, c->value->as.text.bytes,
                                    c->value->as.text.n, w->mem, w->err);
        slash = path.length > 0 && path.text[path.length - 1] != '/';
    }
    if (st == VG_OK)
        st = write_text(w, object, path.length > 0 ? path.text : "", path.length);
    base_str_fini(&path);
    return st;
}

static vg_status write_object(writer *w, const pickle_node *n, int depth)
{
    static const char *paths[] = {"PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath",
                                  "Path"};
    const pickle_node *type = pickle_type(n), *args = n->as.object.args;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (args->kind == PICKLE_TUPLE && (pickle_is_class(type, "pathlib", paths[i]) ||
                                           pickle_is_class(type, "pathlib._local", paths[i])))
            return write_path(w, n);
    const pickle_node *state = n->as.object.state;
    return w->unwrap && state != NULL && state->kind == PICKLE_DICT ? write_dict(w, state, depth)
                                                                    : raw(w, "null");
}

static vg_status write_value(writer *w, const pickle_node *n, int depth)
{
    if (depth > MOST_DEPTH)
        return base_fail(w->err, VG_ERR_LIMIT, base_where("data.pkl, byte %" PRIu32, n->at), NULL,
                         "settings are nested deeper than %d, or contain themselves", MOST_DEPTH);
    switch (n->kind) {
    case PICKLE_BOOL:
        return raw(w, n->as.i != 0 ? "true" : "false");
    case PICKLE_INT:
        return base_str_add(w->out, w->most_bytes, w->mem, w->err, "%" PRId64, n->as.i);
    case PICKLE_REAL:
        return write_real(w, n->as.real);
    case PICKLE_TEXT:
        return write_text(w, n, n->as.text.bytes, n->as.text.n);
    case PICKLE_LIST:
    case PICKLE_TUPLE:
    case PICKLE_SET:
        return write_list(w, n, depth);
    case PICKLE_DICT:
        return write_dict(w, n, depth);
    case PICKLE_OBJECT:
        return write_object(w, n, depth);
    case PICKLE_NONE:
    case PICKLE_BIG:
    case PICKLE_BYTES:
    case PICKLE_CLASS:
    case PICKLE_PERSISTENT:
        break;
    }
    return raw(w, "null");
}

vg_status pickle_to_json(base_str *out, const pickle_node *n, bool unwrap, size_t most_bytes,
                         base_mem *mem, vg_error *err)
{
    writer w = {.out = out, .unwrap = unwrap, .most_bytes = most_bytes, .mem = mem, .err = err};
    return write_value(&w, n, 0);
}
