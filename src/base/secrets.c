/* secrets.c: a text is read once, sign by sign; wherever a name ends (=, :, a blank behind --name),
 * the name decides what becomes of the value. */
#define BASE_IMPLEMENTATION
#include "secrets.h"

#include <stdbool.h>
#include <string.h>

#include "text.h"

enum { NAME_BYTES = 64, TOKEN_BYTES = 20 /* no shorter word is one by its beginning alone */ };

typedef struct writer {
    char *buf;
    size_t n, at;
} writer;

static void put(writer *w, const char *s, size_t n)
{
    for (size_t i = 0; i < n && w->at + 1 < w->n; i++)
        w->buf[w->at++] = s[i];
    if (w->n > 0)
        w->buf[w->at] = '\0';
}

static void put_mask(writer *w)
{
    put(w, "***", 3);
}

/* ---- names ---- */

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
    return is_upper(c) || is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}

static bool is_one_of(const char *s, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(s, *list) == 0)
            return true;
    return false;
}

static bool ends_with_one_of(const char *s, const char *const *list)
{
    const size_t n = strlen(s);
    for (; *list != NULL; list++) {
        const size_t k = strlen(*list);
        if (n >= k && strcmp(s + n - k, *list) == 0)
            return true;
    }
    return false;
}

/* "--wandbApiKey" as "wandb_api_key". The end is what tells: of a long name the beginning goes. */
static void normalise(char out[NAME_BYTES], const char *name, size_t n)
{
    size_t k = 0;
    while (n > 0 && (*name == '-' || *name == '.')) {
        name++;
        n--;
    }
    if (n > NAME_BYTES / 2 - 1) {
        name += n - (NAME_BYTES / 2 - 1);
        n = NAME_BYTES / 2 - 1;
    }
    for (size_t i = 0; i < n; i++) {
        const char c = name[i];
        if (i > 0 && is_upper(c) && is_lower(name[i - 1]))
            out[k++] = '_';
        out[k++] = is_upper(c) ? (char)(c - 'A' + 'a') : c == '-' || c == '.' ? '_' : c;
    }
    out[k] = '\0';
}

static bool is_all_upper(const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_lower(name[i]) || name[i] == '-' || name[i] == '.')
            return false;
    return true;
}

/* in_query: a parameter of a URL, where "key" and "sig" are secrets, too. */
static bool is_secret(const char *name, size_t n, bool in_query)
{
    static const char *const words[] = {"pass", "pwd",      "auth",   "cred",    "creds",
                                        "jwt",  "sig",      "cookie", "bearer",  "secret",
                                        "sas",  "passcode", "pw",     "secrets", NULL};
    static const char *const ends[] = {"token",      "password",      "passwd",     "passphrase",
                                       "secret",     "apikey",        "accesskey",  "secretkey",
                                       "privatekey", "accountkey",    "credential", "credentials",
                                       "signature",  "authorization", "passwort",   NULL};
    static const char *const keys[] = {
        "api_key",           "access_key",  "secret_key",       "private_key",
        "account_key",       "shared_key",  "storage_key",      "auth_key",
        "encryption_key",    "license_key", "subscription_key", "access_key_id",
        "secret_access_key", "service_key", "master_key",       NULL};
    char s[NAME_BYTES];
    normalise(s, name, n);
    const char *last = strrchr(s, '_');
    last = last != NULL ? last + 1 : s;
    if (is_one_of(last, words) || ends_with_one_of(last, ends) || ends_with_one_of(s, keys))
        return true;
    return strcmp(last, "key") == 0 && (in_query || (n > 3 && is_all_upper(name, n)));
}

/* "curl --user NAME:PASSWORD" */
static bool is_user_option(const char *name, size_t n)
{
    static const char *const names[] = {"user", "u", "proxy_user", "userpwd", NULL};
    char s[NAME_BYTES];
    normalise(s, name, n);
    return name[0] == '-' && is_one_of(s, names);
}

/* What vendors begin their keys with. */
static bool is_known_token(const char *word, size_t n)
{
    static const char *const begins[] = {"hf_",   "ghp_",  "gho_",  "ghs_", "github_pat_", "glpat-",
                                         "xoxb-", "xoxp-", "sk-",   "AKIA", "ASIA",        "eyJ",
                                         "AIza",  "npm_",  "pypi-", NULL};
    if (n < TOKEN_BYTES)
        return false;
    for (const char *const *b = begins; *b != NULL; b++)
        if (strncmp(word, *b, strlen(*b)) == 0)
            return true;
    return false;
}

/* ---- one text ---- */

typedef enum expects {
    NOTHING,
    SECRET, /* the next word is one */
    USER    /* the next word is NAME:PASSWORD */
} expects;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'' || c == '`';
}

/* Behind the value that begins at s: a quoted one ends with its quote; in a query with the next
 * parameter; whole: with the text. */
static const char *value_end(const char *s, bool in_query, bool is_whole)
{
    if (is_whole)
        return s + strlen(s);
    if (is_quote(*s)) {
        const char *end = strchr(s + 1, *s);
        return end != NULL ? end + 1 : s + strlen(s);
    }
    while (*s != '\0' && !is_blank(*s) && !is_quote(*s) && !(in_query && (*s == '&' || *s == '#')))
        s++;
    return s;
}

