/* checkpoint_format.c: what is in a checkpoint.
 *
 * THE FILE, version 1
 * A safetensors file: u64 little-endian length of the header, the header (JSON), the tensors'
 * bytes.
 *
 * Tensors, for every parameter KEY of the graph (nn_graph_param, in its order), F32, in the
 * parameter's shape: KEY                 the average (EMA): what any reader of weights takes for
 * the model train.model/KEY     the weights under training train.moment0/KEY   SGD's momentum
 * buffer, or Adam's mean of gradients;  for parameters that the optimizer moves train.moment1/KEY
 * Adam's mean of squares;                              alone, as is train.grad/KEY      the sum of
 * gradients since the last step;            and this only when has_gradients is 1
 *
 * __metadata__, all of them texts; I decimal, B the 64 bits of an integer or of a double as 16
 * hexadecimal digits: vigil_checkpoint    "1", the version of this description checksum         B
 * see below optimizer           "SGD", "Adam", "AdamW", ... optimizer_steps  I  steps done (Adam's
 * bias correction) ema_updates      I  updates of the average epoch, batch, n_batches, last_step,
 * has_gradients  I  train_position loss_box, loss_cls, loss_dfl, seconds              B
 * train_position, doubles: losses in the task's order, a fourth and fifth as loss_3 and loss_4
 * where they are not 0 best_fitness, stop_fitness                         B  train_best, doubles
 *     stop_epoch                                         I  train_best
 *     rng0 rng1 rng2 rng3                                B  base_rng
 *     loss_scale, good_steps     B, a double, and I      train_scaler, of a training with amp
 * alone: sums of gradients are of that scale train_args          JSON object of all arguments
 * (args.h) model_yaml, scale, version, date                      as in other weights files, where
 * known names, stride       JSON lists, likewise Samples draw from streams that depend on (seed,
 * epoch, place) alone, so epoch and batch are their whole state.
 *
 * The checksum is XXH64 with seed 0 over what the file means, so that it can lie inside the file:
 * every pair above but itself that is present, in the order above, as key, 0, value, 0; then for
 * every tensor, in the header's order, its name, 0, its dtype's name, 0, its dimensions as i64s,
 * its bytes. What it leaves out (blanks in the header, where in the file a tensor lies) means
 * nothing. A file whose sum differs is damaged, and is not read.
 *
 * WRITING, with P the path and N the previous one (last.1.safetensors)
 *     1. P.new.tmp-<pid>-<n> is written, synced, renamed to P.new, the folder synced
 *     2. N becomes a second name of what P was (a link; where there are none, a rename)
 *     3. P.new is renamed to P, the folder synced
 * A crash in 1 leaves P and N, and an unfinished file that the next run sweeps away. One in 2 or 3
 * leaves P.new, which is whole and newer than P. So the newest whole one is the first good of
 * P.new, P, N, and at every moment one of them is. */
#include "checkpoint_format.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "checksum.h"

static const char VERSION[] = "1",
                  DAMAGED[] = "take an older checkpoint, such as the previous one beside it";

enum { MOST_META_BYTES = 16 << 20 };

/* ---- metadata: one table, read and written ---- */

typedef enum field_kind { FIELD_INT, FIELD_BOOL, FIELD_BITS } field_kind;

typedef struct field {
    const char *key;
    field_kind kind;
    size_t offset; /* in checkpoint_values */
    bool may_lack; /* only where it is not 0 */
} field;

