/* name.h: URLs without their secrets, wherever they stand in a text. For this folder. */
#ifndef VIDEO_NAME_H
#define VIDEO_NAME_H

#include <stddef.h>

/* text with every URL in it stripped of user, password and the values of its query, as
 * video_public_name does for one alone; always terminated. out and text do not overlap. */
void video_clean_text(char *out, size_t n, const char *text);

#endif
