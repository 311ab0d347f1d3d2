/* crc32c.c: CRC-32C, four bits at a time from a table of sixteen.
 *
 * Our own, because Debian 12 has no package of Google's crc32c library, and because a run writes a
 * few hundred bytes a step: this one's 200 MB/s are plenty. zlib's crc32 is another polynomial. */
#include "crc32c.h"

uint32_t report_crc32c(uint32_t crc, const void *bytes, size_t n)
{
    /* Entry i: i followed by four zero bits, divided by the reflected polynomial 0x82f63b78. */
    static const uint32_t NIBBLES[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                         0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                         0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                         0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    const uint8_t *p = bytes;
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ NIBBLES[crc & 15];
        crc = crc >> 4 ^ NIBBLES[crc & 15];
    }
    return ~crc;
}

uint32_t report_crc32c_mask(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}
