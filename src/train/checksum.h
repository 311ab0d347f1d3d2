/* checksum.h: XXH64 (Yann Collet's specification), seed 0: a fast sum that any damage to a file
 * changes; no defence against someone who wants it unchanged. */
#ifndef TRAIN_CHECKSUM_H
#define TRAIN_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

typedef struct train_checksum {
    uint64_t lane[4];
    uint64_t n_bytes;
    uint8_t rest[32]; /* n_bytes % 32 of them */
} train_checksum;

train_checksum train_checksum_start(void);
void train_checksum_add(train_checksum *c, const void *bytes, size_t n);
uint64_t train_checksum_get(const train_checksum *c);

#endif
