/* sum.h: a quick sum of bytes for our own files: word by word, since byte by byte would take longer
 * than reading them. Against damage, not against intent. For this folder. */
#ifndef DATA_SUM_H
#define DATA_SUM_H

#include "base/base.h"

/* Chains when every part but the last is whole words. */
static inline uint64_t data_sum(uint64_t h, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    return base_hash(h, p, n);
}

#endif
