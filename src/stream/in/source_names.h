/* source_names.h: names of a list's sources. For sources.c. */
#ifndef STREAM_SOURCE_NAMES_H
#define STREAM_SOURCE_NAMES_H

#include "sources.h"

/* Makes names and stems (n) unlike each other. Those that are fixed stay (NULL: none); of the rest
 * the first of a name keeps it, others get a number. */
void stream_sources_number(stream_source *items, size_t n, const bool *is_fixed);

#endif
