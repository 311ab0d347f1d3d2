/* stream.h: live inference: detectors, sources, the bounded pipeline, sinks. All that others may
 * include of stream. */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include "stream/fleet/config.h"
#include "stream/in/ports.h"
#include "stream/in/sources.h"
#include "stream/job/job.h"
#include "stream/job/prove.h"
#include "stream/job/run.h"
#include "stream/pictures/batcher.h"
#include "stream/pictures/bench.h"
#include "stream/pictures/pictures.h"
#include "stream/pictures/predict.h"
#include "stream/scene/tracks.h"
#include "stream/scene/zones.h"
#include "stream/shared/accounts.h"
#include "stream/shared/crop.h"
#include "stream/shared/detector.h"
#include "stream/shared/label.h"
#include "stream/shared/model.h"
#include "stream/shared/tracker.h"
#include "takes.h"

#endif
