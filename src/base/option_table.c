/* option_table.c: a table of options: names, values that are told with their remedy, YAML. */
#include "option.h"

#include <assert.h>
#include <inttypes.h>

#include "base.h"

enum { VALUE_BYTES = 16384 };

/* ---- names ---- */

const vg_option *base_options_find(const base_options *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (vg_name_equal(t->rows[i].name, name) ||
            (t->rows[i].alias != NULL && vg_name_equal(t->rows[i].alias, name)))
            return &t->rows[i];
    return NULL;
}

static const char *name_at(const void *table, size_t i)
{
    const base_options *t = table;
    return i < t->n ? t->rows[i].name : t->and_key;
}

const char *base_options_hint(const base_options *t, const char *name)
{
    const char *nearest = vg_name_nearest(name, name_at, t, t->n + 1);
    return nearest != NULL ? nearest : t->mend;
}

/* ---- errors ---- */

/* " such as ..." where the preset says more than that there is none. */
static const char *example(char *buf, size_t n, const vg_option *o)
{
    const bool is_one = o->preset[0] != '\0' && strcmp(o->preset, "0") != 0;
    base_format(buf, n, "%s%s", is_one ? ", such as " : "", is_one ? o->preset : "");
    return buf;
}

/* What is wanted of the option: "a number from 0 to 1". *more: an example, for the remedy alone. */
static void wanted(char *buf, size_t n, char *more, size_t n_more, const vg_option *o)
{
    more[0] = '\0';
    switch (o->kind) {
    case VG_OPTION_BOOL:
        base_format(buf, n, "true or false");
        return;
    case VG_OPTION_SWITCH:
        base_format(buf, n, "true, false or auto");
        return;
    case VG_OPTION_INT:
        base_format(buf, n, "a whole number from %.10g to %.10g", o->least, o->most);
        example(more, n_more, o);
        return;
    case VG_OPTION_SIZE:
        base_format(buf, n, "a whole number from %.10g to %.10g, or two: height,width", o->least,
                    o->most);
        return;
    case VG_OPTION_INTS:
    case VG_OPTION_LAYERS:
        base_format(buf, n, "a list of at most %d whole numbers from %.10g to %.10g",
                    VG_OPTION_MOST_INTS, o->least, o->most);
        base_format(more, n_more, ", such as 0,2,5");
        return;
    case VG_OPTION_CLASSES:
        base_format(buf, n, "a list of classes, by number from %.10g to %.10g or by name", o->least,
                    o->most);
        base_format(more, n_more, ", such as 0,2,person");
        return;
    case VG_OPTION_BYTES:
        base_format(buf, n, "a size such as 512M, 400MB or 1.5G");
        return;
    case VG_OPTION_SECONDS:
        base_format(buf, n, "a time such as 5s, 10m or 2h, from %g s to %g s", o->least, o->most);
        return;
    case VG_OPTION_RATIO:
        base_format(buf, n, "a share such as 0.95 or 95%%");
        return;
    case VG_OPTION_BITS:
        base_format(buf, n, "some of %s, with commas", o->choices);
        return;
    case VG_OPTION_TEXT:
    case VG_OPTION_CHOICE:
        base_format(buf, n, "one of %s", o->choices != NULL ? o->choices : "");
        return;
    default:
        base_format(buf, n, "a number from %.10g to %.10g", o->least, o->most);
        example(more, n_more, o);
    }
}

static base_text place(const base_options *t, const vg_option *o)
{
    return base_text_make("%s%s", t->where, o->name);
}

static vg_status fail_value(const base_options *t, const vg_option *o, const char *text,
                            vg_error *err)
{
    char what[160], more[64];
    wanted(what, sizeof what, more, sizeof more, o);
    return base_fail(err, VG_ERR_ARGUMENT, place(t, o).text, base_mend("give %s%s", what, more),
                     "%s=%.200s is not %s", o->name, text, what);
}

static vg_status fail_length(const base_options *t, const vg_option *o, const char *text,
                             vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, place(t, o).text,
                     base_mend("use a shorter one, of at most %zu bytes", vg_option_bytes(o) - 1),
                     "a text of %zu bytes for %s", strlen(text), o->name);
}

/* ---- values ---- */

/* How it will be kept: what is not UTF-8 would come back as U+FFFD. */
static bool is_kept(const char *text)
{
    char escaped[6 * VG_OPTION_TEXT_BYTES];
    base_json_escape(escaped, sizeof escaped, text);
    return strstr(escaped, "\xef\xbf\xbd") == NULL;
}

static bool is_none(const base_options *t, const vg_option *o, const char *text)
{
    const bool can_be_empty = o->kind == VG_OPTION_TEXT || o->kind == VG_OPTION_FILE ||
                              o->kind == VG_OPTION_FOLDER || o->kind == VG_OPTION_BYTES ||
                              o->kind == VG_OPTION_INTS || o->kind == VG_OPTION_LAYERS ||
                              o->kind == VG_OPTION_CLASSES;
    return t->has_none && can_be_empty &&
           (base_equal_nocase(text, "none") || base_equal_nocase(text, "null"));
}

