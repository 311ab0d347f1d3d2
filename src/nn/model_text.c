/* model_text.c: a model's YAML as text that a run carries on: with the run's class count, whether
 * it came from a file, from a checkpoint (JSON there) or is a built-in one. */
#include <string.h>

#include "graph.h"

enum { MOST_BYTES = 1 << 20 };

/* What writes; the first failure ends it. */
typedef struct writer {
    base_str text;
    base_mem *mem;
    vg_error *err;
    vg_status status;
} writer;

#define PUT(w, ...)                                                                                \
    ((w)->status = (w)->status == VG_OK                                                            \
                       ? base_str_add(&(w)->text, MOST_BYTES, (w)->mem, (w)->err, __VA_ARGS__)     \
                       : (w)->status)

/* A text that YAML reads as one without quotes. */
static bool is_word(const char *s)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const char *const not_texts[] = {"true", "false", "yes", "no", "on", "off", "null"};
    for (size_t i = 0; i < sizeof not_texts / sizeof *not_texts; i++)
        if (base_equal_nocase(s, not_texts[i]))
            return false;
    const size_t n = strspn(s, letters);
    return n > 0 && s[n + strspn(s + n, "0123456789_.ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "abcdefghijklmnopqrstuvwxyz")] == '\0';
}

static void put_text(writer *w, const char *s)
{
    char quoted[512];
    if (is_word(s)) {
        PUT(w, "%s", s);
        return;
    }
    base_json_escape(quoted, sizeof quoted, s);
    PUT(w, "\"%s\"", quoted);
}

/* In one line, as YAML and JSON both have it; lists and scalars alone. */
static void put_node(writer *w, const base_node *n)
{
    char number[32];
    switch (n->kind) {
    case BASE_NODE_NULL:
        PUT(w, "None");
        break;
    case BASE_NODE_BOOL:
        PUT(w, "%s", n->i ? "True" : "False");
        break;
    case BASE_NODE_INT:
        PUT(w, "%lld", (long long)n->i);
        break;
    case BASE_NODE_REAL:
        PUT(w, "%s", base_format_double(number, sizeof number, n->real));
        break;
    case BASE_NODE_TEXT:
        put_text(w, n->text);
        break;
    case BASE_NODE_LIST:
    case BASE_NODE_MAP:
        PUT(w, "[");
        for (const base_node *c = n->first; c && w->status == VG_OK; c = c->next) {
            put_node(w, c);
            PUT(w, "%s", c->next ? ", " : "");
        }
        PUT(w, "]");
        break;
    }
}

static void put_points(writer *w, const nn_graph_options *o)
{
    PUT(w, "kpt_shape: [%d, %d]\n", o->keypoints, o->keypoint_dims);
}

static void put_rows(writer *w, const base_node *root, const char *name)
{
    const base_node *rows = base_node_get(root, name);
    PUT(w, "%s:\n", name);
    for (const base_node *row = rows ? rows->first : NULL; row; row = row->next) {
        PUT(w, "  - ");
        put_node(w, row);
        PUT(w, "\n");
    }
}

/* What of a model's JSON makes the graph, as a YAML. */
static void put_model(writer *w, const base_node *root, const nn_graph_options *o)
{
    static const char *const numbers[] = {"depth_multiple", "width_multiple"};
    const base_node *scales = base_node_get(root, "scales"), *scale = base_node_get(root, "scale"),
                    *branch = base_node_get(root, "class_branch");
    const base_node *points = base_node_get(root, "kpt_shape");
    PUT(w, "nc: %d\n", o->nc);
    if (o->keypoints > 0)
        put_points(w, o);
    else if (points && points->kind == BASE_NODE_LIST) {
        PUT(w, "kpt_shape: ");
        put_node(w, points);
        PUT(w, "\n");
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const base_node *n = base_node_get(root, numbers[i]);
        if (!n)
            continue;
        PUT(w, "%s: ", numbers[i]);
        put_node(w, n);
        PUT(w, "\n");
    }
    if (scale && scale->kind == BASE_NODE_TEXT && is_word(scale->text))
        PUT(w, "scale: %s\n", scale->text);
    if (branch && branch->kind == BASE_NODE_TEXT && is_word(branch->text))
        PUT(w, "class_branch: %s\n", branch->text);
    if (scales && scales->kind == BASE_NODE_MAP && scales->first) {
        PUT(w, "scales: # depth, width, most channels\n");
        for (const base_node *s = scales->first; s; s = s->next) {
            PUT(w, "  ");
            put_text(w, s->key);
            PUT(w, ": ");
            put_node(w, s);
            PUT(w, "\n");
        }
    }
    put_rows(w, root, "backbone");
    put_rows(w, root, "head");
}

static vg_status finish(char **out, writer *w)
{
    if (w->status == VG_OK) {
        *out = w->text.text;
        w->text = (base_str){0};
    }
    base_str_fini(&w->text);
    return w->status;
}

/* Where the line that begins with `key` begins; NULL: there is none. */
static const char *find_line(const char *text, const char *key)
{
    const size_t n = strlen(key);
    while (text != NULL && strncmp(text, key, n) != 0) {
        text = strchr(text, '\n');
        text = text != NULL ? text + 1 : NULL;
    }
    return text;
}

/* The text with its lines of nc, and of kpt_shape where that is another, replaced, or put above it.
 */
static void put_with(writer *w, const char *text, const nn_graph_options *o)
{
    static const char *const keys[] = {"nc:", "kpt_shape:"};
    const char *lines[2] = {find_line(text, keys[0]),
                            o->keypoints > 0 ? find_line(text, keys[1]) : NULL};
    if (lines[0] == NULL)
        PUT(w, "nc: %d\n", o->nc);
    if (o->keypoints > 0 && lines[1] == NULL)
        put_points(w, o);
    for (const char *at = text; *at && w->status == VG_OK;) {
        const size_t n = strcspn(at, "\n");
        if (at == lines[0])
            PUT(w, "nc: %d", o->nc);
        else if (at == lines[1])
            PUT(w, "kpt_shape: [%d, %d]", o->keypoints, o->keypoint_dims);
        else
            PUT(w, "%.*s", (int)n, at);
        PUT(w, "%s", at[n] ? "\n" : "");
        at += n + (at[n] ? 1 : 0);
    }
}

vg_status nn_model_text(char **out, const char *yaml, const nn_graph_options *o, base_mem *mem,
                        vg_error *err)
{
    writer w = {.mem = mem, .err = err};
    *out = NULL;
    put_with(&w, yaml, o);
    return finish(out, &w);
}

vg_status nn_model_text_of_weights(char **out, const nn_graph *g, const weights_file *f,
                                   const nn_graph_options *o, base_mem *mem, vg_error *err)
{
    const char *text = weights_get_meta(f)->model_yaml;
    writer w = {.mem = mem, .err = err};
    base_tree *tree = NULL;
    *out = NULL;
    if (text[0] == '{') {
        w.status =
            base_tree_from_json(&tree, text, strlen(text), "model (in the weights file)", mem, err);
        if (w.status == VG_OK)
            put_model(&w, base_tree_root(tree), o);
        base_tree_destroy(&tree);
    } else {
        put_with(&w, text[0] ? text : g->builtin, o);
    }
    if (w.status == VG_OK && !g->branch_is_expected && !strstr(w.text.text, "class_branch:"))
        PUT(&w, "class_branch: %s\n", g->class_branch == NN_CLASS_PLAIN ? "plain" : "depthwise");
    return finish(out, &w);
}
