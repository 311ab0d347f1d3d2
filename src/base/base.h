/* base.h: the ground floor: status, tagged memory, text, files, threads, clock, log, small trees of
 * YAML and JSON, random numbers. It knows nothing of pictures or networks. Everything that others
 * include of this folder is here. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include "clock.h"
#include "file.h"
#include "glob.h"
#include "json_walk.h"
#include "keep.h"
#include "level.h"
#include "library.h"
#include "log.h"
#include "mem.h"
#include "name.h"
#include "option.h"
#include "plural.h"
#include "pool.h"
#include "queue.h"
#include "rng.h"
#include "safe.h"
#include "secrets.h"
#include "sort.h"
#include "status.h"
#include "text.h"
#include "thread.h"
#include "tree.h"

/* These name what is poisoned below, so they must have been read by then, in whatever order a file
 * includes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#if defined(__x86_64__)
#include <mm_malloc.h>
#endif
#ifndef BASE_IMPLEMENTATION /* others reach for memory and unbounded text through base alone */
#undef asprintf             /* macros with clang and _FORTIFY_SOURCE */
#undef sprintf
#pragma GCC poison malloc calloc realloc strdup strndup asprintf vasprintf strcpy strcat sprintf   \
    vsprintf strtok atoi atof qsort
#endif

#endif
