/* test_witness.c: who wrote a file: real processes of a tree and beside it, with fanotify where the
 * kernel lets us, and as for a user without privileges. */
#include "support/ok.h"
#include "temp.h"

#include <signal.h>
#include <sys/wait.h>

#include "watch/sample/witness.h"

static base_mem mem = {.tag = "test"};

/* A child that does as it is told, a letter at a time, and answers each with one. */
typedef struct writer {
    pid_t pid;
    int to, from;
} writer;

static _Noreturn void obey(int from, int to, const char *name)
{
    char c, tmp[512], passing[600];
    int fd = -1;
    snprintf(tmp, sizeof tmp, "%s", name);
    snprintf(passing, sizeof passing, "%s.tmp", name);
    while (read(from, &c, 1) == 1) {
        if (c == 'o')
            fd = open(tmp, O_WRONLY | O_CREAT, 0644);
        if (c == 'p')
            fd = open(passing, O_WRONLY | O_CREAT, 0644);
        if (c == 'w' && write(fd, "x", 1) != 1)
            c = '!';
        if (c == 'c')
            close(fd);
        if (c == 'r' && rename(passing, tmp) != 0)
            c = '!';
        if (c == 'f' && fork() == 0) { /* a child writes, and lives as long as it is needed */
            fd = open(tmp, O_WRONLY | O_CREAT, 0644);
            if (write(fd, "x", 1) != 1 || write(to, "f", 1) != 1)
                _exit(1);
            while (read(from, &c, 1) == 1 && c != 'q')
                ;
            _exit(0);
        }
        if (c != 'f' && write(to, &c, 1) != 1)
            break;
        if (c == 'f')
            while (wait(NULL) > 0)
                ;
    }
    _exit(0);
}

static writer start(const char *name)
{
    int a[2], b[2];
    char path[512];
    snprintf(path, sizeof path, "%s", temp_path(name));
    assert_int_equal(pipe(a) | pipe(b), 0);
    writer w = {.pid = fork(), .to = a[1], .from = b[0]};
    if (w.pid == 0) {
        close(a[1]);
        close(b[0]);
        obey(a[0], b[1], path);
    }
    close(a[0]);
    close(b[1]);
    return w;
}

static void tell(const writer *w, const char *letters)
{
    for (char c; *letters != '\0'; letters++) {
        assert_int_equal(write(w->to, letters, 1), 1);
        assert_int_equal(read(w->from, &c, 1), 1);
        assert_int_equal(c, *letters);
    }
}

static void end(writer *w)
{
    close(w->to);
    close(w->from);
    kill(w->pid, SIGKILL); /* its pipes are open in those that were started after it */
    waitpid(w->pid, NULL, 0);
}

static watch_tree *tree_of(pid_t pid)
{
    watch_tree *t = NULL;
    bool is_there;
    OK(watch_tree_create(&t, &(watch_tree_options){.main_pid = pid, .proc = "/proc"}, &mem, err));
    OK(watch_tree_look(t, 0, &is_there, &mem, err));
    assert_true(is_there);
    return t;
}

static watch_witness *open_witness(bool plain)
{
    watch_witness *w = NULL;
    OK(watch_witness_create(&w, &(watch_witness_options){.without_fanotify = plain}, &mem, err));
    char folder[512];
    snprintf(folder, sizeof folder, "%s", temp_path("runs"));
    mkdir(folder, 0755);
    watch_witness_watch(w, folder, 2);
    return w;
}

static bool knows(const watch_witness *w, const char *name)
{
    watch_file_id id;
    return watch_file_id_of(&id, AT_FDCWD, temp_path(name), 0) && watch_witness_saw(w, &id);
}

/* Until it is heard: events come when they come. */
static void hear(watch_witness *w, const watch_tree *t)
{
    watch_witness_wait(w, 1);
    watch_witness_hear(w, t);
}

static void what_is_open_at_a_sample_is_the_jobs(void **state)
{
    (void)state;
    watch_witness *w = NULL;
    OK(watch_witness_create(&w, &(watch_witness_options){.without_fanotify = true}, &mem, err));
    writer job = start("last.pt"), other = start("other.pt");
    tell(&job, "ow");
    tell(&other, "ow");
    watch_tree *t = tree_of(job.pid);
    watch_witness_look(w, t);
    assert_true(knows(w, "last.pt"));
    assert_false(knows(w, "other.pt"));
    /* By what it is, not by its name. */
    assert_int_equal(rename(temp_path("last.pt"), temp_path("was.pt")), 0);
    assert_int_equal(rename(temp_path("other.pt"), temp_path("last.pt")), 0);
    assert_true(knows(w, "was.pt"));
    assert_false(knows(w, "last.pt"));
    end(&job);
    end(&other);
    watch_tree_destroy(&t);
    watch_witness_destroy(&w);
}

static void between_samples(bool plain)
{
    watch_witness *w = open_witness(plain);
    writer job = start("runs/a.pt"), other = start("runs/b.pt");
    watch_tree *t = tree_of(job.pid);
    tell(&other, "ow");
    hear(w, t);
    tell(&job, "pw");
    hear(w, t); /* a user without privileges must look while it is open */
    tell(&job, "cr");
    tell(&other, "c");
    for (int i = 0; i < 100 && !knows(w, "runs/a.pt"); i++)
        hear(w, t);
    assert_true(knows(w, "runs/a.pt"));
    watch_file_id id;
    assert_true(watch_file_id_of(&id, AT_FDCWD, temp_path("runs/b.pt"), 0));
    for (int i = 0; i < 100 && !watch_witness_saw_other(w, &id); i++)
        hear(w, t);
    assert_true(watch_witness_saw_other(w, &id));
    assert_false(knows(w, "runs/b.pt"));
    end(&job);
    end(&other);
    watch_tree_destroy(&t);
    watch_witness_destroy(&w);
}

