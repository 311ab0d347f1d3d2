/* The sampler in real CPythons, each version that is found on this machine: in PATH, or where pyenv
 * has them. */
#include "support/test.h"

#include <glob.h>

#include "stacks_run.h"

/* A program, and no script that would start one (pyenv's shims). */
static bool is_program(const char *path)
{
    char magic[4] = "";
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool is_elf = fd >= 0 && read(fd, magic, 4) == 4 && memcmp(magic, "\177ELF", 4) == 0;
    if (fd >= 0)
        close(fd);
    return is_elf && access(path, X_OK) == 0;
}

static bool find_python(char *path, size_t n, const char *version)
{
    char folders[4096], *rest = folders;
    const char *in = getenv("PATH"), *home = getenv("HOME");
    base_format(folders, sizeof folders, "%s", in != NULL ? in : "/usr/bin");
    for (const char *f = strsep(&rest, ":"); f != NULL; f = strsep(&rest, ":"))
        if (f[0] == '/' && base_format(path, n, "%s/python%s", f, version) && is_program(path))
            return true;
    glob_t found = {0};
    base_format(folders, sizeof folders, "%s/.pyenv/versions/%s.*/bin/python%s",
                home != NULL ? home : "", version, version);
    const bool any = glob(folders, 0, NULL, &found) == 0 && found.gl_pathc > 0;
    if (any)
        base_format(path, n, "%s", found.gl_pathv[0]);
    globfree(&found);
    return any && is_program(path);
}

/* Lines of the script that keep something. */
typedef struct script {
    char path[64];
    int objects, unlocked, deep, far, worker;
} script;

static void add(FILE *f, int *line, const char *text)
{
    fprintf(f, "%s\n", text);
    *line += 1;
}

static void make_script(script *s)
{
    int line = 0;
    base_format(s->path, sizeof s->path, "/tmp/vigil-stacks-XXXXXX.py");
    const int fd = mkstemps(s->path, 3);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    add(f, &line, "import ctypes, sys, threading");
    fprintf(f, "lib = ctypes.CDLL('%s')\n", STACKS_MODULE);
    line++;
    add(f, &line, "lib.module_deep.argtypes = [ctypes.c_int, ctypes.c_size_t]");
    add(f, &line, "lib.module_thread.argtypes = [ctypes.c_size_t]");
    add(f, &line, "kept = []");
    add(f, &line, "def objects():");
    add(f, &line, "    for i in range(20000):");
    add(f, &line, "        kept.append({'i': float(i)})");
    s->objects = line;
    add(f, &line, "def unlocked():");
    add(f, &line, "    lib.module_deep(");
    s->unlocked = line;
    add(f, &line, "        3, 100000)");
    add(f, &line, "def deep():");
    add(f, &line, "    lib.module_deep(90, 100000)");
    s->deep = line;
    add(f, &line, "def thread():");
    add(f, &line, "    lib.module_thread(100000)");
    add(f, &line, "def worker():");
    add(f, &line, "    lib.module_deep(3, 100000)");
    s->worker = line;
    add(f, &line, "def far(x):");
    for (int i = 0; i < 300; i++) {
        add(f, &line, "    x = (x +");
        add(f, &line, "         2)");
        add(f, &line, "");
    }
    add(f, &line, "    lib.module_deep(3, 100000)");
    s->far = line;
    add(f, &line, "def nest(n, what):");
    add(f, &line, "    if n:");
    add(f, &line, "        nest(n - 1, what)");
    add(f, &line, "    else:");
    add(f, &line, "        for i in range(20): what()");
    add(f, &line, "objects()");
    add(f, &line, "for what in (unlocked, deep, thread, lambda: far(1)):");
    add(f, &line, "    nest(40, what)");
    add(f, &line, "t = threading.Thread(target=nest, args=(2, worker))");
    add(f, &line, "t.start(); t.join()");
    add(f, &line, "sys.stdout.write('.'); sys.stdout.flush()");
    add(f, &line, "sys.stdin.read(1)");
    fclose(f);
}

/* So fine that a block of 100,000 bytes is missed once in exp(24) runs: at 16 KiB it would be once
 * in 450, and two of the twenty in one of a thousand. */
enum { RATE_BYTES = 4096 };

/* Live bytes of what is said to be of `who`. */
static double live_of_words(const watch_named *n, const char *who)
{
    double bytes = 0;
    for (size_t s = 0; s < n->n_stacks; s++) {
        char words[512];
        watch_named_words(words, sizeof words, n, watch_named_who(n, n->stacks[s]));
        bytes += strcmp(words, who) == 0 ? n->stacks[s]->bytes : 0;
    }
    return bytes;
}

