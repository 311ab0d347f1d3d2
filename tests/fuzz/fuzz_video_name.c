/* Any bytes as a source's text: it means something, and what stands between "://" and the last '@'
 * is not shown. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "video/name.h"
#include "video/video.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[600], shown[256], small[5], secret[640];
    size_t n = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, n);
    text[n] = '\0';
    n = strlen(text);

    video_kind kind = video_kind_of(text);
    assert(kind >= VIDEO_NONE && kind <= VIDEO_PUSHED);
    video_public_name(shown, sizeof shown, text);
    assert(strlen(shown) < sizeof shown);
    for (const char *p = shown; *p; p++)
        assert((unsigned char)*p >= 0x20 && *p != 0x7f);
    video_public_name(small, sizeof small, text);
    assert(strlen(small) < sizeof small && strncmp(small, shown, strlen(small)) == 0);
    video_clean_text(shown, sizeof shown, text);
    assert(strlen(shown) < sizeof shown);

    /* As a password, whatever it holds but the beginning of another URL, or the end of the host: a
     * number before it is the host that is called (fuzz_url looks at what is refused). */
    if (strpbrk(text, "/?#\\") == NULL && n < 200) {
        base_format(secret, sizeof secret, "rtsp://u:SECRET%sSECRET@h/x", text);
        video_public_name(shown, sizeof shown, secret);
        assert(strcmp(shown, "rtsp://h/x") == 0);
    }
    return 0;
}
