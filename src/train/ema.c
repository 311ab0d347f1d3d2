/* ema.c: ema = d * ema + (1 - d) * model, each product rounded to float as in the recipe. */
#include "ema.h"

#include <math.h>
#include <string.h>

struct train_ema {
    const train_param *params; /* borrowed */
    size_t n_params;
    int64_t updates;
    float **values; /* (n_params), each on a 64-byte boundary of the same block */
};

/* Spec 4.4: the largest decay, and the updates in which it comes near it. */
static const double DECAY = 0.9999, RAMP_UPDATES = 2000;

enum { HEAD_BYTES = 64 };
_Static_assert(sizeof(train_ema) <= HEAD_BYTES, "the head has one cache line");

static size_t value_bytes(const train_param *p)
{
    return base_round_up(p->info->n_elements * sizeof(float), BASE_MEM_ALIGN);
}

size_t train_ema_bytes(const train_param *params, size_t n_params)
{
    size_t bytes = HEAD_BYTES + base_round_up(n_params * sizeof(float *), BASE_MEM_ALIGN);
    for (size_t i = 0; i < n_params; i++)
        bytes += value_bytes(&params[i]);
    return bytes;
}

vg_status train_ema_create(train_ema **out, const train_param *params, size_t n_params,
                           base_mem *mem, vg_error *err)
{
    *out = NULL;
    char *block = base_alloc(mem, train_ema_bytes(params, n_params), err);
    if (block == NULL)
        return VG_ERR_MEMORY;
    train_ema *e = (train_ema *)block;
    *e = (train_ema){
        .params = params, .n_params = n_params, .values = (float **)(block + HEAD_BYTES)};
    char *at = block + HEAD_BYTES + base_round_up(n_params * sizeof(float *), BASE_MEM_ALIGN);
    for (size_t i = 0; i < n_params; i++) {
        e->values[i] = (float *)at;
        memcpy(at, params[i].value, params[i].info->n_elements * sizeof(float));
        at += value_bytes(&params[i]);
    }
    *out = e;
    return VG_OK;
}

void train_ema_destroy(train_ema **e)
{
    base_free(*e);
    *e = NULL;
}

double train_ema_decay(int64_t updates)
{
    return DECAY * (1 - exp(-(double)updates / RAMP_UPDATES));
}

static void average(float *restrict ema, const float *restrict model, size_t n, float keep,
                    float take)
{
    for (size_t i = 0; i < n; i++)
        ema[i] = keep * ema[i] + take * model[i];
}

static void update_params(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    train_ema *e = ctx;
    const double decay = train_ema_decay(e->updates);
    for (size_t i = begin; i < end; i++)
        average(e->values[i], e->params[i].value, e->params[i].info->n_elements, (float)decay,
                (float)(1 - decay));
}

void train_ema_update(train_ema *e, base_pool *pool)
{
    e->updates++;
    if (pool != NULL)
        base_pool_run(pool, e->n_params, 1, update_params, e);
    else
        update_params(e, 0, e->n_params, 0);
}

float *train_ema_value(train_ema *e, size_t index)
{
    return e->values[index];
}

int64_t train_ema_updates(const train_ema *e)
{
    return e->updates;
}

void train_ema_set_updates(train_ema *e, int64_t updates)
{
    e->updates = updates;
}
