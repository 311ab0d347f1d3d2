/* train.h: the floor above the engine where training lives: arguments, schedule, optimizer,
 * average, checkpoints, a run's files and locks. It does not know streams or terminals. Everything
 * that others include of this folder is here. Source: spec section 4. */
#ifndef TRAIN_TRAIN_H
#define TRAIN_TRAIN_H

#include "accounts.h"
#include "args.h"
#include "best.h"
#include "checkpoint.h"
#include "ema.h"
#include "gallery.h"
#include "names.h"
#include "need.h"
#include "optimizer.h"
#include "params.h"
#include "result.h"
#include "rng.h"
#include "run.h"
#include "run_file.h"
#include "run_find.h"
#include "run_other.h"
#include "run_report.h"
#include "schedule.h"
#include "val_run.h"
#include "validate.h"

#endif