static vg_status set_text(const base_options *t, void *values, const vg_option *o, const char *text,
                          vg_error *err)
{
    char whole[VG_OPTION_TEXT_BYTES];
    if (strlen(text) >= sizeof whole)
        return fail_length(t, o, text, err);
    if (t->is_utf8 && !is_kept(text))
        return base_fail(err, VG_ERR_ARGUMENT, place(t, o).text, "use a name in UTF-8",
                         "a text for %s that is not UTF-8", o->name);
    memcpy(whole, text, strlen(text) + 1);
    if (t->expands) {
        const vg_status st = base_text_expand(whole, sizeof whole, text, err);
        if (st != VG_OK) {
            base_error_prefix_where(err, place(t, o).text);
            return st;
        }
    }
    switch (vg_option_read(o, values, whole)) {
    case VG_OPTION_GOOD:
        return VG_OK;
    case VG_OPTION_TOO_LONG:
        return fail_length(t, o, whole, err);
    default:
        return fail_value(t, o, text, err);
    }
}

static vg_status set_value(const base_options *t, void *values, const vg_option *o,
                           const char *text, vg_error *err)
{
    if (is_none(t, o, text))
        text = "";
    if (o->kind == VG_OPTION_TEXT || o->kind == VG_OPTION_FILE || o->kind == VG_OPTION_FOLDER)
        return set_text(t, values, o, text, err);
    return vg_option_read(o, values, text) == VG_OPTION_GOOD ? VG_OK : fail_value(t, o, text, err);
}

/* text asks for no more than the preset: as words, truths or numbers. */
static bool is_as_preset(const vg_option *o, const char *text)
{
    bool yes, preset_yes;
    double x, preset_x;
    return base_equal_nocase(text, o->preset) ||
           (base_parse_bool(&yes, text) && base_parse_bool(&preset_yes, o->preset) &&
            yes == preset_yes) ||
           (base_parse_double(&x, text) && base_parse_double(&preset_x, o->preset) &&
            !(x < preset_x) && !(x > preset_x));
}

void base_options_default(const base_options *t, void *values)
{
    for (size_t i = 0; i < t->n; i++) {
        const vg_option_fault fault = vg_option_read(&t->rows[i], values, t->rows[i].preset);
        assert(fault == VG_OPTION_GOOD);
        (void)fault;
    }
}

vg_status base_options_set(const base_options *t, void *values, const char *name, const char *text,
                           vg_error *err)
{
    const vg_option *o = base_options_find(t, name);
    if (o != NULL && o->stands == VG_OPTION_REFUSED && !is_as_preset(o, text))
        return base_fail(err, VG_ERR_ARGUMENT, place(t, o).text, o->instead, "no %s=%.200s: %s",
                         o->name, text, o->why);
    if (o != NULL)
        return set_value(t, values, o, text, err);
    return base_fail(err, VG_ERR_ARGUMENT, NULL, base_options_hint(t, name),
                     "no %s is named %.100s", t->noun, name);
}

/* ---- from YAML and JSON ---- */

/* As it was written; JSON's numbers and truths have no text of their own. */
static bool scalar_text(char *buf, size_t n, const base_node *node)
{
    char number[32];
    switch (node->kind) {
    case BASE_NODE_NULL:
        return base_format(buf, n, "%s", "");
    case BASE_NODE_LIST:
    case BASE_NODE_MAP:
        return false;
    default:
        if (node->text != NULL)
            return base_format(buf, n, "%s", node->text);
    }
    if (node->kind == BASE_NODE_BOOL)
        return base_format(buf, n, "%s", node->i != 0 ? "true" : "false");
    if (node->kind == BASE_NODE_INT)
        return base_format(buf, n, "%" PRId64, node->i);
    return base_format(buf, n, "%s", base_format_double(number, sizeof number, node->real));
}

vg_status base_node_value(char *buf, size_t n, const base_node *node, const char *where,
                          vg_error *err)
{
    bool fits = true;
    size_t length = 0;
    buf[0] = '\0';
    if (node->kind != BASE_NODE_LIST)
        fits = scalar_text(buf, n, node);
    for (const base_node *c = node->first; c != NULL && fits && node->kind == BASE_NODE_LIST;
         c = c->next) {
        fits = base_format(buf + length, n - length, "%s", length > 0 ? "," : "");
        length += strlen(buf + length);
        fits = fits && scalar_text(buf + length, n - length, c);
        length += strlen(buf + length);
    }
    return fits ? VG_OK
                : base_fail(err, VG_ERR_FORMAT, where, "give a single value or a short list",
                            "a value of %.100s that is neither", node->key);
}

vg_status base_options_set_node(const base_options *t, void *values, const base_node *node,
                                const char *source, vg_error *err)
{
    char text[VALUE_BYTES];
    const base_text where = base_text_make("%.400s:%d", source, node->line);
    vg_status st = base_node_value(text, sizeof text, node, where.text, err);
    if (st == VG_OK && (st = base_options_set(t, values, node->key, text, err)) != VG_OK)
        base_error_prefix_where(err, where.text);
    return st;
}
