/* engine_pictures.c: an engine on a GPU that pictures of 8 bits go up to, and that candidates come
 * down from, several batches at a time.
 *
 * A batch under way has a slot: on the device, room for its pictures and for what is picked of its
 * heads; in staging, the same on this side. While one slot's kernels run, the next one's pictures
 * go up and the one before it comes down; the rest of the block is one batch's at a time, since
 * kernels run in order. How many candidates there are is known only when they are here: the first
 * of them come with their numbers, and a second copy brings the rest, where there is one. */
#include <assert.h>
#include <string.h>

#include "engine.h"

/* Rows of each picture that come at once: most pictures have fewer. */
enum { ROWS_AHEAD = 64 };

static size_t aligned(size_t bytes)
{
    return base_round_up(bytes, BASE_MEM_ALIGN);
}

/* Cells of a picture, and the groups that count them. */
static size_t n_cells(const nn_plan *p, size_t *n_groups)
{
    size_t n = 0;
    *n_groups = 0;
    for (int l = 0; l < p->graph->n_levels; l++) {
        const nn_map *cls = &p->maps[p->graph->levels[l].cls];
        const size_t cells = (size_t)cls->h * (size_t)cls->w;
        n += cells;
        *n_groups += (cells + NN_PICK_CELLS - 1) / NN_PICK_CELLS;
    }
    return n;
}

static size_t pitch_of(const nn_plan *p)
{
    return nn_pick_pitch(p->maps[p->graph->levels[0].cls].c);
}

static size_t pixel_bytes(const nn_engine *e, const nn_plan *p)
{
    const size_t input = (size_t)p->h * (size_t)p->w * 3;
    return e->picture_bytes > input ? e->picture_bytes : input;
}

static size_t taps_bytes(const nn_plan *p)
{
    return aligned(2 * ((size_t)p->w + (size_t)p->h) * sizeof(nn_tap)); /* of luma, and chroma */
}

nn_slot_layout nn_slot_plan(const nn_engine *e, const nn_plan *p)
{
    size_t n_groups;
    const size_t n = (size_t)p->n, cells = n_cells(p, &n_groups);
    if (e->picture_bytes == 0)
        return (nn_slot_layout){0};
    nn_slot_layout l = {.picture_bytes = taps_bytes(p) + aligned(pixel_bytes(e, p))};
    l.first_at = n * l.picture_bytes;
    l.rows_at = l.first_at + aligned((n + 1) * sizeof(uint32_t));
    l.counts_at = l.rows_at + aligned(n * cells * pitch_of(p) * sizeof(float));
    l.staging_bytes = l.counts_at;
    l.bytes = l.counts_at + aligned(n * n_groups * sizeof(uint32_t));
    return l;
}

vg_status nn_engine_is_free(nn_engine *e, bool *out, int n, int h, int w, const nn_accounts *mem,
                            vg_error *err)
{
    nn_plan *p = NULL;
    *out = false;
    const vg_status st = nn_engine_find_plan(e, &p, n, h, w, mem, err);
    if (st == VG_OK)
        *out = e->n_pending == 0 || (e->n_pending < e->max_pending && nn_remote_holds(e, p));
    return st;
}

bool nn_engine_fits(const nn_engine *e, const nn_plan *p, int w, int h)
{
    return (size_t)w * (size_t)h <= pixel_bytes(e, p) / 3;
}

static size_t chroma_bytes(int w, int h)
{
    return 2 * (((size_t)w + 1) / 2) * (((size_t)h + 1) / 2);
}

bool nn_engine_fits_planes(const nn_engine *e, const nn_plan *p, int w, int h)
{
    return (size_t)w * (size_t)h + chroma_bytes(w, h) <= pixel_bytes(e, p);
}

int nn_engine_n_pending(const nn_engine *e)
{
    return e->n_pending;
}

/* ---- up ---- */

static int next_slot(const nn_engine *e)
{
    return (e->oldest + e->n_pending) % e->max_pending;
}

