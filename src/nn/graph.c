/* graph.c: a model's YAML row by row into a graph. Spec 1.1 and 1.2 for the grammar and the scaling
 * rules. */
#include <math.h>
#include <string.h>

#include "build.h"
#include "models.h"

enum { MAX_ROWS = 1024, MAX_REPEATS = 64 };

typedef struct scaling {
    double depth, width;
    double most_channels;
} scaling;

static const base_node *must(const base_node *n, base_node_kind kind)
{
    return n && n->kind == kind ? n : NULL;
}

static double factor(const base_node *n)
{
    return n && (n->kind == BASE_NODE_INT || n->kind == BASE_NODE_REAL) && n->real > 0 &&
                   n->real <= 1e6
               ? n->real
               : 1;
}

/* The scale's three factors; a YAML without `scales` has factors of one. */
static vg_status read_scaling(scaling *out, nn_graph *g, const base_tree *yaml, const char *wanted,
                              vg_error *err)
{
    const base_node *root = base_tree_root(yaml),
                    *scales = must(base_node_get(root, "scales"), BASE_NODE_MAP);
    const base_node *said = must(base_node_get(root, "scale"), BASE_NODE_TEXT);
    const char *source = base_tree_source(yaml);
    *out = (scaling){1, 1, NN_MAX_CHANNELS};
    if (!scales || scales->n_children == 0) {
        /* as YAMLs said it before there were scales */
        out->depth = factor(base_node_get(root, "depth_multiple"));
        out->width = factor(base_node_get(root, "width_multiple"));
        return VG_OK;
    }
    const char *name = wanted && *wanted ? wanted : said ? said->text : scales->first->key;
    const base_node *s = base_node_get(scales, name);
    if (!s)
        return base_fail(err, VG_ERR_ARGUMENT, base_where("%s, scales", source),
                         "use one of the YAML's scales", "no scale \"%s\"", name);
    double v[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        const base_node *n = base_node_at(s, i);
        if (!n || (n->kind != BASE_NODE_INT && n->kind != BASE_NODE_REAL) ||
            !(n->real > 0 && n->real <= 1e6))
            return base_fail(err, VG_ERR_FORMAT, base_where("%s:%d, scales", source, s->line),
                             "write [depth, width, most channels]",
                             "scale \"%s\" has no three numbers above 0", name);
        v[i] = n->real;
    }
    *out = (scaling){v[0], v[1], v[2]};
    base_format(g->scale, sizeof g->scale, "%s", name);
    return VG_OK;
}

/* Spec 1.1: c = 8 * ceil(min(c_yaml, M) * w / 8), but for a width that happens to equal nc (spec 9,
 * item 20). NN_MAX_CHANNELS + 1 stands for all that are too many. */
static int scaled_width(int64_t c, const scaling *s, int nc)
{
    if (c == nc)
        return (int)c;
    double wide = (double)c < s->most_channels ? (double)c : s->most_channels;
    double scaled = 8 * ceil(wide * s->width / 8);
    return scaled <= NN_MAX_CHANNELS ? (int)scaled : NN_MAX_CHANNELS + 1;
}

/* Writes a node as the YAML had it: "-1", "[16, 19, 22]". */
static void node_text(char *buf, size_t n, const base_node *node)
{
    if (!node || node->kind != BASE_NODE_LIST) {
        base_format(buf, n, "%s",
                    node && node->text ? node->text
                    : node             ? base_node_kind_name(node->kind)
                                       : "");
        if (node && !node->text && node->kind == BASE_NODE_INT)
            base_format(buf, n, "%lld", (long long)node->i);
        else if (node && !node->text && node->kind == BASE_NODE_REAL)
            base_format(buf, n, "%g", node->real);
        else if (node && !node->text && node->kind == BASE_NODE_BOOL)
            base_format(buf, n, "%s", node->i ? "True" : "False");
        else if (node && node->kind == BASE_NODE_NULL)
            base_format(buf, n, "None");
        return;
    }
    size_t used = 0;
    base_format(buf, n, "[");
    for (const base_node *c = node->first; c && used < n; c = c->next) {
        used = strlen(buf);
        node_text(buf + used, n - used, c);
        used = strlen(buf);
        base_format(buf + used, n - used, "%s", c->next ? ", " : "]");
    }
    if (!node->first)
        base_format(buf, n, "[]");
}

