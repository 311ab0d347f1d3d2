/* stacks_library.c: the bytes of libvigil-stacks.so, whose path the build gives. */
#include "stacks_library.h"

#ifndef WATCH_STACKS_LIBRARY
#error "WATCH_STACKS_LIBRARY: path of the built library"
#endif

__asm__(".section .rodata\n"
        ".hidden watch_stacks_library\n"
        ".hidden watch_stacks_library_end\n"
        ".global watch_stacks_library\n"
        ".global watch_stacks_library_end\n"
        ".balign 16\n"
        "watch_stacks_library:\n"
        ".incbin \"" WATCH_STACKS_LIBRARY "\"\n"
        "watch_stacks_library_end:\n"
        ".byte 0\n"
        ".previous\n");
