/* loss_assign.cl: which anchor answers for which object (detect/assign.c; the steps are its own).
 *
 * A group has one object where the object looks for anchors, an item one anchor where the anchor
 * looks for its object. Nothing is added by two at a time, so nothing depends on who is first. */

/* Boxes as the head predicts them, of pictures with objects. Grid: anchors, pictures. */
GROUP_OF(GPU_ITEMS)
kernel void loss_decode(global const float *maps, global float *d_maps, global char *own,
                        const gpu_loss_args a)
{
    const int anchor = GROUP_X * GPU_ITEMS + ITEM, picture = GROUP_Y;
    global const int *first = (global const int *)(own + a.first_at);
    if (anchor >= a.n_anchors || first[picture] == first[picture + 1])
        return;
    anchor_place p;
    place_of(&p, &a, picture, anchor);
    global const float *z = maps + p.level.box_at + p.pixel * (gpu_u64)p.level.box_pitch;
    float d[4];
    for (int side = 0; side < 4; side++, z += GPU_BINS) {
        float top = z[0], sum[4] = {0.0f, 0.0f, 0.0f, 0.0f}, mean[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int b = 1; b < GPU_BINS; b++)
            top = MOST(top, z[b]);
        for (int b = 0; b < GPU_BINS; b += 4)
    UNROLL
            for (int k = 0; k < 4; k++) {
                const float e = exp_near(z[b + k] - top);
                sum[k] += e;
                mean[k] += e * (float)(b + k);
            }
        d[side] =
            ((mean[0] + mean[1]) + (mean[2] + mean[3])) / ((sum[0] + sum[1]) + (sum[2] + sum[3]));
    }
    const float ax = (float)p.x + 0.5f, ay = (float)p.y + 0.5f, stride = p.level.stride;
    const float x1 = ax - d[0], y1 = ay - d[1], x2 = ax + d[2], y2 = ay + d[3];
    const float cx = (x1 + x2) / 2.0f * stride, cy = (y1 + y2) / 2.0f * stride;
    const float w = (x2 - x1) * stride, h = (y2 - y1) * stride;
    global float *box = (global float *)(own + a.boxes_at) +
                        4 * ((gpu_u64)picture * (gpu_u64)a.n_anchors + (gpu_u64)anchor);
    box[0] = cx - w / 2.0f;
    box[1] = cy - h / 2.0f;
    box[2] = cx + w / 2.0f;
    box[3] = cy + h / 2.0f;
}

INLINE bool truth_is_valid(const gpu_truth *t)
{
    return t->xyxy[0] + t->xyxy[1] + t->xyxy[2] + t->xyxy[3] > 0.0f;
}

INLINE bool anchor_is_inside(const int x, const int y, const float stride, const gpu_truth *t)
{
    const float ax = ((float)x + 0.5f) * stride, ay = ((float)y + 0.5f) * stride;
    const float left = LEAST(ax - t->xyxy[0], ay - t->xyxy[1]);
    const float right = LEAST(t->xyxy[2] - ax, t->xyxy[3] - ay);
    return LEAST(left, right) > 1e-9f;
}

/* Of an object and a predicted box; 0 where it is below that, or no number. */
PIECE float overlap_of(const gpu_truth *t, global const float *box)
{
    const float p[4] = {box[0], box[1], box[2], box[3]};
    real gradient[4];
    const float ciou = (float)ciou_of(gradient, t->xyxy, p);
    return ciou > 0.0f ? ciou : 0.0f;
}

INLINE float metric_of(const float logit, const float overlap)
{
    const float o3 = overlap * overlap * overlap;
    return SQRT(logistic_of(logit)) * (o3 * o3);
}

/* The cells [*begin, *end) of a side of n whose centres may lie inside [low, high]. */
INLINE void cells_between(int *begin, int *end, const float low, const float high,
                          const float stride, const int n)
{
    const float first = FLOOR(low / stride) - 1.0f, last = CEIL(high / stride) + 1.0f;
    *begin = first > 0.0f ? first < (float)n ? (int)first : n : 0;
    *end = last < (float)n ? last > 0.0f ? (int)last : 0 : n;
}

/* The cells of one level that an object may choose, as one range [0, n) of numbers. */
typedef struct cell_range {
    int x0, y0, w, n;
} cell_range;

INLINE void cells_of(cell_range *c, const gpu_truth *t, const gpu_loss_level *l)
{
    int x1, y1;
    cells_between(&c->x0, &x1, t->xyxy[0], t->xyxy[2], l->stride, l->w);
    cells_between(&c->y0, &y1, t->xyxy[1], t->xyxy[3], l->stride, l->h);
    c->w = x1 > c->x0 ? x1 - c->x0 : 0;
    c->n = truth_is_valid(t) && y1 > c->y0 ? c->w * (y1 - c->y0) : 0;
}

