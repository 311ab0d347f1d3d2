/* decoded.h: what is compared of a forward pass, whatever the network's task (kind_forward.c). */
#ifndef GOLDEN_DECODED_H
#define GOLDEN_DECODED_H

#include "kind.h"
#include "network.h"
#include "recipe.h"

/* layer0.sample and so on; the network keeps its layers. */
vg_status gold_check_layers(gold_file *f, gold_job *job, const gold_network *net, const char *isa,
                            vg_error *err);
/* raw0 and so on: box and class logits. */
vg_status gold_check_raw(gold_file *f, gold_job *job, const gold_network *net, const char *isa,
                         vg_error *err);
/* The file's sum of its weights' bits: the two sides speak of the same network. */
vg_status gold_check_sum(const gold_file *f, gold_job *job, const synthetic_weights *s,
                         vg_error *err);
/* The decoded output of a run against the tensor "decoded". */
vg_status gold_check_decoded(gold_file *f, gold_job *job, gold_network *net, const char *isa,
                             vg_error *err);

#endif