#define AT(member) offsetof(checkpoint_values, member)
static const field fields[] = {
    {"optimizer_steps", FIELD_INT, AT(optimizer_steps), false},
    {"ema_updates", FIELD_INT, AT(ema_updates), false},
    {"epoch", FIELD_INT, AT(position.epoch), false},
    {"batch", FIELD_INT, AT(position.batch), false},
    {"n_batches", FIELD_INT, AT(position.n_batches), false},
    {"last_step", FIELD_INT, AT(position.last_step), false},
    {"has_gradients", FIELD_BOOL, AT(position.has_gradients), false},
    {"loss_box", FIELD_BITS, AT(position.loss_sums[0]), false},
    {"loss_cls", FIELD_BITS, AT(position.loss_sums[1]), false},
    {"loss_dfl", FIELD_BITS, AT(position.loss_sums[2]), false},
    {"loss_3", FIELD_BITS, AT(position.loss_sums[3]), true},
    {"loss_4", FIELD_BITS, AT(position.loss_sums[4]), true},
    {"seconds", FIELD_BITS, AT(position.seconds), false},
    {"best_fitness", FIELD_BITS, AT(best.fitness), false},
    {"stop_fitness", FIELD_BITS, AT(best.stop_fitness), false},
    {"stop_epoch", FIELD_INT, AT(best.stop_epoch), false},
    {"rng0", FIELD_BITS, AT(rng.s[0]), false},
    {"rng1", FIELD_BITS, AT(rng.s[1]), false},
    {"rng2", FIELD_BITS, AT(rng.s[2]), false},
    {"rng3", FIELD_BITS, AT(rng.s[3]), false},
    {"loss_scale", FIELD_BITS, AT(scaler.scale), true},
    {"good_steps", FIELD_INT, AT(scaler.n_good), true},
};
static const char *const facts_keys[] = {"train_args", "model_yaml", "scale", "version",
                                         "date",       "names",      "stride"};
enum {
    N_FIELDS = sizeof fields / sizeof fields[0],
    N_FACTS = sizeof facts_keys / sizeof facts_keys[0],
    N_PAIRS = 3 + N_FIELDS + N_FACTS /* vigil_checkpoint, checksum, optimizer */
};

static bool is_zero(const checkpoint_values *values, const field *f)
{
    uint64_t bits;
    memcpy(&bits, (const char *)values + f->offset, sizeof bits);
    return bits == 0;
}

static void format_field(char *buf, size_t n, const checkpoint_values *values, const field *f)
{
    const char *at = (const char *)values + f->offset;
    uint64_t bits;
    switch (f->kind) {
    case FIELD_INT:
        memcpy(&bits, at, sizeof bits);
        base_format(buf, n, "%" PRId64, (int64_t)bits);
        break;
    case FIELD_BOOL:
        base_format(buf, n, "%d", *(const bool *)at);
        break;
    case FIELD_BITS:
        memcpy(&bits, at, sizeof bits);
        base_format(buf, n, "%016" PRIx64, bits);
        break;
    }
}

static bool parse_bits(uint64_t *out, const char *text)
{
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return false;
    uint64_t bits = 0;
    for (const char *c = text; *c != '\0'; c++)
        bits = bits << 4 | (uint64_t)(*c <= '9' ? *c - '0' : *c - 'a' + 10);
    *out = bits;
    return true;
}

static bool parse_field(checkpoint_values *values, const field *f, const char *text)
{
    char *at = (char *)values + f->offset;
    uint64_t bits;
    int64_t n;
    switch (f->kind) {
    case FIELD_INT:
        if (!base_parse_i64(&n, text, -1, INT64_MAX))
            return false;
        memcpy(at, &n, sizeof n);
        return true;
    case FIELD_BOOL:
        return base_parse_bool((bool *)at, text);
    case FIELD_BITS:
        if (!parse_bits(&bits, text))
            return false;
        memcpy(at, &bits, sizeof bits);
        return true;
    }
    return false;
}

/* ---- the checksum ---- */

static void sum_text(train_checksum *c, const char *text)
{
    train_checksum_add(c, text, strlen(text) + 1);
}

static void sum_pair(train_checksum *c, const char *key, const char *value)
{
    sum_text(c, key);
    sum_text(c, value);
}