/* Steps 1 to 3: the ten best anchors of an object, equal ones in the order of their numbers. Each
 * item keeps the ten best of those that it has seen, in order; ten times the best of all items'
 * first goes to the list. Grid: objects. */
GROUP_OF(GPU_ITEMS)
kernel void loss_top(global const float *maps, global float *d_maps, global char *own,
                     const gpu_loss_args a)
{
    local float best[GPU_ITEMS];
    local int who[GPU_ITEMS];
    const int item = ITEM;
    const gpu_truth t = ((global const gpu_truth *)(own + a.truths_at))[GROUP_X];
    const gpu_u64 picture_at = (gpu_u64)t.picture * (gpu_u64)a.n_anchors;
    global const float *boxes = (global const float *)(own + a.boxes_at) + 4 * picture_at;
    global int *top = (global int *)(own + a.top_at) + GROUP_X * GPU_TOPK;
    float metrics[GPU_TOPK];
    int anchors[GPU_TOPK];
    UNROLL
    for (int k = 0; k < GPU_TOPK; k++) {
        metrics[k] = 0.0f;
        anchors[k] = -1;
    }
    for (int i = 0; i < a.n_levels; i++) {
        const gpu_loss_level l = a.level[i];
        cell_range c;
        cells_of(&c, &t, &l);
        for (int e = item; e < c.n; e += GPU_ITEMS) {
            const int x = c.x0 + e % c.w, y = c.y0 + e / c.w, cell = y * l.w + x;
            if (!anchor_is_inside(x, y, l.stride, &t))
                continue;
            const float overlap = overlap_of(&t, boxes + 4 * (gpu_u64)(l.first + cell));
            if (!(overlap > 0.0f))
                continue;
            const gpu_u64 pixel = (gpu_u64)t.picture * (gpu_u64)(l.h * l.w) + (gpu_u64)cell;
            const float metric = metric_of(
                maps[l.cls_at + pixel * (gpu_u64)l.cls_pitch + (gpu_u64)t.class_index], overlap);
    UNROLL
            for (int k = GPU_TOPK - 1; k > 0; k--) {
                const bool shifts = metric > metrics[k - 1], lands = metric > metrics[k];
                anchors[k] = shifts ? anchors[k - 1] : lands ? l.first + cell : anchors[k];
                metrics[k] = shifts ? metrics[k - 1] : lands ? metric : metrics[k];
            }
            if (metric > metrics[0]) {
                metrics[0] = metric;
                anchors[0] = l.first + cell;
            }
        }
    }
    for (int rank = 0; rank < GPU_TOPK; rank++) {
        BARRIER();
        best[item] = metrics[0];
        who[item] = anchors[0];
        for (int n = GPU_ITEMS / 2; n > 0; n /= 2) {
            BARRIER();
            if (item < n) {
                const float other = best[item + n];
                if (other > best[item] || (other == best[item] && who[item + n] < who[item])) {
                    best[item] = other;
                    who[item] = who[item + n];
                }
            }
        }
        BARRIER();
        const int winner = best[0] > 0.0f ? who[0] : -1;
        if (item == 0)
            top[rank] = winner;
        if (winner >= 0 && anchors[0] == winner) {
    UNROLL
            for (int k = 0; k + 1 < GPU_TOPK; k++) {
                metrics[k] = metrics[k + 1];
                anchors[k] = anchors[k + 1];
            }
            metrics[GPU_TOPK - 1] = 0.0f;
            anchors[GPU_TOPK - 1] = -1;
        }
    }
}

/* Step 4: an anchor that several objects chose is the one's that fits best among all of the
 * picture's, the first's on ties. Grid: anchors, pictures. */
GROUP_OF(GPU_ITEMS)
kernel void loss_settle(global const float *maps, global float *d_maps, global char *own,
                        const gpu_loss_args a)
{
    const int anchor = GROUP_X * GPU_ITEMS + ITEM, picture = GROUP_Y;
    if (anchor >= a.n_anchors)
        return;
    global const int *first = (global const int *)(own + a.first_at);
    global const gpu_truth *truths = (global const gpu_truth *)(own + a.truths_at);
    global const int *top = (global const int *)(own + a.top_at);
    const gpu_u64 at = (gpu_u64)picture * (gpu_u64)a.n_anchors + (gpu_u64)anchor;
    anchor_place p;
    place_of(&p, &a, picture, anchor);
    int n_wanting = 0, chosen = -1;
    for (int g = first[picture]; g < first[picture + 1]; g++) {
        const gpu_truth t = truths[g];
        if (!anchor_is_inside(p.x, p.y, p.level.stride, &t))
            continue;
        for (int k = 0; k < GPU_TOPK; k++)
            if (top[g * GPU_TOPK + k] == anchor) {
                n_wanting++;
                chosen = g;
            }
    }
    if (n_wanting > 1) {
        global const float *box = (global const float *)(own + a.boxes_at) + 4 * at;
        float most = -1.0f;
        for (int g = first[picture]; g < first[picture + 1]; g++) {
            const gpu_truth t = truths[g];
            const bool fits =
                truth_is_valid(&t) && anchor_is_inside(p.x, p.y, p.level.stride, &t);
            const float overlap = fits ? overlap_of(&t, box) : 0.0f;
            if (overlap > most) {
                most = overlap;
                chosen = g;
            }
        }
    }
    ((global int *)(own + a.index_at))[at] = chosen;
    ((global float *)(own + a.weight_at))[at] = 0.0f;
}

