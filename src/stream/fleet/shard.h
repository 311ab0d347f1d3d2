/* shard.h: which of N processes reads a camera, decided by the camera's name alone.
 *
 * Rendezvous hashing: each shard has a score for each name, and the highest reads the camera.
 * Nobody needs to be asked, all come to the same answer, and when N grows by one, only those
 * cameras move for which the new shard scores highest: one of N+1, and all of them to it.
 * Source: D. G. Thaler and C. V. Ravishankar, "Using name-based mappings to increase hit rates",
 * IEEE/ACM Trans. Networking 6 (1998), 1-14. */
#ifndef STREAM_FLEET_SHARD_H
#define STREAM_FLEET_SHARD_H

#include <stdbool.h>

#include "base/base.h"

enum { STREAM_MOST_SHARDS = 200, STREAM_MOST_LISTED = 10000 };

typedef struct stream_shard {
    int index, of; /* 0..of-1; of 0: the whole list is read here */
} stream_shard;

/* "3/20"; "auto/20": the number behind the last - of $POD_NAME, else of the machine's name, as a
 * StatefulSet gives them. "": of 0. Errors: VG_ERR_ARGUMENT, at "option shard". */
vg_status stream_shard_parse(stream_shard *out, const char *text, vg_error *err);
/* Of a camera's name. */
uint64_t stream_shard_key(const char *name);
uint64_t stream_shard_score(uint64_t key, int shard);
/* 0..of-1. */
int stream_shard_owner(uint64_t key, int of);

#endif
