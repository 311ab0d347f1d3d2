/* verdict.c: names of states and shapes, as events and reports print them. */
#include "verdict.h"

const char *watch_state_name(watch_state s)
{
    static const char *const names[WATCH_N_STATES] = {
        [WATCH_LEARNING] = "learning", [WATCH_STEADY] = "steady",   [WATCH_SUSPECT] = "suspect",
        [WATCH_GROWING] = "growing",   [WATCH_LEAKING] = "leaking", [WATCH_CRITICAL] = "critical",
        [WATCH_HUNG] = "hung"};
    return names[s];
}

const char *watch_shape_name(watch_shape s)
{
    static const char *const names[WATCH_N_SHAPES] = {
        [WATCH_SHAPE_UNKNOWN] = "unknown",     [WATCH_SHAPE_FLAT] = "flat",
        [WATCH_SHAPE_WARM_UP] = "warm-up",     [WATCH_SHAPE_PLATEAU] = "plateau",
        [WATCH_SHAPE_SAW_TOOTH] = "saw-tooth", [WATCH_SHAPE_STEP] = "step",
        [WATCH_SHAPE_CYCLE] = "cycle",         [WATCH_SHAPE_RISING] = "rising"};
    return names[s];
}

bool watch_state_rises(watch_state s)
{
    return s >= WATCH_SUSPECT && s <= WATCH_CRITICAL;
}