/* Step 6: target scores of an object's anchors, their sum and number. Grid: objects. */
GROUP_OF(GPU_ITEMS)
kernel void loss_weigh(global const float *maps, global float *d_maps, global char *own,
                       const gpu_loss_args a)
{
    local float metrics[GPU_ITEMS], overlaps[GPU_ITEMS];
    local real cell[GPU_ITEMS];
    const int item = ITEM, truth = GROUP_X;
    const gpu_truth t = ((global const gpu_truth *)(own + a.truths_at))[truth];
    const gpu_u64 picture_at = (gpu_u64)t.picture * (gpu_u64)a.n_anchors;
    global const float *boxes = (global const float *)(own + a.boxes_at) + 4 * picture_at;
    global const int *index = (global const int *)(own + a.index_at) + picture_at;
    global float *weight = (global float *)(own + a.weight_at) + picture_at;
    float most_metric = 0.0f, most_overlap = 0.0f;
    for (int i = 0; i < a.n_levels; i++) {
        const gpu_loss_level l = a.level[i];
        cell_range c;
        cells_of(&c, &t, &l);
        for (int e = item; e < c.n; e += GPU_ITEMS) {
            const int cell_at = (c.y0 + e / c.w) * l.w + c.x0 + e % c.w;
            const int anchor = l.first + cell_at;
            if (index[anchor] != truth)
                continue;
            const gpu_u64 pixel = (gpu_u64)t.picture * (gpu_u64)(l.h * l.w) + (gpu_u64)cell_at;
            const float overlap = overlap_of(&t, boxes + 4 * (gpu_u64)anchor);
            const float metric = metric_of(
                maps[l.cls_at + pixel * (gpu_u64)l.cls_pitch + (gpu_u64)t.class_index], overlap);
            weight[anchor] = metric; /* until all are known: this item comes by again below */
            most_metric = MOST(metric, most_metric);
            most_overlap = MOST(overlap, most_overlap);
        }
    }
    metrics[item] = most_metric;
    overlaps[item] = most_overlap;
    for (int n = GPU_ITEMS / 2; n > 0; n /= 2) {
        BARRIER();
        if (item < n) {
            metrics[item] = MOST(metrics[item + n], metrics[item]);
            overlaps[item] = MOST(overlaps[item + n], overlaps[item]);
        }
    }
    BARRIER();
    most_metric = metrics[0];
    most_overlap = overlaps[0];
    real sum = REAL(0.0), n_anchors = REAL(0.0);
    for (int i = 0; i < a.n_levels; i++) {
        const gpu_loss_level l = a.level[i];
        cell_range c;
        cells_of(&c, &t, &l);
        for (int e = item; e < c.n; e += GPU_ITEMS) {
            const int anchor = l.first + (c.y0 + e / c.w) * l.w + c.x0 + e % c.w;
            if (index[anchor] != truth)
                continue;
            const float w = (float)((real)weight[anchor] * (real)most_overlap /
                                    ((real)most_metric + REAL(1e-9)));
            weight[anchor] = w;
            sum += (real)w;
            n_anchors += REAL(1.0);
        }
    }
    add_up(cell, item, sum);
    if (item == 0)
        SUM_AT(own, a.truth_sums_at, 2 * truth) = cell[0];
    add_up(cell, item, n_anchors);
    if (item == 0)
        SUM_AT(own, a.truth_sums_at, 2 * truth + 1) = cell[0];
}

/* The batch's sum of target scores, by which everything is divided. One group. */
GROUP_OF(GPU_ITEMS)
kernel void loss_divide(global const float *maps, global float *d_maps, global char *own,
                        const gpu_loss_args a)
{
    local real cell[GPU_ITEMS];
    const int item = ITEM;
    real sum = REAL(0.0), n_anchors = REAL(0.0);
    for (int i = item; i < a.n_truths; i += GPU_ITEMS) {
        sum += SUM_AT(own, a.truth_sums_at, 2 * i);
        n_anchors += SUM_AT(own, a.truth_sums_at, 2 * i + 1);
    }
    add_up(cell, item, sum);
    if (item == 0) {
        SUM_AT(own, a.divisor_at, 0) = MOST(cell[0], REAL(1.0));
        put_result(own, a.results_at, GPU_RESULT_SCORES, cell[0]);
    }
    add_up(cell, item, n_anchors);
    if (item == 0)
        put_result(own, a.results_at, GPU_RESULT_FOREGROUND, cell[0]);
}
