/* goods.h: what stands on the demo's shelf. */
#ifndef DEMO_GOODS_H
#define DEMO_GOODS_H

#include "paint.h"

/* The data set's classes; what comes after them is clutter, never labelled. */
typedef enum demo_kind {
    DEMO_BOTTLE,
    DEMO_CAN,
    DEMO_CARTON,
    DEMO_JAR,
    DEMO_BOX,
    DEMO_N_CLASSES,
    DEMO_BAG = DEMO_N_CLASSES,
    DEMO_BALL
} demo_kind;
extern const char *const demo_class_names[DEMO_N_CLASSES];

/* A product: its size and its print. Two of a brand are alike. */
typedef struct demo_good {
    demo_kind kind;
    float w, h, d; /* metres */
    demo_color base, second, print, lid;
    const char *word; /* capitals */
    int pattern;
    bool is_glass;
    float shoulder, neck;     /* of a bottle: shares of its height and width */
    float label_lo, label_hi; /* shares of the height */
    float bend;  /* how far rings bow as seen from here, a share of h; set when it stands */
    float turn;  /* of the print around a round one, -1..1 */
    float gloss; /* where the lamp is mirrored, -1..1 */
} demo_good;

/* A brand of a kind, drawn by lot. */
demo_good demo_good_make(demo_kind kind, demo_dice *dice);
/* Paints one that stands at `foot`, the middle of its base, turned by yaw_rad about its axis. Its
 * pixels are `item`'s. */
void demo_good_paint(demo_canvas *c, const demo_good *good, demo_point foot, float yaw_rad,
                     int item);

#endif
