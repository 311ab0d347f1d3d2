/* figure.h: a jointed figure with COCO's 17 keypoints. */
#ifndef DEMO_FIGURE_H
#define DEMO_FIGURE_H

#include "paint.h"

/* COCO's order. Left and right are the figure's own. */
typedef enum demo_joint {
    DEMO_NOSE,
    DEMO_LEFT_EYE,
    DEMO_RIGHT_EYE,
    DEMO_LEFT_EAR,
    DEMO_RIGHT_EAR,
    DEMO_LEFT_SHOULDER,
    DEMO_RIGHT_SHOULDER,
    DEMO_LEFT_ELBOW,
    DEMO_RIGHT_ELBOW,
    DEMO_LEFT_WRIST,
    DEMO_RIGHT_WRIST,
    DEMO_LEFT_HIP,
    DEMO_RIGHT_HIP,
    DEMO_LEFT_KNEE,
    DEMO_RIGHT_KNEE,
    DEMO_LEFT_ANKLE,
    DEMO_RIGHT_ANKLE,
    DEMO_N_JOINTS
} demo_joint;

/* What is painted as one; each has an item of its own, so that it is known which one a pixel shows.
 */
typedef enum demo_limb {
    DEMO_HEAD,
    DEMO_TRUNK,
    DEMO_LEFT_FLANK,
    DEMO_RIGHT_FLANK,
    DEMO_LEFT_UPPER_ARM,
    DEMO_RIGHT_UPPER_ARM,
    DEMO_LEFT_FOREARM,
    DEMO_RIGHT_FOREARM,
    DEMO_LEFT_THIGH,
    DEMO_RIGHT_THIGH,
    DEMO_LEFT_SHIN,
    DEMO_RIGHT_SHIN,
    DEMO_N_LIMBS
} demo_limb;

/* Axes of the figure: where its front, its left and its top are. */
typedef struct demo_axes {
    demo_point front, left, up;
} demo_axes;

typedef struct demo_figure {
    float height; /* metres, upright */
    demo_axes head;
    demo_point skull, neck, chest, pelvis;
    demo_point toes[2]; /* left, right */
    demo_point joints[DEMO_N_JOINTS];
    demo_color skin, hair, shirt, trousers, shoes;
    bool long_sleeves, long_legs;
    uint32_t salt;
} demo_figure;

/* One by lot, that stands on the floor (y = 0) around `foot`. */
demo_figure demo_figure_make(demo_dice *dice, demo_point foot);
/* Limb i's pixels are first_item + i's. */
void demo_figure_paint(demo_canvas *c, const demo_figure *f, int first_item);
/* Whether a joint is seen in a painted canvas: it is on the side that faces the eye, and one of the
 * limbs that have it shows there. */
bool demo_figure_shows(const demo_canvas *c, const demo_figure *f, int first_item,
                       demo_joint joint);

#endif