/* `from`: a row number, or a list of them, negative ones counting back. */
static void read_from(nn_builder *b, nn_module_args *a, const base_node *from, int row)
{
    const base_node *n = from && from->kind == BASE_NODE_LIST ? from->first : from;
    for (; n; n = from && from->kind == BASE_NODE_LIST ? n->next : NULL) {
        if (n->kind != BASE_NODE_INT || n->i >= row || n->i < -(int64_t)row - 1 ||
            a->n_in == NN_MAX_INPUTS) {
            nn_build_fail(b, VG_ERR_FORMAT, "name rows above this one, or -1",
                          "a `from` that is no earlier row");
            return;
        }
        int at = (int)(n->i < 0 ? row + n->i : n->i);
        int value = at < 0 ? b->graph->input : b->graph->layers[at].out;
        if (value == NN_NO_VALUE) {
            nn_build_fail(b, VG_ERR_FORMAT, "put the head last", "a `from` that names a head");
            return;
        }
        a->in[a->n_in++] = value;
    }
    if (a->n_in == 0)
        nn_build_fail(b, VG_ERR_FORMAT, NULL, "a row without `from`");
}

/* A module that does not repeat inside is stacked: model.3.0, model.3.1, ... */
static int build_stacked(nn_builder *b, const nn_module *m, nn_module_args a, int repeats)
{
    if (repeats == 1)
        return m->build(b, &a);
    nn_key base_key = nn_key_make(a.key, "%s", "");
    int out = NN_NO_VALUE;
    for (int i = 0; i < repeats && b->status == VG_OK; i++) {
        nn_key key = nn_key_make(base_key.text, ".%d", i);
        a.key = key.text;
        out = m->build(b, &a);
        a.in[0] = out;
        a.n_in = 1;
        if (out == NN_NO_VALUE)
            break;
    }
    return out;
}

static void build_row(nn_builder *b, const base_node *row_node, int row, const scaling *s)
{
    const base_node *from = base_node_at(row_node, 0), *repeats = base_node_at(row_node, 1),
                    *module = base_node_at(row_node, 2), *args = base_node_at(row_node, 3);
    b->line = row_node->line;
    b->layer = row;
    if (!must(repeats, BASE_NODE_INT) || repeats->i < 1 || repeats->i > MAX_REPEATS ||
        !must(module, BASE_NODE_TEXT) || !must(args, BASE_NODE_LIST)) {
        nn_build_fail(b, VG_ERR_FORMAT, "write [from, repeats, module, [arguments]]",
                      "a row that is not [from, repeats 1..%d, module, arguments]", MAX_REPEATS);
        return;
    }
    const nn_module *m = nn_module_find(module->text);
    if (!m) {
        char names[200];
        nn_module_names(names, sizeof names);
        nn_build_fail(b, VG_ERR_UNSUPPORTED, base_mend("vigil has: %s", names), "the module \"%s\"",
                      module->text);
        return;
    }
    double deep = repeats->i > 1 ? rint((double)repeats->i * s->depth) : 1;
    if (deep > MAX_REPEATS) {
        nn_build_fail(b, VG_ERR_LIMIT, NULL, "%.0f repeats after scaling, more than %d", deep,
                      MAX_REPEATS);
        return;
    }
    int n = deep < 1 ? 1 : (int)deep;
    nn_key key = nn_key_make("model", ".%d", row);
    nn_module_args a = {.key = key.text, .repeats = m->repeats_inside ? n : 1, .args = args};
    read_from(b, &a, from, row);
    if (m->scales_width && b->status == VG_OK) {
        const base_node *c2 = must(base_node_at(args, 0), BASE_NODE_INT);
        if (!c2 || c2->i < 1 || c2->i > NN_MAX_CHANNELS)
            nn_build_fail(b, VG_ERR_FORMAT, NULL, "the module \"%s\" without its width", m->name);
        else
            a.c2 = scaled_width(c2->i, s, b->graph->nc);
        if (a.c2 > NN_MAX_CHANNELS)
            nn_build_fail(b, VG_ERR_LIMIT, NULL, "a width of more than %d channels after scaling",
                          NN_MAX_CHANNELS);
    }
    if (b->status != VG_OK)
        return;
    nn_layer *layer = &b->graph->layers[row];
    *layer = (nn_layer){.out = NN_NO_VALUE, .repeats = n};
    b->graph->n_layers = (size_t)row + 1;
    base_format(layer->module, sizeof layer->module, "%s", m->name);
    if (m->is_head && b->graph->has_head) {
        nn_build_fail(b, VG_ERR_FORMAT, "write one row for it, of all its levels",
                      "a second head, \"%s\"", m->name);
        return;
    }
    if (m->is_head) {
        b->graph->has_head = true;
        b->graph->task = m->task;
    }
    node_text(layer->from, sizeof layer->from, from);
    node_text(layer->args, sizeof layer->args, args);
    int out = build_stacked(b, m, a, m->repeats_inside ? 1 : n);
    if (b->status == VG_OK)
        b->graph->layers[row].out = out;
}

