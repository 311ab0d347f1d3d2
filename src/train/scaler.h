/* scaler.h: loss scaling for gradients that are kept in 16 bits (P. Micikevicius et al., "Mixed
 * Precision Training", ICLR 2018, section 3.2).
 *
 * The loss is multiplied before it is differentiated, so that small gradients are not lost, and
 * gradients of parameters are divided by as much. A step whose gradients are no numbers is left
 * out, and halves the scale; it doubles after TRAIN_SCALE_EVERY good steps in a row. Scales are
 * powers of two, so scaling changes no digit. A plain value, which checkpoints keep. */
#ifndef TRAIN_SCALER_H
#define TRAIN_SCALER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TRAIN_SCALE_FIRST = 65536,
    TRAIN_SCALE_EVERY = 2000 /* the reference's (torch.amp's GradScaler), as the first */
};

typedef struct train_scaler {
    double scale;   /* 0: there is none, and gradients are as they are */
    int64_t n_good; /* steps in a row */
} train_scaler;

/* What a loss is multiplied by: 1 where nothing is scaled. */
static inline double train_scale(const train_scaler *s)
{
    return s->scale > 0 ? s->scale : 1;
}

/* After a step; is_good false: it was left out. The scale is 1 at least. */
void train_scaler_step(train_scaler *s, bool is_good);

/* Whether a file's may be one. */
bool train_scaler_is_valid(const train_scaler *s);

#endif
