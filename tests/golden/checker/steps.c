/* steps.c: the parts of a training step, one thread. */
#include "steps.h"

#include "network.h"
#include "support/generator.h"
#include "targets.h"

/* What the optimizer of a run always has, and the file must have been made with. */
static const double clip = 10;

static vg_status read_options(train_optimizer_options *o, const gold_file *f, vg_error *err)
{
    double said_clip = clip;
    *o = (train_optimizer_options){
        .kind = TRAIN_OPTIMIZER_SGD, .lr0 = 0.01, .momentum = 0.937, .weight_decay = 0.0005};
    vg_status st = gold_meta_real(&o->lr0, f, "lr", err);
    if (st == VG_OK)
        st = gold_meta_real(&o->momentum, f, "momentum", err);
    if (st == VG_OK)
        st = gold_meta_real(&o->weight_decay, f, "weight_decay", err);
    if (st == VG_OK)
        st = gold_meta_real(&said_clip, f, "clip", err);
    if (st == VG_OK &&
        (said_clip != clip || strcmp(gold_meta_text(f, "nesterov", "True"), "True") != 0))
        st = gold_bad(f, err, "its optimizer is not SGD with Nesterov momentum, clipped at 10");
    return st;
}

static vg_status open_network(gold_steps *s, const gold_recipe *r, const char *isa, base_mem *mem,
                              vg_error *err)
{
    const nn_accounts a = {mem, mem, mem, mem};
    const nn_train_options o = {.threads = 1, .isa = isa};
    nn_graph *g = NULL;
    vg_status st = gold_recipe_graph(&g, r, mem, err);
    if (st == VG_OK)
        st = nn_train_create(&s->net, g, &o, 0, &a, err);
    if (st != VG_OK) {
        nn_graph_destroy(&g);
        return st;
    }
    s->n_params = nn_graph_n_params(g);
    s->params = base_alloc_zero(mem, s->n_params, sizeof *s->params, err);
    if (!s->params)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < s->n_params; i++) {
        const nn_param *p = nn_graph_param(g, i);
        int64_t shape[4] = {1, 1, 1, 1};
        for (int d = 0; d < p->n_dims; d++)
            shape[d] = p->shape[d];
        s->params[i] = (train_param){.info = p,
                                     .value = nn_train_param(s->net, i),
                                     .grad = nn_train_grad(s->net, i),
                                     .frozen = p->kind == NN_PARAM_DFL};
        const generator_gains gains = {r->head_g, r->cv4_g, r->cls_g};
        if (!generator_fill_with(s->params[i].value, p->key, shape, p->n_dims, (uint64_t)r->seed,
                                 &gains))
            return base_fail(err, VG_ERR_FORMAT, base_where("%s", p->key), NULL,
                             "the generator has no rule for it");
    }
    return VG_OK;
}

/* Bytes in the tasks' files, as the network got them. */
static vg_status read_input(gold_tensor *t, gold_file *f, vg_error *err)
{
    if (gold_meta_text(f, "task", NULL) == NULL)
        return gold_get(t, f, WEIGHTS_F32, 4, err, "input");
    const vg_status st = gold_get(t, f, WEIGHTS_U8, 4, err, "input");
    float *x = st == VG_OK ? gold_take(f, t->n, sizeof *x, err) : NULL;
    if (x == NULL)
        return st == VG_OK ? VG_ERR_MEMORY : st;
    for (size_t i = 0; i < t->n; i++)
        x[i] = (float)t->u8[i] / 255.0F;
    t->f32 = x;
    return VG_OK;
}

static const detect_loss_kind *kind_of(const nn_graph_info *info)
{
    static const detect_loss_kind *const kinds[VG_N_TASKS] = {
        [VG_TASK_DETECT] = &DETECT_LOSS_BOXES,
        [VG_TASK_SEGMENT] = &DETECT_LOSS_MASKS,
        [VG_TASK_POSE] = &DETECT_LOSS_KEYPOINTS,
        [VG_TASK_OBB] = &DETECT_LOSS_ROTATED,
        [VG_TASK_CLASSIFY] = &DETECT_LOSS_CLASSES};
    return kinds[info->task];
}

static vg_status read_classes(gold_steps *s, gold_file *f, vg_error *err)
{
    gold_tensor t;
    const vg_status st = gold_get(&t, f, WEIGHTS_I64, 1, err, "target");
    if (st != VG_OK)
        return st;
    s->labels = gold_take(f, t.n, sizeof *s->labels, err);
    if (s->labels == NULL)
        return VG_ERR_MEMORY;
    s->n_labels = t.n;
    for (size_t i = 0; i < t.n; i++)
        s->labels[i] = (detect_label){.picture = (int)i, .class_index = (int)t.i64[i]};
    return VG_OK;
}

