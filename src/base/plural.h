/* plural.h: a count of things in words: "1 box", "3 boxes". */
#ifndef BASE_PLURAL_H
#define BASE_PLURAL_H

#include <stddef.h>
#include <stdint.h>

/* noun in the singular, or as somebody named a class: what is a plural already stays ("Platelets"),
 * and so do names that end in no letter of ASCII. Into buf, cut when it does not fit; returns buf.
 */
const char *base_count(char *buf, size_t n, uint64_t count, const char *noun);

#endif
