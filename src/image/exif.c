/* exif.c: a bounded reader of the first directory of TIFF (TIFF 6.0, section 2). It follows no
 * offset but the first directory's own and reads no value that does not stand in its entry, so
 * there is nothing to loop over or run past. */
#include "exif.h"

static uint32_t read_u16(const uint8_t *p, bool big)
{
    return big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static uint32_t read_u32(const uint8_t *p, bool big)
{
    return big ? read_u16(p, true) << 16 | read_u16(p + 2, true)
               : read_u16(p + 2, false) << 16 | read_u16(p, false);
}

bool image_tiff_tag(uint32_t *value, const uint8_t *bytes, size_t n, unsigned tag)
{
    enum { BYTE = 1, SHORT = 3, LONG = 4, ENTRY_BYTES = 12 };
    if (n < 8 || bytes[0] != bytes[1] || (bytes[0] != 'I' && bytes[0] != 'M'))
        return false;
    bool big = bytes[0] == 'M';
    if (read_u16(bytes + 2, big) != 42)
        return false;

    size_t at = read_u32(bytes + 4, big);
    if (at > n || n - at < 2)
        return false;
    size_t n_entries = read_u16(bytes + at, big);
    const uint8_t *entry = bytes + at + 2;
    if (n_entries > (n - at - 2) / ENTRY_BYTES)
        n_entries = (n - at - 2) / ENTRY_BYTES; /* a cut directory: what is there still counts */

    for (size_t i = 0; i < n_entries; i++, entry += ENTRY_BYTES) {
        if (read_u16(entry, big) != tag)
            continue;
        uint32_t type = read_u16(entry + 2, big);
        if (read_u32(entry + 4, big) < 1)
            return false;
        if (type == BYTE)
            *value = entry[8];
        else if (type == SHORT)
            *value = read_u16(entry + 8, big);
        else if (type == LONG)
            *value = read_u32(entry + 8, big);
        else
            return false;
        return true;
    }
    return false;
}

int image_exif_orientation(const uint8_t *bytes, size_t n)
{
    uint32_t value;
    if (!image_tiff_tag(&value, bytes, n, TIFF_TAG_ORIENTATION) || value < 1 || value > 8)
        return 1;
    return (int)value;
}
