/* worlds.h: in whose words a remedy is put: a training, a web service and a program in C are
 * mended in different ways. For this folder. */
#ifndef WATCH_WORLDS_H
#define WATCH_WORLDS_H

#include "watch/judge/rule.h"

/* The first that fits. ANY: not known (a trace of before), or a bit of several. */
typedef enum facts_world {
    FACTS_ANY,
    FACTS_TRAINING,   /* Python that trains */
    FACTS_PREDICTING, /* Python that predicts with a model */
    FACTS_VIDEO,      /* OpenCV, FFmpeg, GStreamer */
    FACTS_WEB,        /* a web service or a queue's worker in Python */
    FACTS_PYTHON,     /* any other */
    FACTS_NODE,
    FACTS_JAVA,
    FACTS_GO,
    FACTS_SCRIPTED, /* PHP, Ruby, .NET */
    FACTS_NATIVE,   /* C, C++, Rust... */
    FACTS_N_WORLDS
} facts_world;

facts_world facts_world_of(const watch_judge *j);
/* Python, or not known: where a word on Python's libraries is not out of place. */
bool facts_may_be_python(const watch_judge *j);
/* The world's row; of an empty one that of ANY, which must be there. */
const char *facts_in_words(const watch_judge *j, const char *const rows[FACTS_N_WORLDS]);
/* How objects that are kept are found and let go. */
const char *facts_kept_remedy(const watch_judge *j);

#endif
