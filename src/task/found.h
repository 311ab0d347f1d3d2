/* found.h: what is found in one picture: from the maps of a network to boxes and what the task adds
 * to them (T 2.1 to 2.4), all in room that is made once.
 *
 * Calling sequence: open a finder and, for each result that is held at once, a found; then per
 * picture task_find. Nothing allocates after that, unless a picture is larger than planned. */
#ifndef TASK_FOUND_H
#define TASK_FOUND_H

#include "detect/detect.h"
#include "image/image.h"
#include "nn/nn.h"

struct task;

/* What there must be room for. */
typedef struct task_shape {
    const struct task *task;
    size_t most;      /* boxes of a picture */
    size_t most_rows; /* of suppression */
    int nc;
    size_t n_keypoints; /* of pose; else 0 */
    int keypoint_dims;
    int grid_h,
        grid_w; /* the largest grid of masks: the network's input, or the picture (retina) */
    bool is_retina;
} task_shape;
/* From what the network is. */
task_shape task_shape_make(const nn_graph_info *info, size_t most, size_t most_rows, int grid_h,
                           int grid_w, bool is_retina);

/* The results of one picture. A zeroed one is valid and empty. */
typedef struct task_found {
    vg_detection *boxes; /* (most) */
    size_t n, most;
    vg_extras extras;       /* reads what follows */
    vg_keypoint *keypoints; /* (most, n_keypoints); NULL: none */
    vg_rotated *rotated;    /* (most) */
    vg_class_score *top;    /* (DETECT_TOP) */
    float *probabilities;   /* (nc) of a whole picture */
    detect_masks *masks;
} task_found;
size_t task_found_bytes(const task_shape *s);
vg_status task_found_open(task_found *out, const task_shape *s, base_mem *mem, vg_error *err);
void task_found_close(task_found *f);
/* Row `from` takes the place of row `to`, with all that belongs to it. */
void task_found_move(task_found *f, size_t to, size_t from);

/* What one thread needs to find. */
typedef struct task_finder {
    task_shape shape;
    detect_nms *nms;
    uint32_t *cells; /* (most) */
    detect_masker *masker;
    base_mem *mem; /* of what grows */
    bool has_warned;
} task_finder;
size_t task_finder_bytes(const task_shape *s);
vg_status task_finder_open(task_finder *out, const task_shape *s, base_mem *mem, vg_error *err);
void task_finder_close(task_finder *f);

/* What the network said of a batch. */
typedef struct task_maps {
    base_level levels[NN_MAX_LEVELS];
    int n_levels;
    nn_map prototypes, logits; /* c 0: none */
} task_maps;
task_maps task_maps_of(const nn_plan *p);

/* Which picture of it. */
typedef struct task_scene {
    const task_maps *maps;
    int picture;
    int in_h, in_w, orig_h, orig_w; /* of the network's input, of the picture */
    const detect_nms_options *nms;
    bool without_extras; /* boxes alone */
} task_scene;
/* Into out, boxes in pixels of the picture, best first. Errors: VG_ERR_MEMORY, VG_ERR_LIMIT (a
 * picture larger than planned): out is empty then. */
vg_status task_find_in(task_finder *f, task_found *out, const task_scene *s, vg_error *err);

/* What the descriptors point to. */
vg_status task_find_boxes(task_finder *f, task_found *out, const task_scene *s, vg_error *err);
vg_status task_find_masks(task_finder *f, task_found *out, const task_scene *s, vg_error *err);
vg_status task_find_keypoints(task_finder *f, task_found *out, const task_scene *s, vg_error *err);
vg_status task_find_rotated(task_finder *f, task_found *out, const task_scene *s, vg_error *err);
vg_status task_find_class(task_finder *f, task_found *out, const task_scene *s, vg_error *err);

#endif