/* All of a tensor but its bytes; how many they are. */
static size_t sum_form(train_checksum *c, const char *name, weights_dtype dtype,
                       const int64_t *shape, int n_dims)
{
    sum_text(c, name);
    sum_text(c, weights_dtype_name(dtype));
    train_checksum_add(c, shape, (size_t)n_dims * sizeof *shape);
    size_t bytes = weights_dtype_bytes(dtype);
    for (int d = 0; d < n_dims; d++)
        bytes *= (size_t)shape[d];
    return bytes;
}

static uint64_t sum_of_file(const weights_file *f)
{
    train_checksum c = train_checksum_start();
    const char *first[] = {"vigil_checkpoint", "optimizer"};
    for (size_t i = 0; i < N_PAIRS - 1; i++) {
        const char *key = i < 2              ? first[i]
                          : i < 2 + N_FIELDS ? fields[i - 2].key
                                             : facts_keys[i - 2 - N_FIELDS];
        const char *value = weights_metadata_get(f, key);
        if (value != NULL)
            sum_pair(&c, key, value);
    }
    for (size_t i = 0; i < weights_count(f); i++) {
        const weights_tensor *t = weights_at(f, i);
        const size_t bytes = sum_form(&c, t->name, t->dtype, t->shape, t->n_dims);
        train_checksum_add(&c, t->data, bytes);
    }
    return train_checksum_get(&c);
}

/* ---- facts ---- */

/* Texts made for one file. */
typedef struct facts_texts {
    base_str args, names, strides;
} facts_texts;

static vg_status make_names(base_str *s, const train_facts *facts, base_mem *mem, vg_error *err)
{
    vg_status st = base_str_add(s, MOST_META_BYTES, mem, err, "[");
    for (int i = 0; i < facts->n_names && st == VG_OK; i++) {
        const size_t n = base_json_escape(NULL, 0, facts->names[i]) + 1;
        char *escaped = base_alloc(mem, n, err);
        if (escaped == NULL)
            return VG_ERR_MEMORY;
        base_json_escape(escaped, n, facts->names[i]);
        st = base_str_add(s, MOST_META_BYTES, mem, err, "%s\"%s\"", i > 0 ? "," : "", escaped);
        base_free(escaped);
    }
    return st != VG_OK ? st : base_str_add(s, MOST_META_BYTES, mem, err, "]");
}

/* Strides are whole numbers in every model there is. */
static vg_status make_strides(base_str *s, const train_facts *facts, base_mem *mem, vg_error *err)
{
    vg_status st = base_str_add(s, MOST_META_BYTES, mem, err, "[");
    for (int i = 0; i < facts->n_strides && st == VG_OK; i++)
        st = base_str_add(s, MOST_META_BYTES, mem, err, "%s%d.0", i > 0 ? "," : "",
                          (int)facts->strides[i]);
    return st != VG_OK ? st : base_str_add(s, MOST_META_BYTES, mem, err, "]");
}

static void fini_texts(facts_texts *t)
{
    base_str_fini(&t->args);
    base_str_fini(&t->names);
    base_str_fini(&t->strides);
}

/* Appends to pairs, which has room for N_FACTS more, in facts_keys' order. */
static vg_status add_facts(weights_write_meta *pairs, size_t *n_pairs, facts_texts *t,
                           const train_args *args, const train_facts *facts, base_mem *mem,
                           vg_error *err)
{
    vg_status st = VG_OK;
    if (args != NULL)
        st = train_args_add_text(&t->args, args, TRAIN_ARGS_JSON, mem, err);
    if (st == VG_OK && facts->n_names > 0)
        st = make_names(&t->names, facts, mem, err);
    if (st == VG_OK && facts->n_strides > 0)
        st = make_strides(&t->strides, facts, mem, err);
    if (st != VG_OK)
        return st;
    const char *const values[N_FACTS] = {t->args.text,   facts->model_yaml, facts->scale,
                                         facts->version, facts->date,       t->names.text,
                                         t->strides.text};
    for (size_t i = 0; i < N_FACTS; i++)
        if (values[i] != NULL)
            pairs[(*n_pairs)++] = (weights_write_meta){facts_keys[i], values[i]};
    return VG_OK;
}

