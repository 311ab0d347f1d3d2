/* stream.h: live inference: detectors, sources, the bounded pipeline, sinks. All that others may
 * include of stream. */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include "accounts.h"
#include "detector.h"
#include "live.h"
#include "live_sources.h"
#include "pictures.h"
#include "predict.h"
#include "run_folder.h"

#endif
