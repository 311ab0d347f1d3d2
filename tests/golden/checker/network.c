/* network.c: an engine on accounts of one owner, and the turn between nhwc and NCHW. */
#include "network.h"

#include "recipe.h"
#include "targets.h"

static nn_accounts accounts(base_mem *mem)
{
    return (nn_accounts){.weights = mem, .activations = mem, .plans = mem, .staging = mem};
}

vg_status gold_network_open_graph(gold_network *out, nn_graph *g, const weights_file *w, int nc,
                                  const nn_engine_options *o, base_mem *mem, vg_error *err)
{
    const nn_accounts a = accounts(mem);
    *out = (gold_network){.nc = nc, .mem = mem};
    vg_status st = nn_engine_create(&out->engine, g, w, o, &a, err);
    if (st != VG_OK)
        nn_graph_destroy(&g);
    return st;
}

vg_status gold_network_open(gold_network *out, const weights_file *w, const char *scale, int nc,
                            const nn_engine_options *o, base_mem *mem, vg_error *err)
{
    nn_graph *g = NULL;
    *out = (gold_network){.nc = nc, .mem = mem};
    vg_status st = synthetic_graph(&g, scale, nc, mem, err);
    return st == VG_OK ? gold_network_open_graph(out, g, w, nc, o, mem, err) : st;
}

void gold_network_close(gold_network *net)
{
    nn_engine_destroy(&net->engine);
    base_free(net->input);
    base_free(net->decoded);
    *net = (gold_network){0};
}

vg_status gold_network_run_nhwc(gold_network *net, const float *input, int n, int h, int w,
                                vg_error *err)
{
    const nn_accounts a = accounts(net->mem);
    vg_status st = nn_engine_plan(net->engine, &net->plan, n, h, w, &a, err);
    if (st == VG_OK)
        st = nn_engine_run(net->engine, net->plan, input, err);
    return st;
}

vg_status gold_network_run(gold_network *net, const float *input, const size_t shape[4],
                           vg_error *err)
{
    size_t pixels = shape[2] * shape[3];
    if (shape[1] != 3)
        return base_fail(err, VG_ERR_FORMAT, NULL, NULL, "an input of %zu channels", shape[1]);
    base_free(net->input);
    net->input = base_alloc(net->mem, shape[0] * pixels * 3 * sizeof(float), err);
    if (!net->input)
        return VG_ERR_MEMORY;
    gold_to_nhwc(net->input, input, shape[0], 3, pixels);
    return gold_network_run_nhwc(net, net->input, (int)shape[0], (int)shape[2], (int)shape[3], err);
}

int gold_network_levels(const gold_network *net, detect_level levels[DETECT_MAX_LEVELS])
{
    return nn_plan_levels(net->plan, levels);
}

vg_status gold_network_decode(gold_network *net, vg_error *err)
{
    detect_level levels[DETECT_MAX_LEVELS];
    int n_levels = gold_network_levels(net, levels), n = nn_plan_head(net->plan, 0).box.n;
    net->n_anchors = detect_n_anchors(levels, n_levels);
    size_t of_one = (size_t)(4 + net->nc) * net->n_anchors;
    base_free(net->decoded);
    net->decoded = base_alloc(net->mem, (size_t)n * of_one * sizeof(float), err);
    if (!net->decoded)
        return VG_ERR_MEMORY;
    for (int i = 0; i < n; i++)
        detect_decode_all(net->decoded + (size_t)i * of_one, levels, n_levels, net->nc, i);
    return VG_OK;
}

float gold_map_nchw(const nn_map *m, size_t at)
{
    size_t w = (size_t)m->w, h = (size_t)m->h, c = (size_t)m->c;
    size_t x = at % w, y = at / w % h, channel = at / (w * h) % c, i = at / (w * h * c);
    return nn_map_row(m, (int)i, (int)y)[x * m->pitch + channel];
}

float gold_level_at(const detect_level *l, size_t i, size_t p, size_t c)
{
    size_t pixel = i * (size_t)l->h * (size_t)l->w + p;
    return c < DETECT_BOX_CHANNELS ? l->box[pixel * l->box_pitch + c]
                                   : l->cls[pixel * l->cls_pitch + c - DETECT_BOX_CHANNELS];
}