static void assert_line(const watch_named *n, const script *s, const char *function, int line,
                        double least, double most)
{
    char who[256];
    base_format(who, sizeof who, "%s (%s:%d)", function, base_path_name(s->path), line);
    const double bytes = live_of_words(n, who);
    if (bytes < least || bytes > most)
        fail_msg("%s: %.0f bytes, not %.0f to %.0f", who, bytes, least, most);
}

/* Of a thread that Python does not know: native frames, and a note. */
static double live_without_python(const watch_named *n)
{
    double bytes = 0;
    for (size_t s = 0; s < n->n_stacks; s++) {
        const watch_stack *k = n->stacks[s];
        const watch_named_line *who = watch_named_who(n, k);
        bool worked = false;
        for (uint32_t f = 0; f < k->n_frames; f++) {
            const watch_named_frame *at = watch_named_find(n, k->frame[f]);
            for (uint32_t i = 0; at != NULL && i < at->n; i++)
                worked |= strcmp(watch_named_text(n, n->lines[at->first + i].function),
                                 "module_worker") == 0;
        }
        if (worked &&
            k->frame[k->n_frames - 1] == (STACKS_NOTE << 48 | (uint64_t)STACKS_NOTE_NO_PYTHON)) {
            assert_non_null(who);
            assert_int_not_equal(watch_named_text(n, who->function)[0], '[');
            bytes += k->bytes;
        }
    }
    return bytes;
}

static void is_told(const char *version, uint32_t number, const char *allocator)
{
    char path[512];
    job j;
    script s;
    watch_named n;
    watch_stacks_facts f;
    vg_error err;
    if (!find_python(path, sizeof path, version)) {
        print_message("no python%s here\n", version);
        skip();
    }
    if (allocator != NULL)
        setenv("PYTHONMALLOC", allocator, 1);
    make_script(&s);
    start(&j, path, s.path, RATE_BYTES);
    unsetenv("PYTHONMALLOC");
    await(&j);
    look(&j);
    watch_stacks_facts_get(&f, j.stacks);
    assert_int_equal(f.n_pythons, 1);
    assert_int_equal(f.pythons[0].version, number);
    assert_int_equal(f.pythons[0].seen, STACKS_PYTHON_WHOLE);
    assert_int_equal(f.n_unread, 0);
    assert_int_equal(watch_named_make(&n, j.stacks, &j.mem, &err), VG_OK);
    /* 20,000 of a dict of 64 + 16 bytes, its keys and values, and a float of 24; the list. */
    assert_line(&n, &s, "objects", s.objects, 3.5e6, 9e6);
    assert_line(&n, &s, "unlocked", s.unlocked, 19 * 1e5, 21 * 1e5);
    assert_line(&n, &s, "deep", s.deep, 19 * 1e5, 21 * 1e5);
    assert_line(&n, &s, "far", s.far, 19 * 1e5, 21 * 1e5);
    assert_line(&n, &s, "worker", s.worker, 19 * 1e5, 21 * 1e5);
    test_near(live_without_python(&n), 20e5, 1e5);
    watch_named_fini(&n);
    go_on(&j);
    assert_int_equal(finish(&j), 0);
    unlink(s.path);
}

static void python_3_9_is_told(void **state)
{
    (void)state;
    is_told("3.9", 0x0309, NULL);
}

static void python_3_10_is_told(void **state)
{
    (void)state;
    is_told("3.10", 0x030a, NULL);
}

static void python_3_11_is_told(void **state)
{
    (void)state;
    is_told("3.11", 0x030b, NULL);
}

static void python_3_12_is_told(void **state)
{
    (void)state;
    is_told("3.12", 0x030c, NULL);
}

static void python_3_13_is_told(void **state)
{
    (void)state;
    is_told("3.13", 0x030d, NULL);
}

static void small_objects_of_malloc_are_seen_as_they_come(void **state)
{
    (void)state;
    is_told("3.11", 0x030b, "malloc");
}

/* Threads that still allocate, without the lock, while the interpreter goes away under them. */
static void an_interpreter_that_ends_under_its_threads_is_survived(void **state)
{
    (void)state;
    static const char text[] =
        "import ctypes, sys, threading\n"
        "lib = ctypes.CDLL(None)\n"
        "lib.malloc.restype = ctypes.c_void_p\n"
        "lib.malloc.argtypes = [ctypes.c_size_t]\n"
        "lib.free.argtypes = [ctypes.c_void_p]\n"
        "def work(n):\n"
        "    if n: return work(n - 1)\n"
        "    while True: lib.free(lib.malloc(1000))\n"
        "for i in range(4): threading.Thread(target=work, args=(30,), daemon=True).start()\n"
        "sys.stdout.write('.'); sys.stdout.flush()\n"
        "sys.stdin.read(1)\n";
    char path[512], file[] = "/tmp/vigil-stacks-XXXXXX.py";
    const int fd = mkstemps(file, 3);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    static const char *const versions[] = {"3.9", "3.10", "3.11", "3.12", "3.13"};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        for (int round = 0; round < 5 && find_python(path, sizeof path, versions[i]); round++) {
            job j;
            start(&j, path, file, 64);
            await(&j);
            go_on(&j);
            assert_int_equal(finish(&j), 0);
        }
    unlink(file);
}

