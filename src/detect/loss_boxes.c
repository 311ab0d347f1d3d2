/* loss_boxes.c: detect's loss: nothing but boxes and classes. */
#include "terms.h"

const detect_loss_kind DETECT_LOSS_BOXES = {
    .name = "boxes",
    .items = {DETECT_TERM_BOX, DETECT_TERM_CLS, DETECT_TERM_DFL},
    .n_items = 3,
    .shape = &DETECT_ASSIGN_UPRIGHT,
    .truth = terms_truth_upright,
    .anchor = terms_add_box,
};
