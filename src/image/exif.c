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

/* A classic file has numbers of 4 bytes, a BigTIFF (43 instead of 42) numbers of 8. */
static uint64_t read_number(const uint8_t *p, bool big, bool wide)
{
    if (!wide)
        return read_u32(p, big);
    uint64_t first = read_u32(p, big), second = read_u32(p + 4, big);
    return big ? first << 32 | second : second << 32 | first;
}

bool image_tiff_tag(uint32_t *value, const uint8_t *bytes, size_t n, unsigned tag)
{
    enum { BYTE = 1, SHORT = 3, LONG = 4, LONG8 = 16 };
    if (n < 16 || bytes[0] != bytes[1] || (bytes[0] != 'I' && bytes[0] != 'M'))
        return false;
    const bool big = bytes[0] == 'M', wide = read_u16(bytes + 2, big) == 43;
    if (!wide && read_u16(bytes + 2, big) != 42)
        return false;

    const size_t n_count = wide ? 8 : 2, n_entry = wide ? 20 : 12, value_at = wide ? 12 : 8;
    uint64_t at = read_number(bytes + value_at - 4, big, wide);
    if (at > n || n - at < n_count)
        return false;
    const uint8_t *entry = bytes + at;
    uint64_t n_entries = wide ? read_number(entry, big, true) : read_u16(entry, big);
    entry += n_count;
    if (n_entries > (n - at - n_count) / n_entry)
        n_entries = (n - at - n_count) / n_entry; /* a cut directory: what is there still counts */

    for (uint64_t i = 0; i < n_entries; i++, entry += n_entry) {
        if (read_u16(entry, big) != tag)
            continue;
        const uint32_t type = read_u16(entry + 2, big);
        const uint8_t *v = entry + value_at;
        if (read_number(entry + 4, big, wide) < 1)
            return false;
        if (type == BYTE)
            *value = v[0];
        else if (type == SHORT)
            *value = read_u16(v, big);
        else if (type == LONG)
            *value = read_u32(v, big);
        else if (type == LONG8 && wide && read_number(v, big, true) <= UINT32_MAX)
            *value = (uint32_t)read_number(v, big, true);
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
