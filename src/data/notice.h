/* notice.h: what a user should be told of a split before it is used, in sentences. For this folder.
 */
#ifndef DATA_NOTICE_H
#define DATA_NOTICE_H

#include "labels.h"

enum { NOTICE_MOST = 8, NOTICE_BYTES = 2048 };

typedef struct notices {
    size_t n;
    char text[NOTICE_MOST][NOTICE_BYTES];
} notices;

/* Of a table as the files say it, before anything is filtered. */
void notices_of_table(notices *out, const data_list *list, const label_table *t,
                      const data_kind *kind, data_split split);
void notices_of_keypoints(notices *out, bool has_flip_idx, data_split split);
/* Of what the filter of classes left of n_before objects. */
void notices_of_classes(notices *out, size_t n_before, size_t n_after, data_split split);

#endif