static size_t slot_at(const nn_engine *e, int slot)
{
    return e->work_bytes + (size_t)slot * e->slot_bytes;
}

static char *slot_host(const nn_engine *e, int slot)
{
    return e->staging + (size_t)slot * e->slot_staging_bytes;
}

static void write_taps(nn_tap *out, const int32_t *from, const int16_t *weight, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = (nn_tap){.from = from[i], .weight = {weight[2 * i], weight[2 * i + 1]}};
}

/* Rows without their gaps; the end of them. */
static char *write_rows(char *to, const uint8_t *from, size_t row_bytes, size_t bytes, int h)
{
    if (row_bytes == bytes) {
        memcpy(to, from, bytes * (size_t)h);
        return to + bytes * (size_t)h;
    }
    for (int y = 0; y < h; y++)
        memcpy(to + (size_t)y * bytes, from + (size_t)y * row_bytes, bytes);
    return to + bytes * (size_t)h;
}

/* Where picture i of the next batch is put. */
typedef struct put_place {
    int slot;
    size_t at, dst_at; /* in the block */
    char *host;
} put_place;

static put_place place_of(const nn_engine *e, const nn_plan *p, int i, const nn_fit *f)
{
    const int slot = next_slot(e);
    const size_t before = (size_t)i * nn_slot_plan(e, p).picture_bytes,
                 floats = (size_t)p->h * (size_t)p->w * 3;
    assert(e->picture_bytes > 0 && e->n_pending < e->max_pending && i < p->n);
    assert(f->out_w == p->w && f->out_h == p->h && f->left >= 0 && f->top >= 0 &&
           f->left + f->new_w <= p->w && f->top + f->new_h <= p->h);
    return (put_place){.slot = slot,
                       .at = slot_at(e, slot) + before,
                       .dst_at = p->input_at + (size_t)i * floats * p->element_bytes,
                       .host = slot_host(e, slot) + before};
}

/* host[begin..end) to the same place of the block. */
static vg_status send(nn_engine *e, const put_place *to, size_t begin, const char *end,
                      vg_error *err)
{
    return e->backend->remote->send(e->context, to->slot, to->at + begin, to->host + begin,
                                    (size_t)(end - to->host) - begin, err);
}

/* After a failure the slot is filled anew, where what was queued may still read. */
static vg_status settled(const nn_engine *e, vg_status st)
{
    if (st != VG_OK)
        e->backend->remote->finish(e->context, NULL);
    return st;
}

vg_status nn_engine_put(nn_engine *e, const nn_plan *p, int i, const nn_picture *x, vg_error *err)
{
    const nn_fit *f = &x->fit;
    const put_place to = place_of(e, p, i, f);
    const size_t down_at = (size_t)f->new_w * sizeof(nn_tap), rows_at = taps_bytes(p);
    assert(nn_engine_fits(e, p, x->w, x->h));
    if (f->how == NN_TAPS) {
        write_taps((nn_tap *)(void *)to.host, x->x_from, x->x_weight, f->new_w);
        write_taps((nn_tap *)(void *)(to.host + down_at), x->y_from, x->y_weight, f->new_h);
    }
    const char *end = write_rows(to.host + rows_at, x->data, x->row_bytes, 3 * (size_t)x->w, x->h);
    const vg_status st = send(e, &to, f->how == NN_TAPS ? 0 : rows_at, end, err);
    const nn_letterbox of = {.dst_at = to.dst_at,
                             .src_at = to.at + rows_at,
                             .across_at = to.at,
                             .down_at = to.at + down_at,
                             .w = x->w,
                             .h = x->h,
                             .fit = *f};
    return settled(e, st == VG_OK ? e->backend->remote->letterbox(e->context, &of, err) : st);
}