static vg_status read_nc(nn_graph *g, const base_tree *yaml, int wanted, vg_error *err)
{
    const base_node *nc = base_node_get(base_tree_root(yaml), "nc");
    if (wanted == 0 && (!must(nc, BASE_NODE_INT) || nc->i < 1 || nc->i > NN_MAX_CHANNELS))
        return base_fail(err, VG_ERR_FORMAT, base_where("%s, nc", base_tree_source(yaml)),
                         "write the number of classes, e.g. nc: 80",
                         "a model without a class count");
    g->nc = wanted > 0 ? wanted : (int)nc->i;
    return VG_OK;
}

/* kpt_shape: points and numbers a point, of models for pose. */
static vg_status read_keypoints(nn_builder *b, const base_tree *yaml, const nn_graph_options *o,
                                vg_error *err)
{
    const base_node *n = base_node_get(base_tree_root(yaml), "kpt_shape");
    if (o && o->keypoints > 0) {
        b->keypoints = o->keypoints;
        b->keypoint_dims = o->keypoint_dims;
        return VG_OK;
    }
    if (!n)
        return VG_OK;
    const base_node *k = must(base_node_at(n, 0), BASE_NODE_INT),
                    *dims = must(base_node_at(n, 1), BASE_NODE_INT);
    if (n->kind != BASE_NODE_LIST || !k || !dims || base_node_at(n, 2) || k->i < 1 ||
        k->i > NN_MOST_KEYPOINTS || dims->i < 2 || dims->i > 3)
        return base_fail(err, VG_ERR_FORMAT,
                         base_where("%s:%d, kpt_shape", base_tree_source(yaml), n->line),
                         "write [points, 2 or 3], as in kpt_shape: [17, 3]",
                         "a kpt_shape that is not [1..%d, 2 or 3]", NN_MOST_KEYPOINTS);
    b->keypoints = (int)k->i;
    b->keypoint_dims = (int)dims->i;
    return VG_OK;
}

static bool has_module(const base_node *const parts[2], const char *name)
{
    for (int i = 0; i < 2; i++)
        for (const base_node *row = parts[i]->first; row; row = row->next) {
            const base_node *module = must(base_node_at(row, 2), BASE_NODE_TEXT);
            if (module && strcmp(module->text, name) == 0)
                return true;
        }
    return false;
}

/* Keys beside the layers that change what is computed, with no more than one value here. */
static vg_status refuse_keys(const base_tree *yaml, vg_error *err)
{
    const base_node *root = base_tree_root(yaml);
    const char *source = base_tree_source(yaml);
    const base_node *act = base_node_get(root, "activation"), *end = base_node_get(root, "end2end"),
                    *reg = base_node_get(root, "reg_max"), *ch = base_node_get(root, "channels");
    ch = ch ? ch : base_node_get(root, "ch");
    if (act && act->kind != BASE_NODE_NULL &&
        !(act->kind == BASE_NODE_TEXT && strncmp(act->text, "nn.SiLU(", 8) == 0))
        return base_fail(err, VG_ERR_UNSUPPORTED,
                         base_where("%s:%d, activation", source, act->line), "vigil has nn.SiLU()",
                         "a model with another activation than SiLU");
    if (end && (end->kind == BASE_NODE_BOOL || end->kind == BASE_NODE_INT) && end->i)
        return base_fail(err, VG_ERR_UNSUPPORTED, base_where("%s:%d, end2end", source, end->line),
                         "vigil has heads with suppression", "a head that needs no suppression");
    if (reg && reg->kind == BASE_NODE_INT && reg->i != NN_REG_MAX)
        return base_fail(err, VG_ERR_UNSUPPORTED, base_where("%s:%d, reg_max", source, reg->line),
                         base_mend("vigil has %d", NN_REG_MAX), "a head of %lld bins a side",
                         (long long)reg->i);
    if (ch && ch->kind == BASE_NODE_INT && ch->i != 3)
        return base_fail(err, VG_ERR_UNSUPPORTED,
                         base_where("%s:%d, %s", source, ch->line, ch->key),
                         "vigil has pictures of 3 channels",
                         "a model for pictures of %lld channels", (long long)ch->i);
    return VG_OK;
}

