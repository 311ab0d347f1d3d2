/* ema.c: ema = d * ema + (1 - d) * model, each product rounded to float as in the recipe. The
 * values lie as in a safetensors file, so that the engine's own reader can take them. */
#include "ema.h"

#include <math.h>
#include <string.h>

struct train_ema {
    const train_param *params; /* borrowed */
    size_t n_params;
    int64_t updates;
    float **values;       /* (n_params) in the image */
    const uint8_t *image; /* (n_image_bytes) header and values, in the same block */
    size_t n_image_bytes;
};

/* Spec 4.4: the largest decay, and the updates in which it comes near it. */
static const double DECAY = 0.9999, RAMP_UPDATES = 2000;

enum { HEAD_BYTES = 64, ROW_BYTES = NN_KEY_BYTES + 160 };
_Static_assert(sizeof(train_ema) <= HEAD_BYTES, "the head has one cache line");

/* ---- the block: [head][pointers][safetensors image: u64 length, header, values] ---- */

/* One tensor of the header, as text; its length. */
static size_t format_row(char row[ROW_BYTES], const nn_param *p, bool first, size_t begin)
{
    char shape[64] = "";
    for (int d = 0; d < p->n_dims; d++) {
        const size_t n = strlen(shape);
        base_format(shape + n, sizeof shape - n, d > 0 ? ",%d" : "%d", p->shape[d]);
    }
    base_format(row, ROW_BYTES,
                "%c\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                first ? '{' : ',', p->key, shape, begin, begin + p->n_elements * sizeof(float));
    return strlen(row);
}

/* Header and values of the image; with into NULL only counted: the bytes before the values. */
static size_t make_header(uint8_t *into, const train_param *params, size_t n_params,
                          size_t *n_value_bytes)
{
    char row[ROW_BYTES];
    uint64_t length = sizeof length;
    *n_value_bytes = 0;
    for (size_t i = 0; i < n_params; i++) {
        const size_t n = format_row(row, params[i].info, i == 0, *n_value_bytes);
        if (into != NULL)
            memcpy(into + length, row, n);
        length += n;
        *n_value_bytes += params[i].info->n_elements * sizeof(float);
    }
    const uint64_t padded = base_round_up(length + 1, BASE_MEM_ALIGN);
    if (into != NULL) {
        into[length] = '}';
        memset(into + length + 1, ' ', padded - length - 1);
        length = padded - sizeof length;
        memcpy(into, &length, sizeof length);
    }
    return padded;
}

static size_t pointers_bytes(size_t n_params)
{
    return base_round_up(n_params * sizeof(float *), BASE_MEM_ALIGN);
}

size_t train_ema_bytes(const train_param *params, size_t n_params)
{
    size_t n_value_bytes;
    const size_t header = make_header(NULL, params, n_params, &n_value_bytes);
    return HEAD_BYTES + pointers_bytes(n_params) + header + n_value_bytes;
}

vg_status train_ema_create(train_ema **out, const train_param *params, size_t n_params,
                           base_mem *mem, vg_error *err)
{
    *out = NULL;
    const size_t n_bytes = train_ema_bytes(params, n_params);
    uint8_t *block = base_alloc(mem, n_bytes, err);
    if (block == NULL)
        return VG_ERR_MEMORY;
    uint8_t *image = block + HEAD_BYTES + pointers_bytes(n_params);
    train_ema *e = (train_ema *)block;
    *e = (train_ema){.params = params,
                     .n_params = n_params,
                     .values = (float **)(block + HEAD_BYTES),
                     .image = image,
                     .n_image_bytes = n_bytes - HEAD_BYTES - pointers_bytes(n_params)};
    size_t n_value_bytes;
    float *at = (float *)(image + make_header(image, params, n_params, &n_value_bytes));
    for (size_t i = 0; i < n_params; i++) {
        e->values[i] = at;
        if (params[i].value != NULL)
            memcpy(at, params[i].value, params[i].info->n_elements * sizeof(float));
        else
            memset(at, 0, params[i].info->n_elements * sizeof(float)); /* its pages are there */
        at += params[i].info->n_elements;
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

void train_ema_count(train_ema *e)
{
    e->updates++;
}

void train_ema_update(train_ema *e, base_pool *pool)
{
    train_ema_count(e);
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

vg_status train_ema_reader_bytes(size_t *out, const train_param *params, size_t n_params,
                                 base_mem *mem, vg_error *err)
{
    size_t n_value_bytes;
    weights_file *reader = NULL;
    const size_t n_header = make_header(NULL, params, n_params, &n_value_bytes);
    uint8_t *image = base_alloc(mem, n_header + n_value_bytes, err);
    if (image == NULL)
        return VG_ERR_MEMORY;
    make_header(image, params, n_params, &n_value_bytes);
    const size_t before = mem->in_use_bytes;
    const vg_status st = weights_open_memory(&reader, image, n_header + n_value_bytes,
                                             "the average of the weights", mem, err);
    *out = mem->in_use_bytes - before;
    weights_close(&reader);
    base_free(image);
    return st;
}

vg_status train_ema_open_weights(const train_ema *e, weights_file **out, base_mem *mem,
                                 vg_error *err)
{
    return weights_open_memory(out, e->image, e->n_image_bytes, "the average of the weights", mem,
                               err);
}
