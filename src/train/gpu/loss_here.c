/* loss_here.c: heads' maps and their gradients in one block of floats, first those that come down.
 */
#include "loss_here.h"

#include <assert.h>
#include <string.h>

struct loss_here {
    detect_loss *loss;
    base_pool *pool;
    float *maps, *gradients; /* (map_floats) each */
    size_t map_floats;
};

size_t loss_here_bytes(const train_engine_learning *l)
{
    size_t maps;
    const size_t loss = detect_loss_bytes(&l->loss);
    if (loss == 0 || !base_mul_size(&maps, l->map_floats, 2 * sizeof(float)) || maps > SIZE_MAX / 4)
        return 0;
    return sizeof(loss_here) + loss + maps;
}

vg_status loss_here_create(loss_here **out, const train_engine_learning *l, base_mem *mem,
                           vg_error *err)
{
    loss_here *h = *out = base_alloc_zero(mem, 1, sizeof *h, err);
    if (h == NULL)
        return VG_ERR_MEMORY;
    *h = (loss_here){.pool = l->pool, .map_floats = l->map_floats};
    vg_status st = detect_loss_create(&h->loss, &l->loss, mem, err);
    if (st == VG_OK) {
        h->maps = base_alloc_zero(mem, 2 * l->map_floats, sizeof(float), err);
        st = h->maps != NULL ? VG_OK : VG_ERR_MEMORY;
    }
    if (st != VG_OK)
        loss_here_destroy(out);
    else
        h->gradients = h->maps + l->map_floats;
    return st;
}

void loss_here_destroy(loss_here **l)
{
    if (*l != NULL) {
        detect_loss_destroy(&(*l)->loss);
        base_free((*l)->maps);
        base_free(*l);
    }
    *l = NULL;
}

/* A map that has been given its place, and where it and its gradient lie on the device. */
typedef struct place {
    size_t first, n; /* in maps and gradients */
    size_t at, d_at;
    bool is_half; /* there */
} place;

/* Of a network: three a level, and the results. */
enum { MOST_PLACES = 3 * NN_MAX_LEVELS + NN_N_RESULTS };
typedef struct places {
    place of[MOST_PLACES];
    int n;
    size_t end;
} places;

/* Gives a map its place and address, and its gradient's address; nothing to one without channels.
 */
static float *put(places *p, const loss_here *l, nn_map *map, float **gradient, size_t at,
                  size_t d_at, bool is_half)
{
    const size_t n = (size_t)map->n * (size_t)map->h * (size_t)map->w * (size_t)map->c;
    *gradient = NULL;
    map->data = NULL;
    if (n == 0)
        return NULL;
    assert(map->pitch == (size_t)map->c && p->n < MOST_PLACES && p->end + n <= l->map_floats);
    p->of[p->n++] = (place){.first = p->end, .n = n, .at = at, .d_at = d_at, .is_half = is_half};
    *gradient = l->gradients + p->end;
    map->data = l->maps + p->end;
    p->end += n;
    return map->data;
}

static void put_levels(places *p, const loss_here *l, const nn_train *net, base_level *levels,
                       base_level_gradient *gradients)
{
    for (int i = 0; i < nn_train_n_heads(net); i++) {
        nn_head head = nn_train_head(net, i);
        const nn_train_head_places at = nn_train_head_at(net, i);
        base_level_gradient *g = &gradients[i];
        *g = (base_level_gradient){.box_pitch = head.box.pitch,
                                   .cls_pitch = head.cls.pitch,
                                   .extra_pitch = head.extra.pitch};
        put(p, l, &head.box, &g->box, at.box, at.d_box, false);
        put(p, l, &head.cls, &g->cls, at.cls, at.d_cls, false);
        put(p, l, &head.extra, &g->extra, at.extra, at.d_extra, false);
        levels[i] = nn_head_level(&head);
    }
}

static detect_result put_result(places *p, const loss_here *l, const nn_train *net)
{
    for (int i = 0; i < NN_N_RESULTS; i++) {
        nn_map map;
        detect_result r = {0};
        if (!nn_train_result(net, (nn_result)i, &map))
            continue;
        const nn_train_result_places at = nn_train_result_at(net, (nn_result)i);
        r.data = put(p, l, &map, &r.gradient, at.at, at.d_at, at.is_half);
        r.pitch = r.gradient_pitch = map.pitch;
        r.h = map.h;
        r.w = map.w;
        r.channels = map.c;
        return r;
    }
    return (detect_result){0};
}

/* Numbers of 16 bits come into the upper half of their place and are widened from its begin on: one
 * is written where another was only after that has been read. */
static vg_status pull(const loss_here *l, nn_train *net, const place *p, vg_error *err)
{
    float *to = l->maps + p->first;
    if (!p->is_half)
        return nn_train_pull(net, to, NN_TRAIN_BLOCK, p->at, p->n * sizeof *to, err);
    char *narrow = (char *)to + p->n * sizeof(uint16_t);
    const vg_status st =
        nn_train_pull(net, narrow, NN_TRAIN_BLOCK, p->at, p->n * sizeof(uint16_t), err);
    for (size_t i = 0; i < p->n && st == VG_OK; i++) {
        uint16_t h;
        memcpy(&h, narrow + i * sizeof h, sizeof h);
        to[i] = weights_f16_to_f32(h);
    }
    return st;
}

static vg_status push(const loss_here *l, nn_train *net, const place *p, float scale, vg_error *err)
{
    float *from = l->gradients + p->first;
    size_t bytes = sizeof *from;
    for (size_t i = 0; i < p->n && scale != 1; i++)
        from[i] *= scale;
    for (size_t i = 0; i < p->n && p->is_half; i++) {
        const uint16_t h = weights_f32_to_f16(from[i]);
        memcpy((char *)from + i * sizeof h, &h, sizeof h);
        bytes = sizeof h;
    }
    return nn_train_push(net, NN_TRAIN_BLOCK, p->d_at, from, p->n * bytes, err);
}

vg_status loss_here_run(loss_here *l, nn_train *net, const train_engine_batch *b, int nc,
                        const detect_loss_gains *gains, float scale, detect_loss_value *out,
                        vg_error *err)
{
    base_level levels[NN_MAX_LEVELS];
    base_level_gradient gradients[NN_MAX_LEVELS];
    places p = {.n = 0};
    put_levels(&p, l, net, levels, gradients);
    const detect_batch batch = {.levels = levels,
                                .n_levels = nn_train_n_heads(net),
                                .nc = nc,
                                .batch = b->n,
                                .labels = b->labels,
                                .n_labels = b->n_labels,
                                .result = put_result(&p, l, net),
                                .extras = b->extras};
    vg_status st = VG_OK;
    for (int i = 0; i < p.n && st == VG_OK; i++)
        st = pull(l, net, &p.of[i], err);
    if (st == VG_OK)
        st = detect_loss_run(l->loss, out, gradients, &batch, gains, l->pool, err);
    for (int i = 0; i < p.n && st == VG_OK; i++)
        st = push(l, net, &p.of[i], scale, err);
    return st;
}
