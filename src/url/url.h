/* url.h: who an address names. One parser for all that is called: cameras, brokers, web hooks.
 *
 * Libraries read URLs that are not well formed each in its own way: of rtsp://admin:p@ss#w@host/
 * one calls "host", another "ss", and sends it what stands before. So what could be read in two
 * ways is refused here, with how to write it, before any of them sees it. No error shows a part of
 * the URL but its scheme. */
#ifndef URL_URL_H
#define URL_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

typedef struct url_parts {
    char scheme[16]; /* in small letters */
    char host[256];  /* "" where nothing but a port is given (udp://@:5000); IPv6 without [] */
    int port;        /* 0: none */
    bool is_address; /* the host is a number */
    /* into the URL, with their escapes */
    const char *user; /* NULL: none */
    size_t n_user;
    const char *password; /* NULL: none */
    size_t n_password;
    const char *rest; /* from the first / ? or # behind the host on; "" */
} url_parts;

/* where: of the error. Refused (VG_ERR_ARGUMENT): no scheme; control characters; in user, password
 * and host spaces, quotes, brackets, backslashes and zero bytes; an @ too many, also behind a / ?
 * or # that may have been meant as a part of the password; a host with other characters than
 * letters, digits, '.', '-' and '_' (others are written as xn--...), none where may_lack_host is
 * not set; a port that is not 1 to 65535. */
vg_status url_parse(url_parts *out, const char *url, bool may_lack_host, const char *where,
                    vg_error *err);
/* n bytes with their %XX replaced. False: no room, or one stands for a zero byte. */
bool url_decode(char *out, size_t room, const char *text, size_t n);

#endif
