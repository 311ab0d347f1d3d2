/* loss_terms.cl: the three terms and their gradients (detect/terms.c). Every channel of the
 * gradient is written, and a group leaves its share of a sum; one group adds the shares in order. */

/* Binary cross-entropy over all class logits. Grid: logits. */
GROUP_OF(GPU_ITEMS)
kernel void loss_class(global const float *maps, global float *d_maps, global char *own,
                       const gpu_loss_args a)
{
    local real cell[GPU_ITEMS];
    const int item = ITEM;
    global const gpu_truth *truths = (global const gpu_truth *)(own + a.truths_at);
    global const int *index = (global const int *)(own + a.index_at);
    global const float *weight = (global const float *)(own + a.weight_at);
    const real scale =
        (real)a.gain_cls * ((real)a.batch / SUM_AT(own, a.divisor_at, 0)) * (real)a.scale;
    real sum = REAL(0.0);
    for (int j = 0; j < GPU_CLASS_EACH; j++) {
        const gpu_u64 e = ((gpu_u64)GROUP_X * GPU_CLASS_EACH + (gpu_u64)j) * GPU_ITEMS + (gpu_u64)item;
        const gpu_u64 at = e / (gpu_u64)a.nc; /* of the anchor among all pictures' */
        if (at >= (gpu_u64)a.batch * (gpu_u64)a.n_anchors)
            continue;
        const int c = (int)(e - at * (gpu_u64)a.nc), picture = (int)(at / (gpu_u64)a.n_anchors);
        const int anchor = (int)(at - (gpu_u64)picture * (gpu_u64)a.n_anchors), g = index[at];
        anchor_place p;
        place_of(&p, &a, picture, anchor);
        const float x =
            maps[p.level.cls_at + p.pixel * (gpu_u64)p.level.cls_pitch + (gpu_u64)c];
        const float near = exp_near(x < 0.0f ? x : -x);
        float d = (float)scale * ((x >= 0.0f ? 1.0f : near) / (1.0f + near));
        sum += (real)((x > 0.0f ? x : 0.0f) + log1p_of(near));
        if (g >= 0 && truths[g].class_index == c) {
            d -= (float)(scale * (real)weight[at]);
            sum -= (real)weight[at] * (real)x;
        }
        d_maps[p.level.d_cls_at + p.pixel * (gpu_u64)p.level.d_cls_pitch + (gpu_u64)c] = d;
    }
    add_up(cell, item, sum);
    if (item == 0)
        SUM_AT(own, a.class_sums_at, GROUP_X) = cell[0];
}

/* CIoU and distribution focal loss: an item is a bin of one side of one anchor's box, four anchors
 * at a time. What a whole side or box is made of, each of its items works out for itself. Grid:
 * anchors of all pictures. */
