/* worlds.c: job.world's bits to one world, and what several rules say in its words. */
#include "worlds.h"

#include <math.h>

#include "watch/sample/world.h"

facts_world facts_world_of(const watch_judge *j)
{
    const double value = watch_judge_sample(j)->value[WATCH_JOB_WORLD];
    const unsigned bits = value >= 0 && value < 1 << 30 ? (unsigned)value : 0;
    const bool trains = bits & WATCH_WORLD_TRAINS, predicts = bits & WATCH_WORLD_PREDICTS,
               has_model = bits & (WATCH_WORLD_ULTRALYTICS | WATCH_WORLD_TENSORS);
    if (bits & WATCH_WORLD_NODE)
        return FACTS_NODE;
    if (bits & WATCH_WORLD_JAVA)
        return FACTS_JAVA;
    if (bits & WATCH_WORLD_GO)
        return FACTS_GO;
    if (bits & (WATCH_WORLD_PHP | WATCH_WORLD_RUBY | WATCH_WORLD_DOTNET))
        return FACTS_SCRIPTED;
    if (bits & WATCH_WORLD_PYTHON) {
        if (bits & WATCH_WORLD_WEB)
            return FACTS_WEB;
        if (has_model)
            return trains && !predicts                                       ? FACTS_TRAINING
                   : predicts && (!trains || bits & WATCH_WORLD_ULTRALYTICS) ? FACTS_PREDICTING
                                                                             : FACTS_ANY;
        return bits & WATCH_WORLD_VIDEO ? FACTS_VIDEO : FACTS_PYTHON;
    }
    if (bits & WATCH_WORLD_VIDEO)
        return FACTS_VIDEO;
    return bits & WATCH_WORLD_NATIVE ? FACTS_NATIVE : FACTS_ANY;
}

bool facts_may_be_python(const watch_judge *j)
{
    return facts_world_of(j) <= FACTS_PYTHON;
}

const char *facts_in_words(const watch_judge *j, const char *const rows[FACTS_N_WORLDS])
{
    const char *row = rows[facts_world_of(j)];
    return row != NULL ? row : rows[FACTS_ANY];
}

const char *facts_kept_remedy(const watch_judge *j)
{
    static const char *const rows[FACTS_N_WORLDS] = {
        [FACTS_ANY] =
            "drop results after use: with Ultralytics take them in a loop of predict(..., "
            "stream=True); in training keep numbers (loss.item()), not tensors; bound lists and "
            "caches (vigil watch --stacks names who fills them)",
        [FACTS_TRAINING] =
            "keep numbers, not tensors (loss.item(), not loss), bound the lists of callbacks and "
            "of results, and flush log buffers each epoch (vigil watch --stacks names who fills "
            "them)",
        [FACTS_PREDICTING] =
            "call predict(..., stream=True) and take each result in a loop, without a list of "
            "them: a result holds its picture (orig_img); of what must stay, keep r.boxes.data or "
            "r.summary() alone",
        [FACTS_VIDEO] =
            "bound the queue or list of frames (collections.deque(maxlen=N)), copy what is cut "
            "out of a frame (frame[y0:y1, x0:x1].copy() lets the frame go), release captures",
        [FACTS_WEB] =
            "look for a module's dict or list, or an lru_cache(maxsize=None), that grows with "
            "requests (vigil watch --stacks, tracemalloc) and bound it; to win time, renew workers "
            "(gunicorn --max-requests 1000, celery --max-tasks-per-child)",
        [FACTS_PYTHON] =
            "look for a list, dict or cache that grows (vigil watch --stacks names who fills it; "
            "lru_cache(maxsize=None) has no bound), bound it, and drop results after use",
        [FACTS_NODE] =
            "compare two heap snapshots (node --inspect, or v8.writeHeapSnapshot()); take "
            "listeners off (emitter.off, once), clear timers, bound Maps and arrays; Buffers are "
            "outside the heap: process.memoryUsage().external",
        [FACTS_JAVA] =
            "compare two of jcmd PID GC.class_histogram, bound caches and static collections; "
            "direct buffers are outside the heap: bound them by -XX:MaxDirectMemorySize, see them "
            "in jcmd PID VM.native_memory",
        [FACTS_GO] =
            "compare two heap profiles (net/http/pprof, go tool pprof -base A B); bound maps and "
            "caches, and let goroutines end: one that waits for ever holds what it refers to",
        [FACTS_SCRIPTED] =
            "bound arrays, static collections and caches that live as long as the process, use the "
            "runtime's heap profiler, and let workers end after some requests (php-fpm "
            "pm.max_requests, puma_worker_killer)",
        [FACTS_NATIVE] =
            "vigil watch --stacks names the functions whose blocks stay; valgrind "
            "--leak-check=full or a build with -fsanitize=address tells what is never freed"};
    return facts_in_words(j, rows);
}
