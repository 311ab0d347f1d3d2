/* name.h: how far a word is from a name. Whether it is near enough to be meant: vg_name_is_near and
 * vg_name_nearest of vigil/option.h. */
#ifndef BASE_NAME_H
#define BASE_NAME_H

#include "vigil/option.h"

/* Letters left out, added, wrong, or changed places with their neighbour ("optimal string
 * alignment"), each string read up to 63 bytes; '-' and '_' are the same. */
size_t base_edit_distance(const char *a, const char *b);

#endif
