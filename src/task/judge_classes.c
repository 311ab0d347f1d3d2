/* judge_classes.c: one class for the whole picture, which is to be the first of the likeliest, or
 * among the first five (T 6). */
#include "judge_parts.h"

typedef struct class_judge {
    float *scores; /* (nc) */
    vg_class_score top[DETECT_TOP], there;
} class_judge;

static size_t bytes(const task_judge_options *o)
{
    return (size_t)o->nc * sizeof(float);
}

static vg_status prepare(task_judge *j, base_mem *mem, vg_error *err)
{
    class_judge *k = j->more;
    k->scores = base_alloc_zero(mem, (size_t)j->o.nc, sizeof *k->scores, err);
    return k->scores != NULL ? VG_OK : VG_ERR_MEMORY;
}

static void fini(task_judge *j)
{
    class_judge *k = j->more;
    base_free(k->scores);
}

static vg_status classes(task_judge *j, task_judged *out, detect_metrics *m, const task_seen *s,
                         int i, vg_error *err)
{
    class_judge *k = j->more;
    const float *logits = nn_map_row(&s->results[NN_LOGITS], i, 0);
    const size_t n = detect_top(k->top, k->scores, logits, j->o.nc);
    k->there = (vg_class_score){s->batch->labels[j->first_label].class_index, 1};
    out->found = (vg_extras){.task = VG_TASK_CLASSIFY, .top = k->top, .n_top = n};
    out->there = (vg_extras){.task = VG_TASK_CLASSIFY, .top = &k->there, .n_top = 1};
    return detect_metrics_rank(m, k->top, n, k->there.class_index, err);
}

const task_judge_kind task_judge_classes = {
    .has_no_boxes = true,
    .more_bytes = sizeof(class_judge),
    .bytes = bytes,
    .prepare = prepare,
    .fini = fini,
    .classes = classes,
};
