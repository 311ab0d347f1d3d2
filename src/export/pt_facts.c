/* pt_facts.c: the model's YAML, names and strides, and what stands beside the model. */
#include <stdlib.h>
#include <string.h>

#include "pt.h"

int pt_read_from(const vg_layer *l, int64_t *out, int most)
{
    int n = 0;
    const char *at = l->from + (l->from[0] == '[');
    while (n < most && *at != '\0' && *at != ']') {
        char *end;
        out[n++] = strtoll(at, &end, 10);
        at = end + strspn(end, ", ");
        if (end == at && *at != ']')
            break;
    }
    return n;
}

/* ---- the YAML as a dict ---- */

static void put_node(pkl_writer *p, const base_node *n)
{
    switch (n->kind) {
    case BASE_NODE_NULL:
        pkl_put_none(p);
        break;
    case BASE_NODE_BOOL:
        pkl_bool(p, n->i != 0);
        break;
    case BASE_NODE_INT:
        pkl_int(p, n->i);
        break;
    case BASE_NODE_REAL:
        pkl_real(p, n->real);
        break;
    case BASE_NODE_TEXT:
        pkl_text(p, n->text);
        break;
    case BASE_NODE_LIST:
        pkl_list_begin(p);
        for (const base_node *c = n->first; c != NULL; c = c->next)
            put_node(p, c);
        pkl_list_end(p);
        break;
    case BASE_NODE_MAP:
        pkl_dict_begin(p);
        for (const base_node *c = n->first; c != NULL; c = c->next) {
            pkl_text(p, c->key);
            put_node(p, c);
        }
        pkl_dict_end(p);
        break;
    }
}

static void put_yaml(pt_build *b)
{
    static const char *const ours[] = {"nc", "scale", "ch", "yaml_file"};
    pkl_writer *p = &b->pkl;
    base_text file = base_text_make("%s.yaml", b->info.name);
    pkl_dict_begin(p);
    pkl_set_int(p, "nc", b->info.nc);
    if (*b->info.scale)
        pkl_set_text(p, "scale", b->info.scale);
    pkl_set_int(p, "ch", 3);
    pkl_set_text(p, "yaml_file", file.text);
    for (const base_node *c = b->yaml->first; c != NULL; c = c->next) {
        bool is_ours = false;
        for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
            is_ours = is_ours || strcmp(c->key, ours[i]) == 0;
        if (is_ours)
            continue;
        pkl_text(p, c->key);
        put_node(p, c);
    }
    pkl_dict_end(p);
}

/* Rows whose outputs a later row asks for by number, ascending. */
static void put_save(pt_build *b)
{
    pkl_writer *p = &b->pkl;
    pkl_list_begin(p);
    for (int row = 0; row < b->info.n_layers; row++) {
        bool is_kept = false;
        for (int later = row + 1; later < b->info.n_layers; later++) {
            vg_layer l;
            int64_t from[NN_MAX_INPUTS];
            nn_graph_layer(b->g, later, 32, &l);
            const int n = pt_read_from(&l, from, NN_MAX_INPUTS);
            for (int i = 0; i < n; i++)
                is_kept =
                    is_kept || (from[i] != -1 && (from[i] < 0 ? later + from[i] : from[i]) == row);
        }
        if (is_kept)
            pkl_int(p, row);
    }
    pkl_list_end(p);
}

static void put_names(pt_build *b)
{
    const weights_meta *meta = weights_get_meta(b->w);
    pkl_writer *p = &b->pkl;
    pkl_dict_begin(p);
    for (int i = 0; i < b->info.nc; i++) {
        base_text name = base_text_make("class%d", i);
        pkl_int(p, i);
        pkl_text(p, i < meta->n_classes ? meta->names[i] : name.text);
    }
    pkl_dict_end(p);
}

/* What the Python tool keeps of a training's arguments when it goes on from weights. */
static void put_args(pt_build *b)
{
    pkl_writer *p = &b->pkl;
    const base_size imgsz = weights_get_meta(b->w)->imgsz;
    base_text model = base_text_make("%s.yaml", b->info.name);
    pkl_dict_begin(p);
    pkl_set_text(p, "task", export_task_name(b->g));
    pkl_set_text(p, "mode", "train");
    pkl_set_text(p, "model", model.text);
    if (*b->o->data)
        pkl_set_text(p, "data", b->o->data);
    if (imgsz.h > 0)
        pkl_set_int(p, "imgsz", base_size_square(imgsz).h);
    pkl_dict_end(p);
}

void pt_put_model_facts(pt_build *b)
{
    pkl_writer *p = &b->pkl;
    pkl_text(p, "yaml");
    put_yaml(b);
    pkl_text(p, "save");
    put_save(b);
    pkl_text(p, "names");
    put_names(b);
    pkl_set_bool(p, "inplace", true);
    pkl_set_bool(p, "end2end", false);
    pkl_text(p, "stride");
    static const float whole[1] = {1}; /* a classifier has no levels */
    const bool has_levels = b->info.n_levels > 0;
    pt_put_values(b, PKL_FLOAT_STORAGE, has_levels ? b->info.strides : whole,
                  has_levels ? b->info.n_levels : 1);
    pkl_text(p, "args");
    put_args(b);
    if (export_head_of(b->g)->has_nc)
        pkl_set_int(p, "nc", b->info.nc);
    if (b->info.keypoints > 0)
        pt_put_points(b);
    pkl_set_text(p, "task", export_task_name(b->g));
}

void pt_put_checkpoint(pt_build *b)
{
    pkl_writer *p = &b->pkl;
    const export_about *a = &b->o->about;
    pkl_begin(p);
    pkl_dict_begin(p);
    pkl_set_text(p, "date", a->date);
    pkl_set_text(p, "version", a->version);
    pkl_set_text(p, "license", a->license);
    pkl_set_text(p, "docs", a->docs);
    pkl_set_int(p, "epoch", -1); /* finished: the optimizer's state is not here */
    pkl_set_none(p, "best_fitness");
    pkl_text(p, "model");
    pt_put_model(b);
    pkl_set_none(p, "ema");
    pkl_set_none(p, "updates");
    pkl_set_none(p, "optimizer");
    pkl_text(p, "train_args");
    put_args(b);
    pkl_text(p, "train_metrics");
    pkl_dict_begin(p);
    pkl_dict_end(p);
    pkl_text(p, "train_results");
    pkl_dict_begin(p);
    pkl_dict_end(p);
    pkl_dict_end(p);
    pkl_end(p);
}