/* ---- writing ---- */

/* The list of tensors: names in one block, `n` grows up to what was counted. */
typedef struct far_tensor {
    train_engine *engine;
    train_set set;
    size_t index;
} far_tensor;

typedef struct tensor_list {
    weights_write_tensor *items;
    char (*names)[CHECKPOINT_NAME_BYTES];
    far_tensor *far; /* where data is NULL */
    size_t n;
} tensor_list;

static vg_status take_list(tensor_list *l, size_t n, base_mem *mem, vg_error *err)
{
    *l = (tensor_list){.items = base_alloc_zero(mem, n, sizeof *l->items, err)};
    if (l->items != NULL)
        l->names = base_alloc_zero(mem, n, sizeof *l->names, err);
    if (l->names != NULL)
        l->far = base_alloc_zero(mem, n, sizeof *l->far, err);
    return l->far != NULL ? VG_OK : VG_ERR_MEMORY;
}

static void give_list(tensor_list *l)
{
    base_free(l->far);
    base_free(l->names);
    base_free(l->items);
}

static vg_status read_far(const void *ctx, float *dst, size_t first, size_t n, vg_error *err)
{
    const far_tensor *t = ctx;
    return train_engine_read(t->engine, dst, t->set, t->index, first, n, err);
}

/* data NULL: it is on a device, in far. */
static void add_tensor(tensor_list *l, const char *prefix, const nn_param *info, const float *data,
                       far_tensor far)
{
    weights_write_tensor *t = &l->items[l->n];
    base_format(l->names[l->n], CHECKPOINT_NAME_BYTES, "%s%s", prefix, info->key);
    l->far[l->n] = far;
    *t = (weights_write_tensor){.name = l->names[l->n],
                                .dtype = WEIGHTS_F32,
                                .n_dims = info->n_dims,
                                .data = data,
                                .read = read_far,
                                .ctx = &l->far[l->n]};
    for (int d = 0; d < info->n_dims; d++)
        t->shape[d] = info->shape[d];
    l->n++;
}

static void list_tensors(tensor_list *l, const train_state *s)
{
    const bool far = checkpoint_is_far(s);
    for (size_t i = 0; i < s->n_params; i++)
        add_tensor(l, "", s->params[i].info, train_ema_value(s->ema, i), (far_tensor){0});
    for (size_t i = 0; i < s->n_params; i++)
        add_tensor(l, "train.model/", s->params[i].info, s->params[i].value,
                   (far_tensor){s->engine, TRAIN_SET_VALUE, i});
    for (int m = 0; m < 2; m++)
        for (size_t i = 0; i < s->n_params; i++)
            if (checkpoint_has_moment(s, m, i))
                add_tensor(l, checkpoint_moments[m].prefix, s->params[i].info,
                           train_optimizer_moment(s->optimizer, m, i),
                           (far_tensor){s->engine, checkpoint_moments[m].set, i});
    for (size_t i = 0; i < s->n_params; i++)
        if (s->position.has_gradients && train_param_group(&s->params[i]) != TRAIN_GROUP_NONE)
            add_tensor(l, "train.grad/", s->params[i].info, far ? NULL : s->params[i].grad,
                       (far_tensor){s->engine, TRAIN_SET_GRAD, i});
}

static checkpoint_values values_of(const train_state *s)
{
    return (checkpoint_values){.position = s->position,
                               .best = s->best,
                               .rng = s->rng,
                               .optimizer = train_optimizer_get_kind(s->optimizer),
                               .optimizer_steps = train_optimizer_steps(s->optimizer),
                               .ema_updates = train_ema_updates(s->ema),
                               .scaler = s->engine != NULL ? s->engine->scaler : (train_scaler){0}};
}