/* Prototypes or logits, and where their gradient goes; nothing of a network that has neither. */
static detect_result result_of(const nn_train *net)
{
    nn_map map, slope;
    for (int i = 0; i < NN_N_RESULTS; i++)
        if (nn_train_result(net, (nn_result)i, &map) &&
            nn_train_result_grad(net, (nn_result)i, &slope))
            return (detect_result){.data = map.data,
                                   .pitch = map.pitch,
                                   .h = map.h,
                                   .w = map.w,
                                   .channels = map.c,
                                   .gradient = slope.data,
                                   .gradient_pitch = slope.pitch};
    return (detect_result){0};
}

static vg_status open_batch(gold_steps *s, gold_file *f, base_mem *mem, vg_error *err)
{
    gold_tensor t;
    const nn_accounts a = {mem, mem, mem, mem};
    vg_status st = read_input(&t, f, err);
    if (st != VG_OK)
        return st;
    if (t.shape[1] != 3 || t.n == 0 || t.n > INT32_MAX)
        return gold_bad(f, err, "input is not (N, 3, H, W)");
    s->n = (int)t.shape[0];
    s->input = gold_take(f, t.n, sizeof *s->input, err);
    if (!s->input)
        return VG_ERR_MEMORY;
    gold_to_nhwc(s->input, t.f32, t.shape[0], 3, t.shape[2] * t.shape[3]);
    st = nn_train_plan(s->net, s->n, (int)t.shape[2], (int)t.shape[3], &a, err);
    if (st != VG_OK)
        return st;
    nn_graph_info info;
    nn_graph_get_info(nn_train_graph(s->net), 64, &info);
    s->kind = kind_of(&info);
    st = info.n_levels > 0 ? gold_targets_read(&s->labels, &s->n_labels, f, err)
                           : read_classes(s, f, err);
    return st == VG_OK ? gold_extras_read(&s->extras, f, t.shape[0], s->n_labels, info.n_extra, err)
                       : st;
}

vg_status gold_steps_open(gold_steps *out, gold_file *f, const gold_recipe *r, const char *isa,
                          base_mem *mem, vg_error *err)
{
    train_optimizer_options o;
    *out = (gold_steps){.nc = r->nc};
    vg_status st = read_options(&o, f, err);
    if (st == VG_OK)
        st = open_network(out, r, isa, mem, err);
    if (st == VG_OK)
        st = open_batch(out, f, mem, err);
    if (st == VG_OK)
        st = train_optimizer_create(&out->optimizer, out->params, out->n_params, &o, mem, err);
    if (st == VG_OK)
        st = train_ema_create(&out->ema, out->params, out->n_params, mem, err);
    out->lr = o.lr0;
    out->momentum = o.momentum;
    return st;
}

void gold_steps_close(gold_steps *s)
{
    detect_loss_destroy(&s->loss);
    train_ema_destroy(&s->ema);
    train_optimizer_destroy(&s->optimizer);
    base_free(s->params);
    nn_train_destroy(&s->net);
    *s = (gold_steps){0};
}

vg_status gold_steps_forward(gold_steps *s, vg_error *err)
{
    const vg_status st = nn_train_zero_grad(s->net, err);
    return st == VG_OK ? nn_train_forward(s->net, s->input, err) : st;
}

vg_status gold_steps_backward(gold_steps *s, detect_loss_value *v, base_mem *mem, vg_error *err)
{
    detect_level level[NN_MAX_LEVELS];
    detect_gradient gradient[NN_MAX_LEVELS];
    const int n_levels = nn_train_levels(s->net, level, gradient);
    vg_status st = VG_OK;
    if (!s->loss) {
        const detect_loss_bounds bounds = {.most_batch = (size_t)s->n,
                                           .most_anchors = detect_n_anchors(level, n_levels) + 1,
                                           .most_labels = s->n_labels + 1,
                                           .n_threads = 1,
                                           .kind = s->kind};
        st = detect_loss_create(&s->loss, &bounds, mem, err);
    }
    const detect_batch batch = {.levels = level,
                                .n_levels = n_levels,
                                .nc = s->nc,
                                .batch = s->n,
                                .labels = s->labels,
                                .n_labels = s->n_labels,
                                .result = result_of(s->net),
                                .extras = s->extras};
    if (st == VG_OK)
        st = detect_loss_run(s->loss, v, gradient, &batch, &DETECT_LOSS_GAINS, NULL, err);
    if (st == VG_OK)
        st = nn_train_backward(s->net, NULL, err);
    return st;
}

vg_status gold_steps_move(gold_steps *s, double *norm, vg_error *err)
{
    const train_rates rates = {
        .lr = {s->lr, s->lr, s->lr}, .momentum = s->momentum, .accumulate = 1};
    if (!train_optimizer_step(s->optimizer, &rates, NULL, norm))
        return base_fail(err, VG_ERR_FORMAT, NULL, NULL, "the gradients are not finite");
    train_ema_update(s->ema, NULL);
    return VG_OK;
}
