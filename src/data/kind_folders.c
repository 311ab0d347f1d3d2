/* kind_folders.c: no label files: a picture's class is the folder that it is in (T 4.5). */
#include "kind.h"

const data_kind DATA_FOLDERS = {.name = "folders", .is_folders = true, .make = sample_make_class};