/* A library's function is told with the line of the job's own that called it. */
static void what_a_library_keeps_is_told_with_its_caller(void **state)
{
    (void)state;
    char path[512], folder[] = "/tmp/vigil-stacks-XXXXXX", file[600], library[600], text[2048];
    vg_error err;
    job j;
    watch_named n;
    if (!find_python(path, sizeof path, "3.11") && !find_python(path, sizeof path, "3.12") &&
        !find_python(path, sizeof path, "3.13"))
        skip();
    assert_non_null(mkdtemp(folder));
    base_format(library, sizeof library, "%s/site-packages", folder);
    assert_int_equal(base_make_dirs(library, &err), VG_OK);
    base_format(library, sizeof library, "%s/site-packages/netlib.py", folder);
    static const char call[] = "kept = []\ndef relu(x):\n    kept.append(bytearray(x))\n";
    assert_int_equal(base_file_replace(library, call, sizeof call - 1, &err), VG_OK);
    base_format(file, sizeof file, "%s/job.py", folder);
    base_format(text, sizeof text,
                "import sys; sys.dont_write_bytecode = True\n"
                "sys.path.insert(0, '%s/site-packages')\n"
                "import netlib\n"
                "def step():\n"
                "    for i in range(20): netlib.relu(100000)\n"
                "step()\n"
                "sys.stdout.write('.'); sys.stdout.flush()\n"
                "sys.stdin.read(1)\n",
                folder);
    assert_int_equal(base_file_replace(file, text, strlen(text), &err), VG_OK);
    start(&j, path, file, RATE_BYTES);
    await(&j);
    look(&j);
    assert_int_equal(watch_named_make(&n, j.stacks, &j.mem, &err), VG_OK);
    double bytes = 0;
    for (size_t g = 0; g < n.n_groups; g++) {
        char words[512];
        watch_named_both(words, sizeof words, &n, n.groups[g].who, n.groups[g].from);
        if (strcmp(words, "relu (netlib.py:3) from step (job.py:5)") == 0)
            bytes += n.groups[g].bytes;
    }
    test_near(bytes, 20e5, 1e5);
    watch_named_fini(&n);
    go_on(&j);
    assert_int_equal(finish(&j), 0);
    unlink(file);
    unlink(library);
    base_format(library, sizeof library, "%s/site-packages", folder);
    rmdir(library);
    rmdir(folder);
}

/* One of another version: said, with what helps. */
static void another_version_is_said_to_be_none_of_ours(void **state)
{
    (void)state;
    char words[256];
    bool is_bad = false;
    watch_python_words(words, sizeof words,
                       &(watch_python){.version = 0x030e, .seen = STACKS_PYTHON_UNKNOWN}, &is_bad);
    assert_true(is_bad);
    assert_string_equal(words,
                        "Python 3.14 is not supported (3.9 to 3.13 with the lock are): native "
                        "frames only; its objects of up to 512 bytes are not seen: run the "
                        "job with PYTHONMALLOC=malloc");
    watch_python_words(words, sizeof words,
                       &(watch_python){.version = 0x030c, .seen = STACKS_PYTHON_WHOLE}, &is_bad);
    assert_false(is_bad);
}

static void python_3_8_is_said_to_be_none_of_ours(void **state)
{
    (void)state;
    char path[512];
    job j;
    watch_stacks_facts f;
    if (!find_python(path, sizeof path, "3.8")) {
        print_message("no python3.8 here\n");
        skip();
    }
    script s;
    make_script(&s);
    start(&j, path, s.path, RATE_BYTES);
    await(&j);
    look(&j);
    watch_stacks_facts_get(&f, j.stacks);
    assert_int_equal(f.n_pythons, 1);
    assert_int_equal(f.pythons[0].version, 0x0308);
    assert_int_equal(f.pythons[0].seen, STACKS_PYTHON_UNKNOWN);
    go_on(&j);
    assert_int_equal(finish(&j), 0);
    unlink(s.path);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(python_3_9_is_told),
        cmocka_unit_test(python_3_10_is_told),
        cmocka_unit_test(python_3_11_is_told),
        cmocka_unit_test(python_3_12_is_told),
        cmocka_unit_test(python_3_13_is_told),
        cmocka_unit_test(small_objects_of_malloc_are_seen_as_they_come),
        cmocka_unit_test(an_interpreter_that_ends_under_its_threads_is_survived),
        cmocka_unit_test(what_a_library_keeps_is_told_with_its_caller),
        cmocka_unit_test(another_version_is_said_to_be_none_of_ours),
        cmocka_unit_test(python_3_8_is_said_to_be_none_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
