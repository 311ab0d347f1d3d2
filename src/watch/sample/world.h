/* world.h: what a job is, as a sum of bits (job.world): its runtime, and what it works with. Seen
 * from the outside: its command line, the libraries that it has mapped, and the words of the script
 * that it runs. Remedies are put into the words of that world. For this subsystem. */
#ifndef WATCH_WORLD_H
#define WATCH_WORLD_H

#include "base/base.h"

typedef enum watch_world {
    /* runtimes */
    WATCH_WORLD_PYTHON = 1 << 0,
    WATCH_WORLD_NODE = 1 << 1,
    WATCH_WORLD_JAVA = 1 << 2,
    WATCH_WORLD_GO = 1 << 3,
    WATCH_WORLD_PHP = 1 << 4,
    WATCH_WORLD_RUBY = 1 << 5,
    WATCH_WORLD_DOTNET = 1 << 6,
    WATCH_WORLD_NATIVE = 1 << 7, /* a program that is none of these */
    /* what it works with */
    WATCH_WORLD_TENSORS = 1 << 8, /* PyTorch, TensorFlow, JAX */
    WATCH_WORLD_ULTRALYTICS = 1 << 9,
    WATCH_WORLD_VIDEO = 1 << 10, /* OpenCV, FFmpeg, GStreamer */
    WATCH_WORLD_WEB = 1 << 11,   /* serves requests, or works off a queue of them */
    /* what it does */
    WATCH_WORLD_TRAINS = 1 << 12,
    WATCH_WORLD_PREDICTS = 1 << 13
} watch_world;

enum {
    WATCH_WORLD_RUNTIMES = WATCH_WORLD_PYTHON | WATCH_WORLD_NODE | WATCH_WORLD_JAVA |
                           WATCH_WORLD_GO | WATCH_WORLD_PHP | WATCH_WORLD_RUBY | WATCH_WORLD_DOTNET
};

/* By one mapped file's path (n bytes). */
unsigned watch_world_of_map(const char *path, size_t n);
/* By a command line as /proc/PID/cmdline has it: n bytes, words end in zeros. */
unsigned watch_world_of_command(const char *words, size_t n);
/* The script in that command line: a word of it; NULL: none. */
const char *watch_world_script(const char *words, size_t n);
/* By the first bytes of a script. */
unsigned watch_world_of_script(const char *text, size_t n);
/* By the first bytes of a program's file. */
unsigned watch_world_of_program(const uint8_t *bytes, size_t n);

#endif
