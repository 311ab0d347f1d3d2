/* ends.c: both ends of a network as launches: pictures into its input, and candidates out of its
 * heads. */
#include "ends.h"

_Static_assert(sizeof(gpu_tap) == sizeof(nn_tap), "taps go up as they are");
_Static_assert(NN_PICK_CELLS == GPU_ITEMS, "an item looks at a cell");
_Static_assert(NN_MAX_LEVELS <= GPU_MOST_LEVELS, "every level is in the arguments");
_Static_assert(4 * NN_REG_MAX == GPU_BOX_CHANNELS, "a row has all logits of a box");
_Static_assert((int)NN_TAPS == GPU_TAPS && (int)NN_HALVES == GPU_HALVES &&
                   (int)NN_COPIES == GPU_COPIES,
               "both sides mean the same");

static unsigned groups_of(size_t n)
{
    return (unsigned)((n + GPU_ITEMS - 1) / GPU_ITEMS);
}

void gpu_letterbox_launch(gpu_launch *out, gpu_letterbox_args *args, const gpu_form *form,
                          const nn_letterbox *l)
{
    const nn_fit *f = &l->fit;
    *args = (gpu_letterbox_args){.dst_at = l->dst_at / gpu_element_bytes(form),
                                 .src_at = l->src_at,
                                 .across_at = l->across_at,
                                 .down_at = l->down_at,
                                 .src_w = l->w,
                                 .src_h = l->h,
                                 .out_w = f->out_w,
                                 .out_h = f->out_h,
                                 .left = f->left,
                                 .top = f->top,
                                 .new_w = f->new_w,
                                 .new_h = f->new_h,
                                 .how = (int)f->how};
    *out = (gpu_launch){.kernel = gpu_kernel_of(form, GPU_letterbox),
                        .groups = {groups_of((size_t)f->out_w * (size_t)f->out_h), 1, 1},
                        .items = GPU_ITEMS,
                        .args = args,
                        .args_bytes = sizeof *args};
}

void gpu_planes_launch(gpu_launch *out, gpu_planes_args *args, const gpu_form *form,
                       const nn_sample *s)
{
    const nn_fit *f = &s->fit;
    const nn_matrix *m = &s->matrix;
    *args = (gpu_planes_args){.dst_at = s->dst_at / gpu_element_bytes(form),
                              .taps_at = s->taps_at,
                              .y_at = s->y_at,
                              .u_at = s->u_at,
                              .v_at = s->v_at,
                              .w = s->w,
                              .h = s->h,
                              .chroma_w = (s->w + 1) / 2,
                              .chroma_h = (s->h + 1) / 2,
                              .chroma_row_bytes = (s->w + 1) / 2 * s->chroma_pitch,
                              .chroma_pitch = s->chroma_pitch,
                              .is_swapped = s->is_swapped,
                              .out_w = f->out_w,
                              .out_h = f->out_h,
                              .left = f->left,
                              .top = f->top,
                              .new_w = f->new_w,
                              .new_h = f->new_h,
                              .y_scale = m->y_scale,
                              .offset = {m->offset[0], m->offset[1], m->offset[2]},
                              .r_v = m->r_v,
                              .g_u = m->g_u,
                              .g_v = m->g_v,
                              .b_u = m->b_u};
    *out = (gpu_launch){.kernel = gpu_kernel_of(form, GPU_planes),
                        .groups = {groups_of((size_t)f->out_w * (size_t)f->out_h), 1, 1},
                        .items = GPU_ITEMS,
                        .args = args,
                        .args_bytes = sizeof *args};
}

void gpu_pick_launches(gpu_launch out[GPU_N_PICK_LAUNCHES], gpu_pick_args *args,
                       const gpu_form *form, const nn_pick *p)
{
    static const gpu_kernel kernels[GPU_N_PICK_LAUNCHES] = {GPU_pick_count, GPU_pick_sum,
                                                            GPU_pick_write};
    *args = (gpu_pick_args){.first_at = p->first_at / sizeof(float),
                            .rows_at = p->rows_at / sizeof(float),
                            .counts_at = p->counts_at / sizeof(float),
                            .n_levels = p->n_levels,
                            .n = p->levels[0].cls.n,
                            .nc = p->levels[0].cls.c,
                            .pitch = (int)nn_pick_pitch(p->levels[0].cls.c),
                            .floor_logit = p->floor_logit};
    int n_cells = 0;
    for (int i = 0; i < p->n_levels; i++) {
        const nn_map *box = &p->levels[i].box, *cls = &p->levels[i].cls;
        args->levels[i] = (gpu_pick_level){.box_at = p->levels[i].box_at / sizeof(float),
                                           .cls_at = p->levels[i].cls_at / sizeof(float),
                                           .box_pitch = (int)box->pitch,
                                           .cls_pitch = (int)cls->pitch,
                                           .pixels = cls->h * cls->w,
                                           .first_cell = n_cells,
                                           .first_group = args->groups};
        n_cells += cls->h * cls->w;
        args->groups += (int)groups_of((size_t)cls->h * (size_t)cls->w);
    }
    for (int i = 0; i < GPU_N_PICK_LAUNCHES; i++) {
        const bool is_one = kernels[i] == GPU_pick_sum;
        out[i] = (gpu_launch){
            .kernel = gpu_kernel_of(form, kernels[i]),
            .groups = {is_one ? 1 : (unsigned)args->groups, is_one ? 1 : (unsigned)args->n, 1},
            .items = GPU_ITEMS,
            .args = args,
            .args_bytes = sizeof *args};
    }
}