vg_status nn_engine_put_planes(nn_engine *e, const nn_plan *p, int i, const nn_planes *x,
                               vg_error *err)
{
    const nn_fit *f = &x->fit;
    const put_place to = place_of(e, p, i, f);
    const int n_x = x->is_swapped ? f->new_h : f->new_w, n_y = x->is_swapped ? f->new_w : f->new_h,
              chroma_h = (x->h + 1) / 2;
    const size_t chroma_row = ((size_t)x->w + 1) / 2 * (size_t)x->chroma_pitch,
                 y_at = taps_bytes(p), u_at = y_at + (size_t)x->w * (size_t)x->h,
                 v_at = x->chroma_pitch == 2 ? u_at + 1 : u_at + chroma_row * (size_t)chroma_h;
    nn_tap *taps = (nn_tap *)(void *)to.host;
    assert(nn_engine_fits_planes(e, p, x->w, x->h));
    write_taps(taps, x->luma_x.from, x->luma_x.weight, n_x);
    write_taps(taps + n_x, x->luma_y.from, x->luma_y.weight, n_y);
    write_taps(taps + n_x + n_y, x->chroma_x.from, x->chroma_x.weight, n_x);
    write_taps(taps + 2 * n_x + n_y, x->chroma_y.from, x->chroma_y.weight, n_y);
    char *end = write_rows(to.host + y_at, x->y, x->y_row_bytes, (size_t)x->w, x->h);
    end = write_rows(end, x->u, x->chroma_row_bytes, chroma_row, chroma_h);
    if (x->chroma_pitch == 1)
        end = write_rows(end, x->v, x->chroma_row_bytes, chroma_row, chroma_h);
    const vg_status st = send(e, &to, 0, end, err);
    const nn_sample of = {.dst_at = to.dst_at,
                          .taps_at = to.at,
                          .y_at = to.at + y_at,
                          .u_at = to.at + u_at,
                          .v_at = to.at + v_at,
                          .w = x->w,
                          .h = x->h,
                          .chroma_pitch = x->chroma_pitch,
                          .is_swapped = x->is_swapped,
                          .matrix = x->matrix,
                          .fit = *f};
    return settled(e, st == VG_OK ? e->backend->remote->sample(e->context, &of, err) : st);
}

static void write_elements(char *to, const float *from, size_t n, size_t element_bytes)
{
    if (element_bytes == sizeof *from)
        memcpy(to, from, n * sizeof *from);
    else
        for (size_t i = 0; i < n; i++)
            ((uint16_t *)(void *)to)[i] = weights_f32_to_f16(from[i]);
}

/* Through the room of one picture, by parts. */
vg_status nn_engine_put_floats(nn_engine *e, const nn_plan *p, int i, const float *input,
                               vg_error *err)
{
    const nn_remote *r = e->backend->remote;
    const nn_fit whole = {.out_w = p->w, .out_h = p->h};
    const put_place to = place_of(e, p, i, &whole);
    const size_t n_all = (size_t)p->h * (size_t)p->w * 3, most = pixel_bytes(e, p) / sizeof *input;
    vg_status st = r->finish(e->context, err);
    for (size_t at = 0; at < n_all && st == VG_OK; at += most) {
        const size_t n = n_all - at < most ? n_all - at : most;
        write_elements(to.host, input + at, n, p->element_bytes);
        st = r->upload(e->context, NN_REMOTE_BLOCK, to.dst_at + at * p->element_bytes, to.host,
                       n * p->element_bytes, err);
        if (st == VG_OK)
            st = r->finish(e->context, err);
    }
    return settled(e, st);
}

/* ---- down ---- */

static nn_pick pick_of(const nn_plan *p, size_t at, const nn_slot_layout *l, float floor_logit)
{
    nn_pick k = {.n_levels = p->graph->n_levels,
                 .first_at = at + l->first_at,
                 .rows_at = at + l->rows_at,
                 .counts_at = at + l->counts_at,
                 .floor_logit = floor_logit};
    for (int i = 0; i < k.n_levels; i++) {
        const int box = p->graph->levels[i].box, cls = p->graph->levels[i].cls;
        k.levels[i].box = p->maps[box];
        k.levels[i].cls = p->maps[cls];
        k.levels[i].box_at = p->offsets[box];
        k.levels[i].cls_at = p->offsets[cls];
    }
    return k;
}

