/* shape.h: what a whole run's curve looks like: the reason of a "not a leak". */
#ifndef WATCH_SHAPE_H
#define WATCH_SHAPE_H

#include "fit.h"
#include "history.h"
#include "verdict.h"

/* Of the longest window, 12 blocks or more; else UNKNOWN. noise: the least that is believed of a
 * floor's. *newest: the fit of the window's newer half, for whoever asks how it moves now. */
watch_shape watch_shape_find(const watch_history *h, double noise, watch_fit *newest);

#endif