/* Of one that is to be written, in floats. */
static vg_status sum_tensor(train_checksum *c, const weights_write_tensor *t, vg_error *err)
{
    float part[WEIGHTS_PART];
    const size_t bytes = sum_form(c, t->name, t->dtype, t->shape, t->n_dims);
    vg_status st = VG_OK;
    if (t->data != NULL)
        train_checksum_add(c, t->data, bytes);
    for (size_t n = bytes / sizeof *part, at = 0; t->data == NULL && at < n && st == VG_OK;) {
        const size_t now = n - at < WEIGHTS_PART ? n - at : WEIGHTS_PART;
        st = t->read(t->ctx, part, at, now, err);
        train_checksum_add(c, part, st == VG_OK ? now * sizeof *part : 0);
        at += now;
    }
    return st;
}

/* What lies on a device is read for the sum, and again for the file: nothing keeps a copy. */
static vg_status sum_list(char *out, size_t n, const weights_write_meta *pairs, size_t n_pairs,
                          const tensor_list *l, vg_error *err)
{
    train_checksum c = train_checksum_start();
    vg_status st = VG_OK;
    for (size_t i = 0; i < n_pairs; i++)
        sum_pair(&c, pairs[i].key, pairs[i].value);
    for (size_t i = 0; i < l->n && st == VG_OK; i++)
        st = sum_tensor(&c, &l->items[i], err);
    base_format(out, n, "%016" PRIx64, train_checksum_get(&c));
    return st;
}

vg_status checkpoint_write(const train_state *s, const train_args *args, const train_facts *facts,
                           const char *path, base_mem *mem, vg_error *err)
{
    enum { MOST_SETS = 5 };
    weights_write_meta pairs[N_PAIRS];
    char texts[N_FIELDS][24], checksum[24];
    facts_texts facts_made = {0};
    const checkpoint_values values = values_of(s);
    size_t n_pairs = 0;
    tensor_list list = {0};
    vg_status st = s->engine != NULL ? train_engine_settle_average(s->engine, err) : VG_OK;
    if (st == VG_OK)
        st = take_list(&list, MOST_SETS * s->n_params, mem, err);
    if (st != VG_OK)
        goto done;
    list_tensors(&list, s);

    pairs[n_pairs++] = (weights_write_meta){"vigil_checkpoint", VERSION};
    pairs[n_pairs++] = (weights_write_meta){"optimizer", train_optimizer_name(values.optimizer)};
    for (size_t i = 0; i < N_FIELDS; i++) {
        if (fields[i].may_lack && is_zero(&values, &fields[i]))
            continue;
        format_field(texts[i], sizeof texts[i], &values, &fields[i]);
        pairs[n_pairs++] = (weights_write_meta){fields[i].key, texts[i]};
    }
    st = add_facts(pairs, &n_pairs, &facts_made, args, facts, mem, err);
    if (st != VG_OK)
        goto done;
    st = sum_list(checksum, sizeof checksum, pairs, n_pairs, &list, err);
    if (st != VG_OK)
        goto done;
    pairs[n_pairs++] = (weights_write_meta){"checksum", checksum};
    st = weights_write_safetensors(path, list.items, list.n, pairs, n_pairs, mem, err);
done:
    fini_texts(&facts_made);
    give_list(&list);
    return st;
}

