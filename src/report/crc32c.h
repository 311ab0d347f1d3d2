/* crc32c.h: the checksum of TensorBoard's records (CRC-32C, Castagnoli; RFC 3720). Private to
 * src/report. */
#ifndef REPORT_CRC32C_H
#define REPORT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Carries crc (0 at first) on over n bytes. */
uint32_t report_crc32c(uint32_t crc, const void *bytes, size_t n);
/* As records store it: rotated and shifted, so that a checksum over checksums stays one. */
uint32_t report_crc32c_mask(uint32_t crc);

#endif