static void a_write_between_samples_is_its_writers(void **state)
{
    (void)state;
    between_samples(true);
    unlink(temp_path("runs/a.pt"));
    unlink(temp_path("runs/b.pt"));
    between_samples(false);
}

static void a_child_that_the_tree_does_not_know_yet_is_the_jobs(void **state)
{
    (void)state;
    watch_witness *w = open_witness(true);
    writer job = start("runs/child.pt");
    watch_tree *t = tree_of(job.pid);
    tell(&job, "f");
    for (int i = 0; i < 100 && !knows(w, "runs/child.pt"); i++)
        hear(w, t);
    assert_true(knows(w, "runs/child.pt"));
    assert_int_equal(write(job.to, "q", 1), 1);
    end(&job);
    watch_tree_destroy(&t);
    watch_witness_destroy(&w);
}

static void new_folders_are_watched_too(void **state)
{
    (void)state;
    watch_witness *w = open_witness(true);
    writer job = start("runs/x/y/a.pt");
    watch_tree *t = tree_of(job.pid);
    mkdir(temp_path("runs/x"), 0755);
    hear(w, t);
    mkdir(temp_path("runs/x/y"), 0755);
    hear(w, t);
    tell(&job, "ow");
    for (int i = 0; i < 100 && !knows(w, "runs/x/y/a.pt"); i++)
        hear(w, t);
    assert_true(knows(w, "runs/x/y/a.pt"));
    end(&job);
    watch_tree_destroy(&t);
    watch_witness_destroy(&w);
}

/* A second run of a script: its folder is there, has any name, and may be a link to another disk.
 */
static void folders_that_were_there_before_are_watched_too(void **state)
{
    (void)state;
    watch_witness *w = NULL;
    OK(watch_witness_create(&w, &(watch_witness_options){.without_fanotify = true}, &mem, err));
    char there[512], link[512], name[64];
    snprintf(there, sizeof there, "%s", temp_path("disk"));
    snprintf(link, sizeof link, "%s", temp_path("cwd/saved"));
    mkdir(there, 0755);
    mkdir(temp_path("cwd"), 0755);
    mkdir(temp_path("cwd/work"), 0755);
    mkdir(temp_path("cwd/work/one"), 0755);
    mkdir(temp_path("cwd/pictures"), 0755);
    assert_int_equal(symlink(there, link), 0);
    for (int i = 0; i < 1100; i++) {
        snprintf(name, sizeof name, "cwd/pictures/%d.jpg", i);
        temp_write(name, "x", 1);
    }
    watch_witness_watch_near(w, temp_path("cwd"));
    const char *folder;
    for (size_t i = 0; (folder = watch_witness_folder(w, i)) != NULL; i++)
        assert_null(strstr(folder, "pictures"));
    writer a = start("cwd/saved/a.pt"), b = start("cwd/work/one/b.pt");
    watch_tree *t = tree_of(a.pid), *u = tree_of(b.pid);
    tell(&a, "ow");
    for (int i = 0; i < 100 && !knows(w, "disk/a.pt"); i++)
        hear(w, t);
    assert_true(knows(w, "disk/a.pt"));
    tell(&b, "ow");
    for (int i = 0; i < 100 && !knows(w, "cwd/work/one/b.pt"); i++)
        hear(w, u);
    assert_true(knows(w, "cwd/work/one/b.pt"));
    end(&a);
    end(&b);
    watch_tree_destroy(&t);
    watch_tree_destroy(&u);
    watch_witness_destroy(&w);
}

static void a_run_that_the_job_has_locked_is_its_own(void **state)
{
    (void)state;
    watch_witness *w = open_witness(true);
    mkdir(temp_path("runs/t"), 0755);
    writer job = start("runs/t/vigil.pid");
    tell(&job, "ow");
    watch_tree *t = tree_of(job.pid);
    watch_witness_look(w, t);
    char path[512];
    snprintf(path, sizeof path, "%s", temp_path("runs/t/weights/last.safetensors"));
    assert_true(watch_witness_owns(w, path));
    snprintf(path, sizeof path, "%s", temp_path("runs/t2/last.safetensors"));
    assert_false(watch_witness_owns(w, path));
    end(&job);
    watch_tree_destroy(&t);
    watch_witness_destroy(&w);
}

static void whoever_has_a_file_open_is_found(void **state)
{
    watch_file_id id;
    (void)state;
    temp_write("free.pt", "x", 1);
    assert_true(watch_file_id_of(&id, AT_FDCWD, temp_path("free.pt"), 0));
    assert_false(watch_file_is_written(&id));
    writer other = start("free.pt");
    tell(&other, "o");
    assert_true(watch_file_is_written(&id));
    end(&other);
    assert_false(watch_file_is_written(&id));
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_open_at_a_sample_is_the_jobs),
        cmocka_unit_test(a_write_between_samples_is_its_writers),
        cmocka_unit_test(a_child_that_the_tree_does_not_know_yet_is_the_jobs),
        cmocka_unit_test(new_folders_are_watched_too),
        cmocka_unit_test(folders_that_were_there_before_are_watched_too),
        cmocka_unit_test(a_run_that_the_job_has_locked_is_its_own),
        cmocka_unit_test(whoever_has_a_file_open_is_found)};
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}
