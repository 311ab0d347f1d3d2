/* Any text as a URL: refused, or read into parts that are within the text and their bounds; who is
 * called has no character that another parser would end the name with. */
#include <string.h>

#include "base/base.h"
#include "url/url.h"

static void look_at(const char *text, bool may_lack_host)
{
    url_parts u;
    char out[256];
    const char *end = text + strlen(text);
    if (url_parse(&u, text, may_lack_host, "", NULL) != VG_OK)
        return;
    if (strpbrk(u.host, "@/?#\\[] \t\r\n") != NULL || u.port < 0 || u.port > 65535 ||
        (u.host[0] == '\0' && !may_lack_host) || u.rest > end ||
        (u.user != NULL && (u.user < text || u.user + u.n_user > end)) ||
        (u.password != NULL && u.password + u.n_password > end))
        __builtin_trap();
    if (u.password != NULL)
        url_decode(out, sizeof out, u.password, u.n_password);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char text[1 << 16];
    if (n >= sizeof text)
        return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    look_at(text, false);
    look_at(text, true);
    return 0;
}
