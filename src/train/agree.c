/* agree.c: rank 0 tells what it is at, a line each; the others compare line by line, so that the
 * first difference can be named. Paths may differ from machine to machine: of data and model what
 * counts is what is in them. */
#include "agree.h"

enum { MOST_TEXT = 1 << 20, PIECE = 16384, WORDS = 256 };

/* ---- what must be the same ---- */

/* In write_facts; what differs begins with it. */
#define KERNELS "the processor's kernels"

/* Of one machine alone, or of rank 0 alone. */
static bool is_own(const char *line)
{
    static const char *const names[] = {"model",   "data",         "weights",   "project",
                                        "name",    "exist_ok",     "resume",    "workers",
                                        "threads", "memory_limit", "cache",     "cache_limit",
                                        "save_pt", "plots",        "save_json", NULL};
    for (int i = 0; names[i] != NULL; i++) {
        const size_t n = strlen(names[i]);
        if (strncmp(line, names[i], n) == 0 && line[n] == ':')
            return true;
    }
    return false;
}

static uint64_t hash_of_set(const data_set *set)
{
    uint64_t h = BASE_HASH_START;
    for (size_t i = 0; i < data_set_size(set); i++) {
        const data_picture *p = data_set_picture(set, i);
        const char *name = base_path_name(p->path);
        h = base_hash(h, name, strlen(name) + 1);
        h = base_hash(h, &p->w, sizeof p->w);
        h = base_hash(h, &p->h, sizeof p->h);
        for (size_t k = 0; k < p->n_labels; k++) {
            h = base_hash(h, &p->labels[k].class_index, sizeof p->labels[k].class_index);
            h = base_hash(h, p->labels[k].xywh_norm, sizeof p->labels[k].xywh_norm);
        }
    }
    return h;
}

static uint64_t hash_of_network(const train_run *r)
{
    uint64_t h = BASE_HASH_START;
    for (size_t i = 0; i < r->n_params; i++) {
        const nn_param *p = r->params[i].info;
        h = base_hash(h, p->key, strlen(p->key) + 1);
        h = base_hash(h, &p->n_elements, sizeof p->n_elements);
    }
    return h;
}

static vg_status add_set(base_str *out, const char *what, const data_set *set, base_mem *mem,
                         vg_error *err)
{
    return base_str_add(out, MOST_TEXT, mem, err, "%s: %zu pictures, sum %016llx\n", what,
                        data_set_size(set), (unsigned long long)hash_of_set(set));
}

static vg_status write_facts(const train_run *r, base_str *out, vg_error *err)
{
    base_mem *mem = r->mem.work;
    vg_status st = train_args_add_text(out, &r->args, TRAIN_ARGS_YAML, mem, err);
    if (st == VG_OK)
        st = base_str_add(out, MOST_TEXT, mem, err,
                          "the network: %zu tensors, sum %016llx\n" KERNELS ": %s\n", r->n_params,
                          (unsigned long long)hash_of_network(r), nn_train_isa(r->engine.net));
    if (st == VG_OK)
        st = add_set(out, "the training pictures", r->train_set, mem, err);
    return st == VG_OK ? add_set(out, "the validation pictures", r->val_set, mem, err) : st;
}

static size_t line_length(const char *text)
{
    return strcspn(text, "\n");
}

/* "": the same. */
static void find_difference(char *out, size_t n_out, const char *mine, const char *theirs)
{
    out[0] = '\0';
    while (*mine != '\0' && *theirs != '\0' && out[0] == '\0') {
        const size_t n = line_length(mine), m = line_length(theirs);
        if ((n != m || memcmp(mine, theirs, n) != 0) && !is_own(mine)) {
            const size_t name = strcspn(mine, ":"), of = strcspn(theirs, ":");
            const char *value = mine + name + (mine[name] == ':'),
                       *other = theirs + of + (theirs[of] == ':');
            base_format(out, n_out, "%.*s is%.*s there, and%.*s on rank 0",
                        (int)(name < n ? name : n), mine, (int)(n - (size_t)(value - mine)), value,
                        (int)(m - (size_t)(other - theirs)), other);
        }
        mine += n + (mine[n] == '\n');
        theirs += m + (theirs[m] == '\n');
    }
}

/* differences: (ranks, WORDS). */
static vg_status judge(train_run *r, const char (*differences)[WORDS], vg_error *err)
{
    char name[RANKS_HOST_BYTES + 32];
    for (int i = 0; i < ranks_n(r->mem.ranks); i++)
        if (differences[i][0] != '\0')
            return ranks_settle(
                r->mem.ranks,
                base_fail(err, VG_ERR_ARGUMENT, ranks_name(name, sizeof name, r->mem.ranks, i),
                          base_starts_with(differences[i], KERNELS)
                              ? "use machines of one kind: other instruction sets give other last "
                                "bits, and the parameters would part"
                              : "start all ranks with the same command, on the same pictures",
                          "ranks that differ: %s", differences[i]),
                err);
    return ranks_settle(r->mem.ranks, VG_OK, err);
}

