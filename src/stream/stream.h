/* stream.h: live inference: detectors, sources, the bounded pipeline, sinks. All that others may
 * include of stream. */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include "accounts.h"
#include "detector.h"
#include "run_folder.h"
#include "stream/live/live.h"
#include "stream/live/prove.h"
#include "stream/live/sources.h"
#include "stream/live/takes.h"
#include "stream/live/zones.h"
#include "stream/pictures/pictures.h"
#include "stream/pictures/predict.h"

#endif