static vg_status set_class_branch(nn_graph *g, const base_tree *yaml,
                                  const base_node *const parts[2], nn_class_branch wanted,
                                  vg_error *err)
{
    const base_node *said = base_node_get(base_tree_root(yaml), "class_branch");
    const nn_class_branch by_modules =
        has_module(parts, "C3k2") ? NN_CLASS_DEPTHWISE : NN_CLASS_PLAIN;
    g->class_branch = by_modules;
    if (said) {
        const bool plain = must(said, BASE_NODE_TEXT) && strcmp(said->text, "plain") == 0;
        if (!plain && !(must(said, BASE_NODE_TEXT) && strcmp(said->text, "depthwise") == 0))
            return base_fail(err, VG_ERR_FORMAT,
                             base_where("%s:%d, class_branch", base_tree_source(yaml), said->line),
                             "write plain or depthwise", "no class branch of that name");
        g->class_branch = plain ? NN_CLASS_PLAIN : NN_CLASS_DEPTHWISE;
    }
    if (wanted != NN_CLASS_BY_MODEL)
        g->class_branch = wanted;
    g->branch_is_expected = g->class_branch == by_modules;
    return VG_OK;
}

/* "dir/yolo11n.yaml" -> "yolo11n"; the family alone gets its scale: "yolo11" + "n". */
void nn_graph_rename(nn_graph *g, const char *source)
{
    char stem[sizeof g->name];
    const char *scale;
    if (!base_path_stem(stem, sizeof stem, source))
        base_format(stem, sizeof stem, "model");
    const nn_model *m = nn_model_find(stem, &scale);
    if (m && !scale)
        nn_model_name(g->name, sizeof g->name, m, g->scale);
    else if (!base_format(g->name, sizeof g->name, "%s", stem))
        base_format(g->name, sizeof g->name, "%.20s", stem);
}

vg_status nn_graph_create(nn_graph **out, const base_tree *yaml, const nn_graph_options *o,
                          base_mem *mem, vg_error *err)
{
    *out = NULL;
    const base_node *root = base_tree_root(yaml);
    const base_node *parts[2] = {base_node_get(root, "backbone"), base_node_get(root, "head")};
    size_t n_rows = 0;
    for (int i = 0; i < 2; i++) {
        if (!must(parts[i], BASE_NODE_LIST))
            return base_fail(err, VG_ERR_FORMAT, base_where("%s", base_tree_source(yaml)),
                             "a model's YAML has the lists backbone and head", "no list \"%s\"",
                             i ? "head" : "backbone");
        n_rows += parts[i]->n_children;
    }
    if (n_rows > MAX_ROWS)
        return base_fail(err, VG_ERR_LIMIT, base_where("%s", base_tree_source(yaml)), NULL,
                         "%zu layers, more than %d", n_rows, MAX_ROWS);

    scaling s;
    nn_builder b = {.mem = mem, .err = err, .source = base_tree_source(yaml)};
    nn_graph *g = base_alloc_zero(mem, 1, sizeof *g, err);
    if (!g)
        return VG_ERR_MEMORY;
    b.graph = g;
    b.status = read_nc(g, yaml, o ? o->nc : 0, err);
    if (b.status == VG_OK)
        b.status = read_keypoints(&b, yaml, o, err);
    if (b.status == VG_OK)
        b.status = refuse_keys(yaml, err);
    if (b.status == VG_OK)
        b.status = set_class_branch(g, yaml, parts, o ? o->class_branch : NN_CLASS_BY_MODEL, err);
    if (b.status == VG_OK)
        b.status = read_scaling(&s, g, yaml, o ? o->scale : NULL, err);
    if (b.status != VG_OK)
        goto done;
    nn_graph_rename(g, base_tree_source(yaml));
    b.width = s.width;
    b.most_channels = s.most_channels;
    /* BN's of a classifier are torch's defaults: spec 1.4 of the tasks. */
    const bool is_classifier = has_module(parts, "Classify");
    b.bn_eps = is_classifier ? 1e-5 : 1e-3;
    b.bn_momentum = is_classifier ? 0.1 : 0.03;
    b.c3k_forced = strlen(g->scale) == 1 && strchr("mlx", g->scale[0]) != NULL;
    g->layers = base_alloc_zero(mem, n_rows ? n_rows : 1, sizeof *g->layers, err);
    if (!g->layers) {
        b.status = VG_ERR_MEMORY;
        goto done;
    }
    g->layers_capacity = n_rows;
    g->input = nn_build_input(&b);
    int row = 0;
    for (int i = 0; i < 2; i++)
        for (const base_node *n = parts[i]->first; n && b.status == VG_OK; n = n->next)
            build_row(&b, n, row++, &s);
    if (b.status == VG_OK && !g->has_head)
        nn_build_fail(&b, VG_ERR_FORMAT,
                      "end the head with a Detect, Segment, Pose, OBB or Classify row",
                      "a model without a head");
done:
    if (b.status != VG_OK)
        nn_graph_destroy(&g);
    *out = g;
    return b.status;
}

void nn_graph_destroy(nn_graph **g)
{
    if (*g) {
        base_free((*g)->ops);
        base_free((*g)->values);
        base_free((*g)->params);
        base_free((*g)->layers);
        base_free(*g);
    }
    *g = NULL;
}
