/* watch.h: the guard: samples a job, judges its series, names causes, acts, remembers, shows.
 *
 *   sampler  -> watch_sample ->  judge (a detector a series; rules explain)  -> watch_event
 *                             -> sinks (trace, log, history, page, notices)  -> policies
 *
 * Any process is guarded, ours has no privileges. What others include of the floors below is here.
 */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include "watch/guard/run.h"
#include "watch/judge/judge.h"
#include "watch/judge/rule.h"
#include "watch/judge/verdict.h"
#include "watch/options/options.h"
#include "watch/sample/sampler.h"
#include "watch/sample/series.h"
#include "watch/tell/event_text.h"
#include "watch/tell/live.h"
#include "watch/tell/replay.h"
#include "watch/tell/report.h"
#include "watch/tell/sink.h"
#include "watch/tell/story.h"
#include "watch/tell/trace.h"

#endif