/* What collect will need: the plan may have made room for another by then. */
static void note_slot(nn_engine *e, int slot, const nn_plan *p, const nn_slot_layout *l)
{
    size_t n_groups;
    const size_t possible = (size_t)p->n * n_cells(p, &n_groups), ahead = (size_t)p->n * ROWS_AHEAD;
    nn_picks *k = &e->picks[slot];
    char *host = slot_host(e, slot);
    *k = (nn_picks){.n = p->n,
                    .n_levels = p->graph->n_levels,
                    .first = (const uint32_t *)(void *)(host + l->first_at),
                    .rows = (const float *)(void *)(host + l->rows_at),
                    .pitch = pitch_of(p)};
    for (int i = 0; i < k->n_levels; i++) {
        const nn_level *level = &p->graph->levels[i];
        const nn_map *cls = &p->maps[level->cls];
        k->levels[i] = (base_level){.h = cls->h, .w = cls->w, .stride = (float)level->stride};
    }
    e->places[slot] = (nn_pick_place){.rows_at = slot_at(e, slot) + l->rows_at,
                                      .host = host + l->rows_at,
                                      .n_ahead = ahead < possible ? ahead : possible,
                                      .n_possible = possible};
}

vg_status nn_engine_submit(nn_engine *e, nn_plan *p, float floor_logit, vg_error *err)
{
    const nn_remote *r = e->backend->remote;
    const nn_slot_layout l = nn_slot_plan(e, p);
    const int slot = next_slot(e);
    assert(e->is_loaded && e->n_pending < e->max_pending && nn_remote_holds(e, p));
    nn_plan_bind_remote(p, NULL);
    const nn_pick k = pick_of(p, slot_at(e, slot), &l, floor_logit);
    vg_status st = nn_engine_run_steps(e, p, NULL, err);
    if (st == VG_OK)
        st = r->pick(e->context, &k, err);
    if (st != VG_OK)
        return settled(e, st);
    note_slot(e, slot, p, &l);
    st = r->fetch(e->context, slot, slot_host(e, slot) + l.first_at, slot_at(e, slot) + l.first_at,
                  l.rows_at - l.first_at +
                      e->places[slot].n_ahead * e->picks[slot].pitch * sizeof(float),
                  err);
    e->n_pending += st == VG_OK;
    return settled(e, st);
}

/* Numbers from the device are not believed before they can be. */
static vg_status check_picks(const nn_picks *k, size_t n_possible, vg_error *err)
{
    bool is_possible = k->first[0] == 0 && k->first[k->n] <= n_possible;
    for (int i = 0; i < k->n; i++)
        is_possible = is_possible && k->first[i] <= k->first[i + 1];
    return is_possible ? VG_OK
                       : base_fail(err, VG_ERR_DEVICE, "device",
                                   "look at the driver's own log (dmesg), or take --device cpu",
                                   "the GPU counted %u candidates where %zu are possible",
                                   (unsigned)k->first[k->n], n_possible);
}

vg_status nn_engine_collect(nn_engine *e, nn_picks *out, vg_error *err)
{
    const nn_remote *r = e->backend->remote;
    const int slot = e->oldest;
    const nn_picks *k = &e->picks[slot];
    const nn_pick_place *at = &e->places[slot];
    const size_t row_bytes = k->pitch * sizeof(float), ahead = at->n_ahead * row_bytes;
    assert(e->n_pending > 0);
    vg_status st = r->await(e->context, slot, err);
    if (st == VG_OK)
        st = check_picks(k, at->n_possible, err);
    if (st == VG_OK && k->first[k->n] > at->n_ahead) {
        st = r->fetch_rest(e->context, slot, at->host + ahead, at->rows_at + ahead,
                           k->first[k->n] * row_bytes - ahead, err);
        if (st == VG_OK)
            st = r->await(e->context, slot, err);
    }
    *out = *k;
    e->oldest = (e->oldest + 1) % e->max_pending;
    e->n_pending--;
    return settled(e, st);
}
