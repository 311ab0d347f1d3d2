/* checksum.c: XXH64, for little-endian machines as all of weights is. */
#include "checksum.h"

#include <string.h>

static const uint64_t P1 = UINT64_C(0x9E3779B185EBCA87), P2 = UINT64_C(0xC2B2AE3D27D4EB4F),
                      P3 = UINT64_C(0x165667B19E3779F9), P4 = UINT64_C(0x85EBCA77C2B2AE63),
                      P5 = UINT64_C(0x27D4EB2F165667C5);

enum { STRIPE = 32 };

static uint64_t rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static uint64_t read64(const uint8_t *b)
{
    uint64_t x;
    memcpy(&x, b, sizeof x);
    return x;
}

static uint64_t round_of(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * P2, 31) * P1;
}

train_checksum train_checksum_start(void)
{
    return (train_checksum){.lane = {P1 + P2, P2, 0, 0 - P1}};
}

static void add_stripes(train_checksum *c, const uint8_t *b, size_t n_stripes)
{
    uint64_t l0 = c->lane[0], l1 = c->lane[1], l2 = c->lane[2], l3 = c->lane[3];
    for (size_t i = 0; i < n_stripes; i++, b += STRIPE) {
        l0 = round_of(l0, read64(b));
        l1 = round_of(l1, read64(b + 8));
        l2 = round_of(l2, read64(b + 16));
        l3 = round_of(l3, read64(b + 24));
    }
    c->lane[0] = l0;
    c->lane[1] = l1;
    c->lane[2] = l2;
    c->lane[3] = l3;
}

void train_checksum_add(train_checksum *c, const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    const size_t held = c->n_bytes % STRIPE;
    if (n == 0)
        return;
    c->n_bytes += n;
    if (held + n < STRIPE) {
        memcpy(c->rest + held, b, n);
        return;
    }
    if (held > 0) {
        const size_t fill = STRIPE - held;
        memcpy(c->rest + held, b, fill);
        add_stripes(c, c->rest, 1);
        b += fill;
        n -= fill;
    }
    add_stripes(c, b, n / STRIPE);
    memcpy(c->rest, b + n / STRIPE * STRIPE, n % STRIPE);
}

uint64_t train_checksum_get(const train_checksum *c)
{
    uint64_t h = P5; /* + seed 0 */
    if (c->n_bytes >= STRIPE) {
        h = rotate(c->lane[0], 1) + rotate(c->lane[1], 7) + rotate(c->lane[2], 12) +
            rotate(c->lane[3], 18);
        for (int k = 0; k < 4; k++)
            h = (h ^ round_of(0, c->lane[k])) * P1 + P4;
    }
    h += c->n_bytes;
    const uint8_t *b = c->rest;
    size_t n = c->n_bytes % STRIPE;
    for (; n >= 8; b += 8, n -= 8)
        h = rotate(h ^ round_of(0, read64(b)), 27) * P1 + P4;
    if (n >= 4) {
        uint32_t x;
        memcpy(&x, b, sizeof x);
        h = rotate(h ^ x * P1, 23) * P2 + P3;
        b += 4;
        n -= 4;
    }
    for (; n > 0; b++, n--)
        h = rotate(h ^ *b * P5, 11) * P1;
    h = (h ^ h >> 33) * P2;
    h = (h ^ h >> 29) * P3;
    return h ^ h >> 32;
}
