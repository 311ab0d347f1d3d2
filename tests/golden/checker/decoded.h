/* decoded.h: the decoded output of a run against the tensor "decoded" (kind_forward.c). */
#ifndef GOLDEN_DECODED_H
#define GOLDEN_DECODED_H

#include "kind.h"
#include "network.h"

vg_status gold_check_decoded(gold_file *f, gold_job *job, gold_network *net, const char *isa,
                             vg_error *err);

#endif
