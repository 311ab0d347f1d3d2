/* secrets.h: what a command line holds that nobody else may read: values of --token, --password,
 * API_KEY= and their kin, user information and signatures in URLs, headers that authorise. They are
 * replaced by *** before a command is stored or shown anywhere; the one place that knows what they
 * look like.
 *
 * It is a sieve of names, not a proof: a password that stands alone as a word, or under a name that
 * says nothing of it, is not seen. */
#ifndef BASE_SECRETS_H
#define BASE_SECRETS_H

#include <stddef.h>

/* The words of a command, joined by blanks, without its secrets; cut at n bytes. Returns buf. */
const char *base_secrets_join(char *buf, size_t n, char *const *argv);
/* One text, such as a shell's command. Returns buf. */
const char *base_secrets_mask(char *buf, size_t n, const char *text);

#endif
