/* motion.c: the last picture's pyramid of each scene, and one that the new picture goes into: they
 * change places at every step. */
#include "motion.h"

#include "flow.h"

struct image_motion {
    flow_pyramid *scenes; /* (n_scenes) of the last pictures */
    uint8_t **blocks;     /* (n_scenes + 1) the last is free */
    uint8_t *all;         /* (n_scenes + 1, FLOW_MOST_BYTES) */
    int n_scenes;
    flow_point *from, *to; /* (FLOW_MOST_CORNERS) */
    flow_corner_scratch *scratch;
};

size_t image_motion_bytes(int n_scenes)
{
    const size_t n = (size_t)n_scenes;
    return sizeof(image_motion) + n * sizeof(flow_pyramid) +
           (n + 1) * (sizeof(uint8_t *) + FLOW_MOST_BYTES) +
           2 * FLOW_MOST_CORNERS * sizeof(flow_point) + sizeof(flow_corner_scratch);
}

vg_status image_motion_create(image_motion **out, int n_scenes, base_mem *mem, vg_error *err)
{
    const size_t n = (size_t)n_scenes;
    image_motion *m = base_alloc_zero(mem, 1, sizeof *m, err);
    *out = m;
    if (m == NULL)
        return VG_ERR_MEMORY;
    m->n_scenes = n_scenes;
    if ((m->scenes = base_alloc_zero(mem, n, sizeof *m->scenes, err)) == NULL ||
        (m->blocks = base_alloc_zero(mem, n + 1, sizeof *m->blocks, err)) == NULL ||
        (m->all = base_alloc_zero(mem, n + 1, FLOW_MOST_BYTES, err)) == NULL ||
        (m->from = base_alloc_zero(mem, 2 * FLOW_MOST_CORNERS, sizeof *m->from, err)) == NULL ||
        (m->scratch = base_alloc_zero(mem, 1, sizeof *m->scratch, err)) == NULL) {
        image_motion_destroy(out);
        return VG_ERR_MEMORY;
    }
    m->to = m->from + FLOW_MOST_CORNERS;
    for (size_t i = 0; i <= n; i++)
        m->blocks[i] = m->all + i * FLOW_MOST_BYTES;
    return VG_OK;
}

void image_motion_destroy(image_motion **motion)
{
    image_motion *m = *motion;
    if (m == NULL)
        return;
    base_free(m->scenes);
    base_free(m->blocks);
    base_free(m->all);
    base_free(m->from);
    base_free(m->scratch);
    base_free(m);
    *motion = NULL;
}

void image_motion_clear(image_motion *m, int scene)
{
    m->scenes[scene].n_levels = 0;
}

static bool is_same_shape(const flow_pyramid *a, const flow_pyramid *b)
{
    return a->n_levels > 0 && a->n_levels == b->n_levels && a->factor == b->factor &&
           a->levels[0].w == b->levels[0].w && a->levels[0].h == b->levels[0].h;
}

/* From the small pictures' pixels to the large ones': the middle of the first of them is at
 * (factor - 1) / 2. */
static void enlarge(image_similarity *s, int factor)
{
    const double middle = (factor - 1) / 2.0;
    s->x = s->x * factor + middle - (s->a * middle - s->b * middle);
    s->y = s->y * factor + middle - (s->b * middle + s->a * middle);
}

static bool compare(image_motion *m, image_similarity *out, const flow_pyramid *last,
                    const flow_pyramid *now)
{
    size_t n = 0;
    const size_t n_corners = flow_corners(m->from, &last->levels[0], m->scratch);
    for (size_t i = 0; i < n_corners; i++)
        if (flow_follow(&m->to[n], m->from[i], last, now))
            m->from[n++] = m->from[i];
    if (!flow_similarity(out, m->from, m->to, n))
        return false;
    enlarge(out, now->factor);
    return true;
}

bool image_motion_step(image_motion *m, int scene, image_similarity *out, const image_luma *luma)
{
    flow_pyramid now, *last = &m->scenes[scene];
    uint8_t **block = &m->blocks[scene], **spare = &m->blocks[m->n_scenes];
    flow_pyramid_make(&now, *spare, luma);
    const bool is_known = is_same_shape(last, &now) && compare(m, out, last, &now);
    if (!is_known)
        *out = (image_similarity){.a = 1};
    uint8_t *const freed = *block;
    *block = *spare;
    *spare = freed;
    *last = now;
    return is_known;
}
