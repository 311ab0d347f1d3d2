/* symbols.h: names for addresses of programs and libraries, with the functions that were inlined
 * there, and file and line where there is debugging information (in the file, or where the system
 * keeps it by build id). By libdw; without it at build time, module and offset alone.
 *
 * libdw takes memory of its own, much for large libraries, and gives it all back at fini. For this
 * folder. */
#ifndef WATCH_SYMBOLS_H
#define WATCH_SYMBOLS_H

#include "base/base.h"

enum { WATCH_MOST_INLINED = 8, WATCH_MOST_OPEN = 256 };

typedef struct watch_symbol {
    char function[192]; /* "libm.so.6+0x1234" where no symbol is known */
    char file[256];     /* "": not known */
    int line;
} watch_symbol;

/* Modules that were asked for stay open. A zeroed one is valid. */
typedef struct watch_symbols {
    struct {
        void *session;
        uint64_t path_hash;
    } open[WATCH_MOST_OPEN];
    size_t n_open;
} watch_symbols;

bool watch_symbols_are_there(void); /* built with libdw? */
/* Innermost first; at least one, at most WATCH_MOST_INLINED. address: as the file has it. */
size_t watch_symbols_find(watch_symbol out[WATCH_MOST_INLINED], watch_symbols *s, const char *path,
                          uint64_t address);
void watch_symbols_fini(watch_symbols *s);

#endif
