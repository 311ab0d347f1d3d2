/* optimizer.cl: from gradients to new weights (train/optimizer.c), and the average of weights
 * (train/ema.c). A group has a piece of one tensor, by a table that lies on the device, so that all
 * parameters go in one launch. A step whose norm is not finite changes nothing: the kernels that
 * would look first. */

GROUP_OF(GPU_ITEMS)
kernel void learn_clear(global float *block, const gpu_clear_args a)
{
    for (int j = 0; j < GPU_CLEAR_EACH; j++) {
        const gpu_u64 i =
            ((gpu_u64)GROUP_X * GPU_CLEAR_EACH + (gpu_u64)j) * GPU_ITEMS + (gpu_u64)ITEM;
        if (i < a.n)
            block[a.at + i] = 0.0f;
    }
}

/* Squares of a piece's gradients. Grid: pieces. */
GROUP_OF(GPU_ITEMS)
kernel void optimizer_norm(global float *values, global const float *grads, global float *state,
                           global char *own, const gpu_optimizer_args a)
{
    local real cell[GPU_ITEMS];
    const gpu_piece p = ((global const gpu_piece *)(own + a.pieces_at))[GROUP_X];
    const int item = ITEM;
    real sum = REAL(0.0);
    for (int i = item; i < p.n; i += GPU_ITEMS) {
        const real g = (real)(grads[p.grad_at + (gpu_u64)i] * a.unscale);
        sum += g * g;
    }
    add_up(cell, item, sum);
    if (item == 0)
        SUM_AT(own, a.sums_at, GROUP_X) = cell[0];
}

/* The norm of all, and what every gradient is multiplied by. One group. */
GROUP_OF(GPU_ITEMS)
kernel void optimizer_judge(global float *values, global const float *grads, global float *state,
                            global char *own, const gpu_optimizer_args a)
{
    local real cell[GPU_ITEMS];
    const int item = ITEM;
    real sum = REAL(0.0);
    for (int i = item; i < a.n_pieces; i += GPU_ITEMS)
        sum += SUM_AT(own, a.sums_at, i);
    add_up(cell, item, sum);
    if (item == 0) {
        const real norm = REAL_ROOT(cell[0]);
        const bool is_good = (float)norm - (float)norm == 0.0f;
        const real clip = (real)a.clip_norm / (norm + (real)a.clip_eps);
        put_result(own, a.results_at, GPU_STEP_NORM, norm);
        put_result(own, a.results_at, GPU_STEP_CLIP, LEAST(REAL(1.0), clip));
        put_result(own, a.results_at, GPU_STEP_GOOD, is_good ? REAL(1.0) : REAL(0.0));
    }
}

INLINE float result_of(global const char *own, const gpu_u64 results_at, const int which)
{
    return ((global const float *)(own + results_at))[2 * which];
}

/* Grid: pieces. */
GROUP_OF(GPU_ITEMS)
kernel void optimizer_move(global float *values, global const float *grads, global float *state,
                           global char *own, const gpu_optimizer_args a)
{
    if (result_of(own, a.results_at, GPU_STEP_GOOD) == 0.0f)
        return;
    const gpu_piece piece = ((global const gpu_piece *)(own + a.pieces_at))[GROUP_X];
    const gpu_rule r = piece.group == 0 ? a.rule[0] : piece.group == 1 ? a.rule[1] : a.rule[2];
    const float factor = result_of(own, a.results_at, GPU_STEP_CLIP) * a.unscale;
    global float *value = values + piece.value_at, *one = state + piece.state_at[0],
                 *two = state + piece.state_at[1];
    global const float *grad = grads + piece.grad_at;
    const float shrink = a.kind == GPU_ADAMW ? r.decay : 1.0f;
    const float decay = a.kind == GPU_ADAMW ? 0.0f : r.decay;
    for (int i = ITEM; i < piece.n; i += GPU_ITEMS) {
        const float v = value[i], g = grad[i] * factor + decay * v;
        float first = one[i], moved;
        if (a.kind == GPU_SGD) {
            first = r.momentum * first + g;
            moved = v - r.lr * (g + r.momentum * first);
        } else if (a.kind == GPU_RMSPROP) {
            const float square = a.beta2 * two[i] + a.take2 * g * g;
            first = r.momentum * first + g / (SQRT(square) + a.eps);
            moved = v - r.lr * first;
            two[i] = square;
        } else {
            first += r.take1 * (g - first);
            if (a.kind == GPU_ADAMAX) {
                const float kept = a.beta2 * two[i], size = (g < 0.0f ? -g : g) + a.eps;
                const float largest = MOST(kept, size);
                moved = v - r.lr * first / largest;
                two[i] = largest;
            } else {
                const float square = a.beta2 * two[i] + a.take2 * g * g, root = SQRT(square);
                if (a.kind == GPU_NADAM)
                    moved = v - (r.now * g + r.lr * first) / (root / r.root2 + a.eps);
                else if (a.kind == GPU_RADAM)
                    moved = v - r.lr * first *
                                    (r.root2 > 0.0f ? r.root2 / (root + a.eps) : 1.0f);
                else
                    moved = v * shrink - r.lr * (first / (root / r.root2 + a.eps));
                two[i] = square;
            }
        }
        one[i] = first;
        value[i] = moved;
    }
}

/* The average of values, running statistics too. Grid: pieces of its own table. */
GROUP_OF(GPU_ITEMS)
kernel void optimizer_average(global float *values, global const float *grads, global float *state,
                              global char *own, const gpu_optimizer_args a)
{
    if (result_of(own, a.results_at, GPU_STEP_GOOD) == 0.0f)
        return;
    const gpu_piece p = ((global const gpu_piece *)(own + a.pieces_at))[GROUP_X];
    global float *average = state + p.state_at[0];
    for (int i = ITEM; i < p.n; i += GPU_ITEMS)
        average[i] = a.keep * average[i] + a.take * values[p.value_at + (gpu_u64)i];
}