/* A header's value is all that follows, to the quote or the line's end. */
static const char *header_end(const char *s)
{
    while (*s != '\0' && *s != '\n' && !is_quote(*s))
        s++;
    return s;
}

static const char *skip_blanks(const char *s)
{
    while (is_blank(*s))
        s++;
    return s;
}

/* "//USER:PASSWORD@HOST": behind the '@', the last one before the path; NULL: there is none. What a
 * parser could take for a part of the host is hidden, too. */
static const char *user_info_end(const char *s)
{
    const char *at = NULL;
    for (; *s != '\0' && !is_blank(*s) && !is_quote(*s); s++) {
        if (*s == '@')
            at = s + 1;
        if (at != NULL && *s == '/')
            break;
    }
    return at;
}

/* The words that are left when a scheme names them: "Bearer abc". */
static bool is_scheme(const char *word, size_t n)
{
    return (n == 6 && (strncmp(word, "Bearer", n) == 0 || strncmp(word, "bearer", n) == 0)) ||
           (n == 5 && strncmp(word, "Basic", n) == 0);
}

/* The value of a name that ends at s with '=' or ':'. Returns behind it; s: it is no secret. */
static const char *take_value(writer *w, const char *text, const char *name, const char *s,
                              bool as_word)
{
    const size_t n = (size_t)(s - name);
    const char before = name > text ? name[-1] : '\0';
    const bool in_query = before == '?' || before == '&';
    if (n == 0 || !is_secret(name, n, in_query))
        return s;
    if (*s == '=') {
        put(w, s, 1);
        put_mask(w);
        return value_end(s + 1, in_query, as_word && name == text);
    }
    /* A time, a path, a port: no header and no YAML. "https://" is no name. */
    if (s[1] == '/' || s[1] == '\0')
        return s;
    const char *from = skip_blanks(s + 1);
    put(w, s, (size_t)(from - s));
    put_mask(w);
    return is_quote(*from) ? value_end(from, false, false) : header_end(from);
}

/* as_word: a word of a command, whose value is all of its rest. Returns what the next word is. */
static expects mask(writer *w, const char *text, expects next, bool as_word)
{
    const char *s = text, *word = text;
    while (*s != '\0') {
        if (is_quote(*s) && next == SECRET) {
            put_mask(w);
            s = word = value_end(s, false, false);
            next = NOTHING;
            continue;
        }
        if (is_blank(*s) || is_quote(*s)) {
            put(w, s++, 1);
            word = s;
            continue;
        }
        if (s == word && next != NOTHING) {
            const bool is_option = s[0] == '-' && s[1] == '-' && s[2] != '\0';
            const char *end = value_end(s, false, false),
                       *colon = memchr(s, ':', (size_t)(end - s));
            if (!is_option && next == SECRET) {
                put_mask(w);
                s = end;
            } else if (!is_option && colon != NULL) {
                put(w, s, (size_t)(colon + 1 - s));
                put_mask(w);
                s = end;
            }
            next = NOTHING;
            continue;
        }
        if (s == word && is_known_token(s, (size_t)(value_end(s, false, false) - s))) {
            put_mask(w);
            s = value_end(s, false, false);
            continue;
        }
        if (s[0] == ':' && s[1] == '/' && s[2] == '/') {
            const char *end = user_info_end(s + 3);
            put(w, s, 3);
            s += 3;
            if (end != NULL) {
                put_mask(w);
                put(w, "@", 1);
                s = end;
            }
            continue;
        }
        if (!is_name_char(*s)) {
            put(w, s++, 1);
            continue;
        }
        const char *name = s;
        while (is_name_char(*s))
            s++;
        put(w, name, (size_t)(s - name));
        const size_t n = (size_t)(s - name);
        if (*s == '=' || *s == ':') {
            s = take_value(w, text, name, s, as_word);
        } else if (is_quote(*s) && s[1] == ':' && is_secret(name, n, false)) {
            const char *from = skip_blanks(s + 2); /* of JSON: "password": "x" */
            put(w, s, (size_t)(from - s));
            put_mask(w);
            s = value_end(from, false, false);
        } else if (name == word && (*s == '\0' || is_blank(*s))) {
            const bool is_option = name[0] == '-' && n > 3;
            next = (is_option && is_secret(name, n, false)) || is_scheme(name, n) ? SECRET
                   : is_user_option(name, n)                                      ? USER
                                                                                  : NOTHING;
        }
    }
    return next;
}

const char *base_secrets_mask(char *buf, size_t n, const char *text)
{
    writer w = {.buf = buf, .n = n};
    put(&w, "", 0);
    mask(&w, text, NOTHING, false);
    return buf;
}

const char *base_secrets_join(char *buf, size_t n, char *const *argv)
{
    writer w = {.buf = buf, .n = n};
    expects next = NOTHING;
    put(&w, "", 0);
    for (char *const *a = argv; *a != NULL; a++) {
        if (a > argv)
            put(&w, " ", 1);
        const bool is_option = (*a)[0] == '-' && (*a)[1] == '-' && (*a)[2] != '\0';
        if (next == SECRET && !is_option) { /* all of it, whatever is in it */
            put_mask(&w);
            next = NOTHING;
        } else {
            next = mask(&w, *a, next, true);
        }
    }
    return buf;
}