vg_status agree_check(train_run *r, vg_error *err)
{
    ranks *all = r->mem.ranks;
    base_mem *mem = r->mem.work;
    base_str mine = {0};
    char *theirs = NULL, mine_differs[WORDS] = "";
    char(*differences)[WORDS] = NULL;
    vg_status st = ranks_settle(all, write_facts(r, &mine, err), err);
    uint64_t n = st == VG_OK ? strlen(mine.text) + 1 : 0;
    if (st == VG_OK)
        st = ranks_spread(all, &n, sizeof n, err);
    if (st != VG_OK)
        goto done;
    theirs = base_alloc(mem, n, err);
    differences = base_alloc_zero(mem, (size_t)ranks_n(all), WORDS, err);
    st = ranks_settle(all, theirs != NULL && differences != NULL ? VG_OK : VG_ERR_MEMORY, err);
    if (st != VG_OK)
        goto done;
    if (ranks_me(all) == 0)
        memcpy(theirs, mine.text, n);
    st = ranks_spread(all, theirs, n, err);
    if (st == VG_OK)
        find_difference(mine_differs, sizeof mine_differs, mine.text, theirs);
    if (st == VG_OK)
        st = ranks_share(all, differences, mine_differs, WORDS, err);
    if (st == VG_OK)
        st = judge(r, (const char(*)[WORDS])differences, err);
done:
    base_free(differences);
    base_free(theirs);
    base_str_fini(&mine);
    return st;
}

/* ---- the same numbers ---- */

vg_status agree_args(train_run *r, vg_error *err)
{
    return ranks_spread(r->mem.ranks, &r->args, sizeof r->args, err);
}

static vg_status spread_set(train_run *r, train_set set, vg_error *err)
{
    float part[PIECE];
    const bool is_first = ranks_me(r->mem.ranks) == 0;
    vg_status st = VG_OK;
    for (size_t i = 0; i < r->n_params && st == VG_OK; i++) {
        if (!train_engine_has(&r->engine, set, i))
            continue;
        const size_t n = r->params[i].info->n_elements;
        for (size_t at = 0; at < n && st == VG_OK; at += PIECE) {
            const size_t m = n - at < PIECE ? n - at : PIECE;
            if (is_first)
                st = train_engine_read(&r->engine, part, set, i, at, m, err);
            if (st == VG_OK)
                st = ranks_spread(r->mem.ranks, part, m * sizeof *part, err);
            if (st == VG_OK && !is_first)
                st = train_engine_write(&r->engine, set, i, at, part, m, err);
        }
    }
    return st;
}

typedef struct standing {
    train_position position;
    train_best best;
    base_rng rng;
    int64_t n_steps, n_updates;
} standing;

vg_status agree_state(train_run *r, vg_error *err)
{
    train_state *s = &r->state;
    standing at = {s->position, s->best, s->rng, train_optimizer_steps(s->optimizer),
                   train_ema_updates(s->ema)};
    vg_status st = ranks_spread(r->mem.ranks, &at, sizeof at, err);
    if (st != VG_OK)
        return st;
    s->position = at.position;
    s->best = at.best;
    s->rng = at.rng;
    train_optimizer_set_steps(s->optimizer, at.n_steps);
    train_ema_set_updates(s->ema, at.n_updates);
    /* Gradients that were gathered before the checkpoint stay rank 0's: they are added up later. */
    static const train_set sets[] = {TRAIN_SET_VALUE, TRAIN_SET_MOMENT0, TRAIN_SET_MOMENT1,
                                     TRAIN_SET_AVERAGE};
    for (size_t i = 0; i < sizeof sets / sizeof *sets && st == VG_OK; i++)
        st = spread_set(r, sets[i], err);
    return st;
}

vg_status agree_average(train_run *r, vg_error *err)
{
    return r->mem.ranks == NULL ? VG_OK : spread_set(r, TRAIN_SET_AVERAGE, err);
}

vg_status agree_weights(train_run *r, const weights_file *weights, vg_error *err)
{
    float part[PIECE];
    vg_status st = VG_OK;
    for (size_t i = 0; i < r->n_params && st == VG_OK && r->mem.ranks != NULL; i++) {
        const size_t n = r->params[i].info->n_elements;
        const weights_tensor *t =
            weights != NULL ? weights_find(weights, r->params[i].info->key) : NULL;
        uint64_t has = t != NULL && t->n_elements == n;
        st = ranks_spread(r->mem.ranks, &has, sizeof has, err);
        for (size_t at = 0; has && at < n && st == VG_OK; at += PIECE) {
            const size_t m = n - at < PIECE ? n - at : PIECE;
            if (weights != NULL)
                weights_part_to_float(part, t, at, m);
            st = ranks_spread(r->mem.ranks, part, m * sizeof *part, err);
            if (st == VG_OK && weights == NULL)
                memcpy(train_ema_value(r->engine.average, i) + at, part, m * sizeof *part);
        }
    }
    return st;
}

vg_status agree_values(train_run *r, vg_error *err)
{
    ranks *all = r->mem.ranks;
    char name[RANKS_HOST_BYTES + 32];
    uint64_t theirs, mine = BASE_HASH_START;
    for (size_t i = 0; i < r->n_params && all != NULL; i++)
        if (r->needs_grad[i])
            mine =
                base_hash(mine, r->params[i].value, r->params[i].info->n_elements * sizeof(float));
    theirs = mine;
    vg_status st = ranks_spread(all, &theirs, sizeof theirs, err);
    if (st == VG_OK && mine != theirs)
        st = base_fail(err, VG_ERR_SYSTEM, ranks_name(name, sizeof name, all, ranks_me(all)),
                       "resume the run; if it comes again, this machine or its network is faulty",
                       "the parameters are not those of rank 0 any more");
    return all != NULL ? ranks_settle(all, st, err) : st;
}
