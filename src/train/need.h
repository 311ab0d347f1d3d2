/* need.h: what a run will hold, by owner, before anything of it is taken; and the largest batch
 * whose sum fits a limit.
 *
 * The items that are `held` are exact: when the run has been created its accounts say the same, to
 * the byte. The others are bounds of what comes and goes (headers of files while they are written,
 * plots) or is on no account (code, libraries, stacks). The sum of all is what a memory limit is
 * compared with, so that the process's peak stays below it. */
#ifndef TRAIN_NEED_H
#define TRAIN_NEED_H

#include "args.h"
#include "validate.h"
#include "vigil/types.h"

/* What the plan has of the owner: all, or the exact part alone. */
size_t train_need_of(const vg_plan *need, train_owner owner, bool held_only);

/* The plan of a run with these arguments. data empty: of the network alone, of nc classes (0: the
 * model's), which leaves out what depends on pictures. batch -1 and memory_limit are as in
 * train_run_create, but a plan that does not fit memory_limit is no error. The accounts are used
 * for labels and descriptions, and given back. */
vg_status train_plan(vg_plan *out, const train_args *args, int nc, const train_accounts *mem,
                     vg_error *err);

#endif
