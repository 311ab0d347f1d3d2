/* rest.c: one handle of libcurl, so that the connection stays. Proxies of the environment are not
 * asked: what is called is in the same cluster. */
#include "rest.h"

#include <string.h>

#include "url/url.h"

#ifdef VIGIL_HAVE_CURL

#include <fcntl.h>
#include <unistd.h>

#include "curl.h"

enum { URL_BYTES = 2048, TOKEN_BYTES = 16 << 10, TYPE_BYTES = 96 };

struct net_rest {
    net_curl c;
    net_rest_options o;
    bool is_too_large;
    size_t n;
    char url[URL_BYTES], token[TOKEN_BYTES];
    char answer[]; /* (most_bytes + 1) */
};

size_t net_rest_bytes(const net_rest_options *o)
{
    return sizeof(net_rest) + o->most_bytes + 1;
}

static size_t keep(char *bytes, size_t size, size_t n, void *self)
{
    net_rest *r = self;
    const size_t k = size * n;
    if (k > r->o.most_bytes - r->n) {
        r->is_too_large = true;
        return 0; /* libcurl ends the transfer */
    }
    memcpy(r->answer + r->n, bytes, k);
    r->n += k;
    return k;
}

static bool set_up(net_rest *r)
{
    net_curl *c = &r->c;
    return net_curl_begin(c, r->o.agent) &&
           c->curl_easy_setopt(c->easy, CURLOPT_NOPROXY, "*") == CURLE_OK &&
           c->curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)r->o.timeout_ms) == CURLE_OK &&
           (r->o.ca == NULL || c->curl_easy_setopt(c->easy, CURLOPT_CAINFO, r->o.ca) == CURLE_OK) &&
           c->curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, r) == CURLE_OK &&
           c->curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, keep) == CURLE_OK;
}

vg_status net_rest_open(net_rest **out, const net_rest_options *o, base_mem *mem, vg_error *err)
{
    url_parts u;
    *out = NULL;
    vg_status st = url_parse(&u, o->base, false, o->who, err);
    if (st != VG_OK)
        return st;
    net_rest *r = base_alloc_zero(mem, 1, net_rest_bytes(o), err);
    if (r == NULL)
        return VG_ERR_MEMORY;
    r->o = *o;
    st = net_curl_load(&r->c, "calls over HTTP need libcurl", err);
    if (st == VG_OK && !set_up(r))
        st = base_fail(err, VG_ERR_UNSUPPORTED, o->who, "look at its address and certificate",
                       "libcurl does not take it");
    *out = r;
    if (st != VG_OK)
        net_rest_close(out);
    return st;
}

static vg_status read_token(net_rest *r, vg_error *err)
{
    const int fd = open(r->o.token_file, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd >= 0 ? read(fd, r->token, sizeof r->token - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return base_fail_errno(err, VG_ERR_IO, r->o.token_file, "let the pod mount its token",
                               "the token cannot be read");
    r->token[n] = '\0';
    r->token[strcspn(r->token, "\r\n")] = '\0';
    return VG_OK;
}

static bool prepare(net_rest *r, const char *method, const char *type, const char *body)
{
    char header[TYPE_BYTES];
    r->c.curl_slist_free_all(r->c.headers);
    r->c.headers = NULL;
    if (type != NULL && base_format(header, sizeof header, "Content-Type: %s", type))
        r->c.headers = r->c.curl_slist_append(NULL, header);
    if (type != NULL && r->c.headers == NULL)
        return false;
    return r->c.curl_easy_setopt(r->c.easy, CURLOPT_URL, r->url) == CURLE_OK &&
           r->c.curl_easy_setopt(r->c.easy, CURLOPT_HTTPHEADER, r->c.headers) == CURLE_OK &&
           (body != NULL
                ? r->c.curl_easy_setopt(r->c.easy, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
                      r->c.curl_easy_setopt(r->c.easy, CURLOPT_POSTFIELDSIZE, -1L) == CURLE_OK
                : r->c.curl_easy_setopt(r->c.easy, CURLOPT_HTTPGET, 1L) == CURLE_OK) &&
           r->c.curl_easy_setopt(r->c.easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK &&
           (r->o.token_file == NULL ||
            (r->c.curl_easy_setopt(r->c.easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) ==
                 CURLE_OK &&
             r->c.curl_easy_setopt(r->c.easy, CURLOPT_XOAUTH2_BEARER, r->token) == CURLE_OK));
}

vg_status net_rest_call(net_rest *r, net_rest_answer *out, const char *method, const char *path,
                        const char *type, const char *body, vg_error *err)
{
    *out = (net_rest_answer){.text = r->answer};
    if (!base_format(r->url, sizeof r->url, "%s%s", r->o.base, path))
        return base_fail(err, VG_ERR_LIMIT, r->o.who, NULL, "a path of %zu bytes", strlen(path));
    vg_status st = r->o.token_file != NULL ? read_token(r, err) : VG_OK;
    if (st != VG_OK)
        return st;
    r->n = 0;
    r->is_too_large = false;
    r->c.why[0] = '\0';
    if (!prepare(r, method, type, body))
        return base_fail(err, VG_ERR_MEMORY, r->o.who, NULL, "libcurl does not take the call");
    const CURLcode code = r->c.curl_easy_perform(r->c.easy);
    memset(r->token, 0, sizeof r->token);
    if (r->is_too_large)
        return base_fail(err, VG_ERR_LIMIT, r->o.who, NULL, "an answer of more than %zu bytes",
                         r->o.most_bytes);
    if (code != CURLE_OK)
        return base_fail(err, VG_ERR_IO, r->o.who, "look whether it runs and can be reached",
                         "no answer: %s", net_curl_why(&r->c, code));
    r->c.curl_easy_getinfo(r->c.easy, CURLINFO_RESPONSE_CODE, &out->status);
    r->answer[r->n] = '\0';
    out->n = r->n;
    return VG_OK;
}

void net_rest_close(net_rest **rest)
{
    net_rest *r = *rest;
    if (r == NULL)
        return;
    net_curl_end(&r->c);
    base_free(r);
    *rest = NULL;
}

#else

size_t net_rest_bytes(const net_rest_options *o)
{
    (void)o;
    return 0;
}

vg_status net_rest_open(net_rest **out, const net_rest_options *o, base_mem *mem, vg_error *err)
{
    (void)mem;
    *out = NULL;
    return base_fail(err, VG_ERR_UNSUPPORTED, o->who,
                     "install libcurl4-openssl-dev and build again",
                     "this vigil was built without libcurl");
}

vg_status net_rest_call(net_rest *r, net_rest_answer *out, const char *method, const char *path,
                        const char *type, const char *body, vg_error *err)
{
    (void)r, (void)method, (void)path, (void)type, (void)body;
    *out = (net_rest_answer){0};
    return base_fail(err, VG_ERR_UNSUPPORTED, NULL, NULL, "this vigil was built without libcurl");
}

void net_rest_close(net_rest **r)
{
    *r = NULL;
}

#endif
