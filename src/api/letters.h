/* letters.h: what to tell of class names that no font here can show. Internal to api. */
#ifndef API_LETTERS_H
#define API_LETTERS_H

#include "image/image.h"

/* A sentence of one line into buf; false, and "": drawings can show all of them. */
bool api_letters_format(char *buf, size_t n, const image_names *names);

#endif
