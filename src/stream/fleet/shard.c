/* shard.c: the score is a hash of name and shard; two steps of splitmix64 make every bit of it
 * depend on every bit of both. */
#include "shard.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t stream_shard_key(const char *name)
{
    return base_hash(BASE_HASH_START, name, strlen(name));
}

uint64_t stream_shard_score(uint64_t key, int shard)
{
    uint64_t of_shard = (uint64_t)shard;
    uint64_t state = key ^ base_rng_split(&of_shard);
    return base_rng_split(&state);
}

int stream_shard_owner(uint64_t key, int of)
{
    int best = 0;
    for (int i = 1; i < of; i++)
        if (stream_shard_score(key, i) > stream_shard_score(key, best))
            best = i;
    return best;
}

static vg_status bad(const char *text, vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, "option shard",
                     base_mend("give I/N, I from 0 to N-1 and N at most %d: 0/20 is the first of "
                               "twenty; or auto/N",
                               STREAM_MOST_SHARDS),
                     "shard=%s", text);
}

/* vigil-3: 3. */
static vg_status find_ordinal(int64_t *out, int of, vg_error *err)
{
    char host[256] = "";
    const char *name = getenv("POD_NAME"), *digits;
    if (name == NULL || name[0] == '\0') {
        gethostname(host, sizeof host - 1);
        name = host;
    }
    digits = strrchr(name, '-');
    if (digits == NULL || !base_parse_i64(out, digits + 1, 0, INT32_MAX))
        return base_fail(err, VG_ERR_ARGUMENT, "option shard",
                         "set POD_NAME to a StatefulSet's pod, as in vigil-3; or give I/N",
                         "shard=auto, and no number ends the name %s", name);
    if (*out >= of)
        return base_fail(
            err, VG_ERR_ARGUMENT, "option shard",
            base_mend("raise N to the number of replicas, %lld at least", (long long)*out + 1),
            "shard=auto/%d, and the name is %s", of, name);
    return VG_OK;
}

vg_status stream_shard_parse(stream_shard *out, const char *text, vg_error *err)
{
    const char *slash = strchr(text, '/');
    char first[16];
    int64_t index = 0, of;
    *out = (stream_shard){0};
    if (text[0] == '\0')
        return VG_OK;
    if (slash == NULL || !base_format(first, sizeof first, "%.*s", (int)(slash - text), text) ||
        !base_parse_i64(&of, slash + 1, 1, STREAM_MOST_SHARDS))
        return bad(text, err);
    if (strcmp(first, "auto") == 0) {
        const vg_status st = find_ordinal(&index, (int)of, err);
        if (st != VG_OK)
            return st;
    } else if (!base_parse_i64(&index, first, 0, of - 1)) {
        return bad(text, err);
    }
    *out = (stream_shard){.index = (int)index, .of = (int)of};
    return VG_OK;
}
