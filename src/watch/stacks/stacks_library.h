/* stacks_library.h: libvigil-stacks.so, whole, within the guard's own program. For this folder. */
#ifndef WATCH_STACKS_LIBRARY_H
#define WATCH_STACKS_LIBRARY_H

extern const unsigned char watch_stacks_library[], watch_stacks_library_end[];

#endif
