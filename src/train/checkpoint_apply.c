/* checkpoint_apply.c: a checkpoint's tensors into the state of a run, wherever its numbers lie:
 * looked at first, all of them, so that a file of another training changes nothing. */
#include <string.h>

#include "checkpoint_format.h"

const checkpoint_moment checkpoint_moments[2] = {{"train.moment0/", TRAIN_SET_MOMENT0},
                                                 {"train.moment1/", TRAIN_SET_MOMENT1}};

bool checkpoint_is_far(const train_state *s)
{
    return s->engine != NULL && s->engine->device != NULL;
}

bool checkpoint_has_moment(const train_state *s, int moment, size_t index)
{
    return train_param_group(&s->params[index]) != TRAIN_GROUP_NONE &&
           moment < train_optimizer_n_moments(train_optimizer_get_kind(s->optimizer));
}

typedef enum copy_mode { COPY_CHECK, COPY_DO } copy_mode;

/* One tensor of the file, in the parameter's form. */
static vg_status find_tensor(const weights_tensor **out, const char *prefix, const nn_param *info,
                             const weights_file *f, const char *path, vg_error *err)
{
    char name[CHECKPOINT_NAME_BYTES];
    base_format(name, sizeof name, "%s%s", prefix, info->key);
    const weights_tensor *t = *out = weights_find(f, name);
    bool fits = t != NULL && t->dtype == WEIGHTS_F32 && t->n_dims == info->n_dims;
    for (int d = 0; fits && d < info->n_dims; d++)
        fits = t->shape[d] == info->shape[d];
    if (!fits)
        return base_fail(err, VG_ERR_FORMAT, base_where("%.300s, tensor %s", path, name),
                         "resume with the model, frozen layers and optimizer of the run",
                         "the checkpoint is from another training: the tensor is %s",
                         t == NULL ? "not there" : "of another shape");
    return VG_OK;
}

/* near: where it lies in this machine's memory. NULL: on the device. */
static vg_status copy_tensor(copy_mode mode, train_state *s, train_set set, size_t index,
                             float *near, const char *prefix, const weights_file *f,
                             const char *path, vg_error *err)
{
    const weights_tensor *t;
    vg_status st = find_tensor(&t, prefix, s->params[index].info, f, path, err);
    if (st != VG_OK || mode == COPY_CHECK)
        return st;
    if (near != NULL)
        weights_to_float(near, t);
    else
        st = train_engine_write_tensor(s->engine, set, index, t, err);
    return st;
}

static vg_status clear_gradient(train_state *s, size_t index, vg_error *err)
{
    static const float zeros[TRAIN_ENGINE_PIECE];
    const train_param *p = &s->params[index];
    const size_t n = p->info->n_elements;
    vg_status st = VG_OK;
    if (!checkpoint_is_far(s)) {
        memset(p->grad, 0, n * sizeof *p->grad);
        return VG_OK;
    }
    for (size_t at = 0; at < n && st == VG_OK; at += TRAIN_ENGINE_PIECE)
        st = train_engine_write(s->engine, TRAIN_SET_GRAD, index, at, zeros,
                                n - at < TRAIN_ENGINE_PIECE ? n - at : TRAIN_ENGINE_PIECE, err);
    return st;
}

/* The average is in its image as well as on the device. */
static vg_status copy_average(copy_mode mode, train_state *s, size_t index, const weights_file *f,
                              const char *path, vg_error *err)
{
    const vg_status st = copy_tensor(mode, s, TRAIN_SET_AVERAGE, index,
                                     train_ema_value(s->ema, index), "", f, path, err);
    if (st != VG_OK || mode == COPY_CHECK || !checkpoint_is_far(s))
        return st;
    return copy_tensor(mode, s, TRAIN_SET_AVERAGE, index, NULL, "", f, path, err);
}

static vg_status copy_all(copy_mode mode, train_state *s, bool has_gradients, const weights_file *f,
                          const char *path, vg_error *err)
{
    size_t n_tensors = 0;
    for (size_t i = 0; i < s->n_params; i++) {
        const train_param *p = &s->params[i];
        vg_status st = copy_average(mode, s, i, f, path, err);
        if (st == VG_OK)
            st = copy_tensor(mode, s, TRAIN_SET_VALUE, i, p->value, "train.model/", f, path, err);
        n_tensors += 2;
        for (int m = 0; m < 2 && st == VG_OK; m++) {
            if (!checkpoint_has_moment(s, m, i))
                continue;
            st = copy_tensor(mode, s, checkpoint_moments[m].set, i,
                             train_optimizer_moment(s->optimizer, m, i),
                             checkpoint_moments[m].prefix, f, path, err);
            n_tensors++;
        }
        if (st == VG_OK && has_gradients && train_param_group(p) != TRAIN_GROUP_NONE) {
            st = copy_tensor(mode, s, TRAIN_SET_GRAD, i, checkpoint_is_far(s) ? NULL : p->grad,
                             "train.grad/", f, path, err);
            n_tensors++;
        } else if (st == VG_OK && mode == COPY_DO && p->grad != NULL) {
            st = clear_gradient(s, i, err);
        }
        if (st != VG_OK)
            return st;
        if (mode == COPY_DO)
            weights_forget_pages(f); /* what the run holds is there already: not both at once */
    }
    if (n_tensors != weights_count(f))
        return base_fail(
            err, VG_ERR_FORMAT, path,
            "resume with the model, frozen layers and optimizer of the run",
            "the checkpoint is from another training: %zu tensors where %zu are needed",
            weights_count(f), n_tensors);
    return VG_OK;
}

/* Where the loss is scaled here and there, it goes on with that scale; else what was gathered is
 * brought to this one. */
static vg_status apply_scaler(train_state *s, const checkpoint_values *values, vg_error *err)
{
    if (s->engine == NULL)
        return VG_OK;
    if (s->engine->scaler.scale > 0 && values->scaler.scale > 0)
        s->engine->scaler = values->scaler;
    return values->position.has_gradients
               ? train_engine_rescale(s->engine, train_scale(&values->scaler), err)
               : VG_OK;
}

vg_status checkpoint_apply(train_state *s, const checkpoint_values *values, const weights_file *f,
                           const char *path, vg_error *err)
{
    const train_optimizer_kind kind = train_optimizer_get_kind(s->optimizer);
    if (kind != values->optimizer)
        return base_fail(err, VG_ERR_FORMAT, path, "resume with the optimizer of the run",
                         "the checkpoint is from a training with %s, not %s",
                         train_optimizer_name(values->optimizer), train_optimizer_name(kind));
    const bool has_gradients = values->position.has_gradients;
    vg_status st = copy_all(COPY_CHECK, s, has_gradients, f, path, err);
    if (st != VG_OK)
        return st;
    st = copy_all(COPY_DO, s, has_gradients, f, path, err);
    if (st != VG_OK)
        return st;
    st = apply_scaler(s, values, err);
    if (st != VG_OK)
        return st;
    train_optimizer_set_steps(s->optimizer, values->optimizer_steps);
    train_ema_set_updates(s->ema, values->ema_updates);
    s->position = values->position;
    s->best = values->best;
    s->rng = values->rng;
    return VG_OK;
}
