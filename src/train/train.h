/* train.h: the floor above the engine where training lives: arguments, schedule, optimizer,
 * average, checkpoints. It does not know streams or terminals. Everything that others include of
 * this folder is here. Source: spec section 4. */
#ifndef TRAIN_TRAIN_H
#define TRAIN_TRAIN_H

#include "args.h"
#include "best.h"
#include "checkpoint.h"
#include "ema.h"
#include "names.h"
#include "need.h"
#include "optimizer.h"
#include "params.h"
#include "rng.h"
#include "run.h"
#include "schedule.h"
#include "validate.h"

#endif