vg_status train_model_save(const train_param *params, size_t n_params, train_ema *ema,
                           weights_dtype dtype, int64_t epoch, const train_args *args,
                           const train_facts *facts, const char *path, base_mem *mem, vg_error *err)
{
    weights_write_meta pairs[1 + N_FACTS];
    char epoch_text[24];
    facts_texts facts_made = {0};
    size_t n_pairs = 0;
    tensor_list list = {0};
    vg_status st = take_list(&list, n_params, mem, err);
    if (st != VG_OK)
        goto done;
    for (size_t i = 0; i < n_params; i++) {
        add_tensor(&list, "", params[i].info,
                   ema != NULL ? train_ema_value(ema, i) : params[i].value, (far_tensor){0});
        list.items[i].dtype = dtype;
    }
    base_format(epoch_text, sizeof epoch_text, "%" PRId64, epoch);
    pairs[n_pairs++] = (weights_write_meta){"epoch", epoch_text};
    st = add_facts(pairs, &n_pairs, &facts_made, args, facts, mem, err);
    if (st == VG_OK)
        st = weights_write_safetensors(path, list.items, list.n, pairs, n_pairs, mem, err);
done:
    fini_texts(&facts_made);
    give_list(&list);
    return st;
}

/* ---- reading ---- */

static vg_status read_args(train_args *args, const weights_file *f, const char *path, base_mem *mem,
                           vg_error *err)
{
    const char *text = weights_metadata_get(f, "train_args");
    train_args_default(args);
    if (text == NULL)
        return VG_OK;
    base_tree *tree = NULL;
    vg_status st = base_tree_from_json(&tree, text, strlen(text), path, mem, err);
    if (st == VG_OK)
        st = train_args_read(args, base_tree_root(tree), path, err);
    base_tree_destroy(&tree);
    return st;
}

static vg_status read_values(checkpoint_values *values, const weights_file *f, const char *path,
                             vg_error *err)
{
    const char *kind = weights_metadata_get(f, "optimizer");
    values->optimizer = TRAIN_OPTIMIZER_AUTO;
    for (int k = TRAIN_OPTIMIZER_SGD; k < TRAIN_N_OPTIMIZERS; k++)
        if (kind != NULL && strcmp(kind, train_optimizer_name((train_optimizer_kind)k)) == 0)
            values->optimizer = (train_optimizer_kind)k;
    if (values->optimizer == TRAIN_OPTIMIZER_AUTO)
        return base_fail(err, VG_ERR_FORMAT, path, DAMAGED,
                         "the checkpoint names an unknown optimizer");
    values->scaler = (train_scaler){0};
    memset(values->position.loss_sums, 0, sizeof values->position.loss_sums);
    for (size_t i = 0; i < N_FIELDS; i++) {
        const char *text = weights_metadata_get(f, fields[i].key);
        if (text == NULL && fields[i].may_lack)
            continue;
        if (text == NULL || !parse_field(values, &fields[i], text))
            return base_fail(err, VG_ERR_FORMAT, path, DAMAGED, "the checkpoint has no valid %s",
                             fields[i].key);
    }
    if (!train_scaler_is_valid(&values->scaler))
        return base_fail(err, VG_ERR_FORMAT, path, DAMAGED, "the checkpoint has no valid %s",
                         "loss_scale");
    return VG_OK;
}

vg_status checkpoint_verify(checkpoint_values *values, train_args *args, const weights_file *f,
                            const char *path, base_mem *mem, vg_error *err)
{
    const char *version = weights_metadata_get(f, "vigil_checkpoint");
    const char *sum = weights_metadata_get(f, "checksum");
    if (version == NULL && sum == NULL)
        return base_fail(
            err, VG_ERR_ARGUMENT, path, "start a new training from these weights, with --weights",
            "weights without a training state: from a finished run, or from another program");
    if (version != NULL && strcmp(version, VERSION) != 0)
        return base_fail(err, VG_ERR_UNSUPPORTED, path,
                         "resume with the version of vigil that wrote it",
                         "a checkpoint of format %.40s; this version reads %s", version, VERSION);
    uint64_t wanted;
    if (version == NULL || sum == NULL || !parse_bits(&wanted, sum) || wanted != sum_of_file(f))
        return base_fail(err, VG_ERR_FORMAT, path, DAMAGED,
                         "the checkpoint is damaged: its contents do not match its checksum");
    const vg_status st = read_values(values, f, path, err);
    return st != VG_OK ? st : read_args(args, f, path, mem, err);
}
