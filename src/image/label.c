/* label.c: names of classes come from files of others. Cairo refuses a whole text for one bad byte,
 * and for good: the drawing context stays in error. */
#include "label.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS    "\xe2\x80\xa6" /* U+2026 */

size_t image_label_clean(char *dst, size_t n, const char *src)
{
    size_t length = 0;
    for (const uint8_t *s = (const uint8_t *)src; *s != 0;) {
        size_t taken = base_utf8_bytes((const char *)s), given = taken;
        const char *from = (const char *)s;
        if (taken == 0) {
            taken = 1;
            from = REPLACEMENT;
            given = 3;
        } else if (*s < 0x20 || *s == 0x7f) {
            from = " ";
        }
        if (length + given >= n)
            break;
        memcpy(dst + length, from, given);
        length += given;
        s += taken;
    }
    dst[length] = 0;
    return length;
}

static size_t without_last_character(const char *text, size_t length)
{
    while (length > 0 && ((uint8_t)text[--length] & 0xc0) == 0x80)
        ;
    return length;
}

size_t image_label_shorten(char *text, size_t length)
{
    if (length >= 3 && memcmp(text + length - 3, ELLIPSIS, 3) == 0)
        length -= 3;
    length = without_last_character(text, length);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    if (length > 0 && length + 4 <= IMAGE_LABEL_BYTES) {
        memcpy(text + length, ELLIPSIS, 3);
        length += 3;
    }
    text[length] = 0;
    return length;
}
