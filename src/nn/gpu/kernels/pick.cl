/* pick.cl: the cells of which some class may pass the threshold, compacted: only they come back.
 *
 * Three kernels: pick_count has each group count its cells, pick_sum turns the counts into the
 * places of their first rows, pick_write writes the rows. A row's place depends on the cells before
 * it alone: pictures one after another, in each the cells by level and position. A row has the
 * cell's number, its 4 x 16 box logits and its class logits, all as they are: what becomes of them
 * is src/detect's. */

/* Of the items before this one, and of all in n[GPU_ITEMS - 1]; every item of a group calls it. */
INLINE int sum_before(local int *n, int mine)
{
    n[ITEM] = mine;
    for (int step = 1; step < GPU_ITEMS; step *= 2) {
        BARRIER();
        const int sum = ITEM >= step ? n[ITEM] + n[ITEM - step] : n[ITEM];
        BARRIER();
        n[ITEM] = sum;
    }
    BARRIER();
    return n[ITEM] - mine;
}

/* The level whose cells this group looks at: chosen by comparing, since an index would put the
 * arguments into memory. */
INLINE void level_of(gpu_pick_level *out, const gpu_pick_args *a)
{
    *out = a->levels[0];
    UNROLL
    for (int l = 1; l < GPU_MOST_LEVELS; l++)
        if (l < a->n_levels && GROUP_X >= a->levels[l].first_group)
            *out = a->levels[l];
}

/* 1: a class of this item's cell is at the floor or above. */
INLINE int is_hit(global const float *block, const gpu_pick_args *a, const gpu_pick_level *l,
                  int cell)
{
    int any = 0;
    if (cell < l->pixels) {
        global const float *z = block + l->cls_at +
                                ((gpu_u64)GROUP_Y * (gpu_u64)l->pixels + (gpu_u64)cell) *
                                    (gpu_u64)l->cls_pitch;
        for (int c = 0; c < a->nc; c++)
            any |= z[c] >= a->floor_logit;
    }
    return any;
}

GROUP_OF(GPU_ITEMS)
kernel void NAMED(pick_count)(global float *block, const gpu_pick_args a)
{
    local int n[GPU_ITEMS];
    global int *numbers = (global int *)block;
    gpu_pick_level l;
    level_of(&l, &a);
    sum_before(n, is_hit(block, &a, &l, (GROUP_X - l.first_group) * GPU_ITEMS + ITEM));
    if (ITEM == 0)
        numbers[a.counts_at + (gpu_u64)GROUP_Y * (gpu_u64)a.groups + (gpu_u64)GROUP_X] =
            n[GPU_ITEMS - 1];
}

/* One group, over the counts of all pictures. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(pick_sum)(global float *block, const gpu_pick_args a)
{
    local int n[GPU_ITEMS];
    global int *numbers = (global int *)block;
    const int n_counts = a.n * a.groups;
    int before = 0;
    for (int begin = 0; begin < n_counts; begin += GPU_ITEMS) {
        const int i = begin + ITEM;
        const int mine = i < n_counts ? numbers[a.counts_at + (gpu_u64)i] : 0;
        const int first = before + sum_before(n, mine);
        if (i < n_counts) {
            numbers[a.counts_at + (gpu_u64)i] = first;
            if (i % a.groups == 0)
                numbers[a.first_at + (gpu_u64)(i / a.groups)] = first;
        }
        before += n[GPU_ITEMS - 1];
        BARRIER();
    }
    if (ITEM == 0)
        numbers[a.first_at + (gpu_u64)a.n] = before;
}

GROUP_OF(GPU_ITEMS)
kernel void NAMED(pick_write)(global float *block, const gpu_pick_args a)
{
    local int n[GPU_ITEMS];
    local int cells[GPU_ITEMS];
    global uint *bits = (global uint *)block; /* a number as a float might be flushed to zero */
    gpu_pick_level l;
    level_of(&l, &a);
    const int cell = (GROUP_X - l.first_group) * GPU_ITEMS + ITEM;
    const int mine = is_hit(block, &a, &l, cell), place = sum_before(n, mine);
    const int n_rows = n[GPU_ITEMS - 1];
    if (mine)
        cells[place] = cell;
    BARRIER();
    const int first = ((global int *)block)[a.counts_at + (gpu_u64)GROUP_Y * (gpu_u64)a.groups +
                                            (gpu_u64)GROUP_X];
    for (int e = ITEM; e < n_rows * a.pitch; e += GPU_ITEMS) {
        const int row = e / a.pitch, i = e - row * a.pitch;
        const gpu_u64 at =
            (gpu_u64)GROUP_Y * (gpu_u64)l.pixels + (gpu_u64)cells[row];
        uint v = (uint)(l.first_cell + cells[row]);
        if (i > GPU_BOX_CHANNELS)
            v = bits[l.cls_at + at * (gpu_u64)l.cls_pitch +
                     (gpu_u64)(i - 1 - GPU_BOX_CHANNELS)];
        else if (i > 0)
            v = bits[l.box_at + at * (gpu_u64)l.box_pitch + (gpu_u64)(i - 1)];
        bits[a.rows_at + ((gpu_u64)first + (gpu_u64)row) * (gpu_u64)a.pitch + (gpu_u64)i] = v;
    }
}