GROUP_OF(GPU_ITEMS)
kernel void loss_box(global const float *maps, global float *d_maps, global char *own,
                     const gpu_loss_args a)
{
    local float logits[GPU_ITEMS];
    local real means[GPU_ITEMS / GPU_BINS], cell[GPU_ITEMS];
    const int item = ITEM, channel = item % GPU_BOX_CHANNELS, mine = item / GPU_BOX_CHANNELS;
    const int side = channel / GPU_BINS, bin = channel % GPU_BINS;
    global const gpu_truth *truths = (global const gpu_truth *)(own + a.truths_at);
    const real all = (real)a.batch / SUM_AT(own, a.divisor_at, 0);
    const real scale_box = (real)a.gain_box * all * (real)a.scale;
    const real scale_dfl = (real)a.gain_dfl * all * (real)a.scale;
    const int together = GPU_ITEMS / GPU_BOX_CHANNELS;
    real box_sum = REAL(0.0), dfl_sum = REAL(0.0);
    for (int round = 0; round < GPU_BOX_ANCHORS / together; round++) {
        const gpu_u64 at = (gpu_u64)GROUP_X * GPU_BOX_ANCHORS + (gpu_u64)(round * together + mine);
        const bool is_there = at < (gpu_u64)a.batch * (gpu_u64)a.n_anchors;
        const int picture = is_there ? (int)(at / (gpu_u64)a.n_anchors) : 0;
        const int anchor = is_there ? (int)(at - (gpu_u64)picture * (gpu_u64)a.n_anchors) : 0;
        const int g = is_there ? ((global const int *)(own + a.index_at))[at] : -1;
        anchor_place p;
        place_of(&p, &a, picture, anchor);
        float top = 0.0f, d = 0.0f, share = 0.0f;
        real total = REAL(0.0), mean = REAL(0.0);
        BARRIER();
        logits[item] = g >= 0 ? maps[p.level.box_at + p.pixel * (gpu_u64)p.level.box_pitch +
                                     (gpu_u64)channel]
                              : 0.0f;
        BARRIER();
        local const float *z = logits + (item - bin);
        if (g >= 0) {
            top = z[0];
            for (int b = 1; b < GPU_BINS; b++)
                top = MOST(top, z[b]);
            for (int b = 0; b < GPU_BINS; b++) {
                const float e = exp_near(z[b] - top);
                share = b == bin ? e : share;
                total += (real)e;
                mean += (real)e * (real)b;
            }
            share = (float)((real)share / total);
            mean = mean / total;
            means[item / GPU_BINS] = mean; /* the same from all of the side */
        }
        BARRIER();
        if (g >= 0) {
            const gpu_truth t = truths[g];
            const float weight = ((global const float *)(own + a.weight_at))[at];
            const float ax = (float)p.x + 0.5f, ay = (float)p.y + 0.5f;
            local const real *m = means + 4 * mine;
            const float pred[4] = {ax - (float)m[0], ay - (float)m[1], ax + (float)m[2],
                                   ay + (float)m[3]};
            float target[4];
    UNROLL
            for (int k = 0; k < 4; k++)
                target[k] = t.xyxy[k] / p.level.stride;
            const float distance = side == 0   ? ax - target[0]
                                   : side == 1 ? ay - target[1]
                                   : side == 2 ? target[2] - ax
                                               : target[3] - ay;
            const float far = 15.0f - 0.01f; /* so that the bin above exists */
            const float within = distance < 0.0f ? 0.0f : distance > far ? far : distance;
            const int low = (int)within;
            const real right = (real)within - (real)low, left = REAL(1.0) - right;
            const real s = scale_dfl * (real)weight / REAL(4.0);
            d += (float)(s * (real)share);
            if (bin == low)
                d -= (float)(s * left);
            if (bin == low + 1)
                d -= (float)(s * right);
            real slope[4];
            const real ciou = ciou_of(slope, pred, target);
            const real by = side == 0   ? slope[0]
                            : side == 1 ? slope[1]
                            : side == 2 ? -slope[2]
                                        : -slope[3];
            d += (float)(scale_box * (real)weight * by * (real)share * ((real)bin - mean));
            if (channel == 0)
                box_sum += (REAL(1.0) - ciou) * (real)weight;
            if (bin == 0) {
                const real log_sum = (real)top + log_of(total);
                dfl_sum += (real)weight *
                           (left * (log_sum - (real)z[low]) + right * (log_sum - (real)z[low + 1])) /
                           REAL(4.0);
            }
        }
        if (is_there)
            d_maps[p.level.d_box_at + p.pixel * (gpu_u64)p.level.d_box_pitch + (gpu_u64)channel] = d;
    }
    add_up(cell, item, box_sum);
    if (item == 0)
        SUM_AT(own, a.box_sums_at, 2 * GROUP_X) = cell[0];
    add_up(cell, item, dfl_sum);
    if (item == 0)
        SUM_AT(own, a.box_sums_at, 2 * GROUP_X + 1) = cell[0];
}

/* The shares of all groups. One group. */
GROUP_OF(GPU_ITEMS)
kernel void loss_sum(global const float *maps, global float *d_maps, global char *own,
                     const gpu_loss_args a)
{
    local real cell[GPU_ITEMS];
    const int item = ITEM;
    const real divisor = SUM_AT(own, a.divisor_at, 0);
    real box = REAL(0.0), cls = REAL(0.0), dfl = REAL(0.0);
    for (int i = item; i < a.n_box_groups; i += GPU_ITEMS) {
        box += SUM_AT(own, a.box_sums_at, 2 * i);
        dfl += SUM_AT(own, a.box_sums_at, 2 * i + 1);
    }
    for (int i = item; i < a.n_class_groups; i += GPU_ITEMS)
        cls += SUM_AT(own, a.class_sums_at, i);
    add_up(cell, item, box);
    if (item == 0)
        put_result(own, a.results_at, GPU_RESULT_BOX, cell[0] * (real)a.gain_box / divisor);
    add_up(cell, item, cls);
    if (item == 0)
        put_result(own, a.results_at, GPU_RESULT_CLS, cell[0] * (real)a.gain_cls / divisor);
    add_up(cell, item, dfl);
    if (item == 0)
        put_result(own, a.results_at, GPU_RESULT_DFL, cell[0] * (real)a.gain_dfl / divisor);
}
