/* label.c: a label's text loses characters until it fits. */
#include "label.h"

#include <stdint.h>
#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6" /* U+2026 */

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
