/* watch.h: the guard: samples a job, judges its series, names causes, acts, remembers, shows.
 *
 *   sampler  -> watch_sample ->  judge (a detector a series; rules explain)  -> watch_event
 *                             -> sinks (trace, log, history, page, notices)  -> policies
 *
 * It sees base and report only: any process is guarded, ours has no privileges. Everything that
 * others include of this folder is here. */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include "event_text.h"
#include "guard.h"
#include "judge.h"
#include "options.h"
#include "report.h"
#include "rule.h"
#include "sampler.h"
#include "series.h"
#include "sink.h"
#include "story.h"
#include "trace.h"
#include "verdict.h"
#include "view.h"

#endif
