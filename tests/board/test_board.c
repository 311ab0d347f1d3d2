/* test_board.c: a board's pages over a socket: lists, runs, several side by side, pictures, news,
 * and who may stop what. */
#include "board/board.h"
#include "board/draw.h"
#include "folder.h"

#include <stdatomic.h>

static board *served;
static char answer[4 << 20];

static int tear_down(void **state)
{
    board_close(&served);
    return programs_tear_down(state) || mem.in_use_bytes != 0;
}

static void serve(const char *token)
{
    vg_error e = {0};
    const board_options o = {.folder = programs_folder, .where = "127.0.0.1:0", .token = token};
    const vg_status st = board_open(&served, &o, &mem, &e);
    if (st == VG_ERR_UNSUPPORTED)
        skip();
    if (st != VG_OK)
        fail_msg("%s: %s", e.where, e.what);
}

static int port_of(void)
{
    return (int)strtol(strrchr(board_url(served), ':') + 1, NULL, 10);
}

static int dial(void)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int fd = dial_port(port_of());
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

/* The status; answer has all of it. */
static int ask(const char *method, const char *path, const char *headers)
{
    char text[4096];
    size_t n = 0;
    ssize_t got;
    const int fd = dial(),
              k = snprintf(text, sizeof text,
                           "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-"
                           "Length: 0\r\n%s\r\n",
                           method, path, headers);
    send(fd, text, (size_t)k, MSG_NOSIGNAL);
    while (n < sizeof answer - 1 && (got = recv(fd, answer + n, sizeof answer - 1 - n, 0)) > 0)
        n += (size_t)got;
    close(fd);
    answer[n] = '\0';
    return n > 12 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

static int get(const char *path)
{
    return ask("GET", path, "");
}

static void says(const char *what)
{
    if (strstr(answer, what) == NULL)
        fail_msg("\"%s\" is not in: %.6000s", what, answer);
}

static void says_not(const char *what)
{
    if (strstr(answer, what) != NULL)
        fail_msg("\"%s\" is in it", what);
}

static const double rising[] = {0.1, 0.4, 0.3}, low[] = {0.05, 0.06};

static void the_list_is_filtered_sorted_and_escaped(void **state)
{
    (void)state;
    make_train("a/first", rising, 3, "epochs: 9\n");
    make_train("a/second", low, 2, "epochs: 2\n");
    make_file("a/nothing/results.csv", HEADER);
    make_train("<script>alert(1)</script>/x\x1b", low, 2, "model: \"<i>&'\"\n");
    serve("");
    assert_int_equal(get("/"), 200);
    says("Content-Security-Policy: default-src 'none'; img-src 'self' data:; style-src 'self'");
    says(">a/first</a>");
    says("3 / 9");
    says(">0.4<");
    says_not("<script>alert");
    says("&#60;script&#62;alert(1)&#60;/script&#62;/x\\x1b");
    says("href='/run/%3Cscript%3Ealert%281%29%3C/script%3E/x%1B'");
    assert_int_equal(get("/run/%3Cscript%3Ealert%281%29%3C/script%3E/x%1B"), 200);
    says_not("<script>alert");
    assert_int_equal(get("/?q=second"), 200);
    says(">a/second</a>");
    says_not(">a/first</a>");
    assert_int_equal(get("/?q=%3Cb%3E&sort=map&page=99"), 200);
    says("value='&#60;b&#62;'");
    says("No run is like that");
    assert_int_equal(get("/?sort=map"), 200);
    assert_true(strstr(answer, ">a/first</a>") < strstr(answer, ">a/second</a>"));
    assert_true(strstr(answer, ">a/second</a>") < strstr(answer, ">a/nothing</a>"));
    assert_int_equal(get("/?sort=map&up=1"), 200);
    assert_true(strstr(answer, ">a/first</a>") > strstr(answer, ">a/second</a>"));
    assert_true(strstr(answer, ">a/first</a>") < strstr(answer, ">a/nothing</a>"));
    assert_int_equal(get("/?part=runs"), 200);
    says("\r\n\r\n<section id='runs'");
    says_not("<html");
}

static void a_run_shows_its_numbers(void **state)
{
    (void)state;
    make_train("exp", rising, 3, "epochs: 9\nlr0: 0.125\n");
    make_file("exp/val_batch0_pred.jpg", "JPEG");
    make_file("exp/confusion_matrix.png", "PNG");
    serve("");
    assert_int_equal(get("/run/exp"), 200);
    says("data-chart='loss/box'");
    says("data-name='train' data-x='1,2,3' data-y='1,0.5,0.333333'");
    says("data-name='mAP50-95' data-x='1,2,3' data-y='0.1,0.4,0.3'");
    says("data-chart='lr'");
    says("<dt>lr0</dt><dd>0.125</dd>");
    says("<dt>mAP50-95</dt><dd data-figure='map'>0.4</dd><small>best, epoch 2</small>");
    says("src='/file/exp/val_batch0_pred.jpg?v=");
    assert_int_equal(get("/run/exp?x=time&part=curves"), 200);
    says("data-x='10,20,30'");
    assert_int_equal(get("/run/exp?log=1&part=curves"), 200);
    says("data-log='1'");
    /* Half of what was before, divided by the weights that there were: (0.25 + 0.25) / 0.75 */
    assert_int_equal(get("/run/exp?smooth=0.5&part=curves"), 200);
    says("data-name='train' data-x='1,2,3' data-y='1,0.666667,0.47619'");
    assert_int_equal(get("/run/none"), 404);
    assert_int_equal(get("/run/exp?part=none"), 404);
    make_file("exp/results.csv", "epoch,other\n");
    assert_int_equal(get("/run/exp"), 200);
    says("not the columns of a results.csv");
    assert_int_equal(unlink(in_folder("exp/results.csv")), 0);
    assert_int_equal(get("/run/exp"), 200);
    says("The first point comes");
}

static void only_pictures_of_runs_are_served(void **state)
{
    (void)state;
    make_train("exp", rising, 1, "epochs: 1\n");
    make_file("exp/labels.jpg", "JPEG's bytes");
    make_file("secret.jpg", "secret");
    make_file("exp/sub/deep.jpg", "secret");
    assert_int_equal(symlink("/etc/passwd", in_folder("exp/link.jpg")), 0);
    serve("");
    assert_int_equal(get("/file/exp/labels.jpg"), 200);
    says("JPEG's bytes");
    says("Content-Type: image/jpeg");
    says("immutable");
    static const char *const none[] = {"/file/exp/link.jpg",
                                       "/file/exp/args.yaml",
                                       "/file/exp/results.csv",
                                       "/file/exp/../secret.jpg",
                                       "/file/exp/%2e%2e%2fsecret.jpg",
                                       "/file/secret.jpg",
                                       "/file//secret.jpg",
                                       "/file/exp/sub/deep.jpg",
                                       "/file/exp/sub%2fdeep.jpg",
                                       "/file/../etc/passwd",
                                       "/file/exp/",
                                       "/file/exp/labels.jpg%00.png",
                                       "/file/exp/./labels.jpg",
                                       "/file/exp//labels.jpg",
                                       "/run/exp/..",
                                       "/run//etc",
                                       "/file/%2fetc/x.png",
                                       "/nothing"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        const int status = get(none[i]);
        if (status != 404 && status != 400)
            if (strcmp(none[i], "/file/exp/labels.jpg%00.png") != 0) /* the server ends it at 0 */
                fail_msg("%s: %d", none[i], status);
        says_not("secret");
        says_not("root:");
    }
}

static void runs_side_by_side_show_where_they_differ(void **state)
{
    (void)state;
    char path[256], a[24], b[24];
    make_train("a", rising, 3, "epochs: 9\nlr0: 0.125\nbatch: 4\n");
    make_train("b", low, 2, "epochs: 9\nlr0: 0.5\nbatch: 4\nextra: \"<u>\"\n");
    board_run_id(a, "a");
    board_run_id(b, "b");
    serve("");
    snprintf(path, sizeof path, "/compare?%s=1&%s=1", a, b);
    assert_int_equal(get(path), 200);
    says("<tr data-argument='lr0'>");
    says("<tr data-argument='extra'>");
    says("&#60;u&#62;");
    says_not("<tr data-argument='epochs'>");
    says("2 other arguments are the same");
    says("data-chart='metrics/mAP/mAP50-95'");
    says("data-name='a' data-x='1,2,3' data-y='0.1,0.4,0.3'");
    says("data-name='b' data-x='1,2' data-y='0.05,0.06'");
    /* The view is changed, and the runs stay, in whatever order they were found. */
    says("=1&#38;log=1&amp;smooth=0");
    snprintf(path, sizeof path, "%s=1&#38;", a);
    says(path);
    snprintf(path, sizeof path, "%s=1&#38;", b);
    says(path);
    assert_int_equal(get("/compare"), 200);
    says("Mark two or more");
}

static void news_come_to_who_listens(void **state)
{
    (void)state;
    char text[8192] = "";
    size_t n = 0;
    make_train("exp", rising, 2, "epochs: 9\n");
    serve("");
    const int fd = dial();
    static const char request[] = "GET /events?topic=run:exp HTTP/1.1\r\nHost: localhost\r\n\r\n";
    send(fd, request, sizeof request - 1, MSG_NOSIGNAL);
    const char *second = NULL;
    bool is_written = false;
    while (n < sizeof text - 1 && second == NULL) {
        const ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
        assert_true(got > 0);
        n += (size_t)got;
        text[n] = '\0';
        if (strstr(text, "\"epoch\":\"2 / 9\"") != NULL && !is_written) {
            make_train("exp", rising, 3, "epochs: 9\n");
            is_written = true;
        }
        second = strstr(text, "\"epoch\":\"3 / 9\"");
    }
    close(fd);
    assert_non_null(second);
    assert_non_null(strstr(text, "Content-Type: text/event-stream"));
    assert_non_null(strstr(text, "\"curves\":\""));
}

static atomic_int asked_to_stop;
static void stop(void *ctx)
{
    (*(atomic_int *)ctx)++;
}

static void one_training_has_a_page_of_its_own_and_stops_by_its_token(void **state)
{
    (void)state;
    train_run_file *file;
    vg_error e = {0};
    make_train("a", rising, 1, "epochs: 4\n");
    make_train("b", rising, 1, "epochs: 4\n");
    OK(train_run_file_create(&file, in_folder("a"), &mem, err));
    asked_to_stop = 0;
    const board_options o = {.folder = in_folder("a"),
                             .is_single = true,
                             .where = "127.0.0.1:0",
                             .token = "",
                             .stop = stop,
                             .ctx = &asked_to_stop};
    const vg_status st = board_open(&served, &o, &mem, &e);
    if (st != VG_OK)
        train_run_file_destroy(&file);
    if (st == VG_ERR_UNSUPPORTED)
        skip();
    assert_int_equal(st, VG_OK);
    char headers[256];
    const char *token = strstr(board_url(served), "token=") + 6;
    assert_int_equal(strlen(token), 24);
    assert_int_equal(get("/"), 200);
    says("data-chart='loss/box'");
    says("open the address with the token"); /* this reader has none */
    assert_int_equal(get("/compare"), 404);
    assert_int_equal(get("/run/b"), 404);
    assert_int_equal(ask("POST", "/stop/", ""), 401);
    assert_int_equal(ask("GET", "/stop/", ""), 404);
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", token);
    assert_int_equal(ask("GET", "/", headers), 200);
    says("<form method=post action='/stop/'>");
    assert_int_equal(ask("POST", "/stop/b", headers), 404);
    assert_int_equal(asked_to_stop, 0);
    assert_int_equal(ask("POST", "/stop/", headers), 303);
    assert_int_equal(asked_to_stop, 1);
    train_run_file_destroy(&file);
    UNTIL(get("/") == 200 && strstr(answer, "badge training") == NULL &&
          strstr(answer, "badge preparing") == NULL);
    assert_int_equal(ask("POST", "/stop/", headers), 409);
    assert_int_equal(asked_to_stop, 1);
}

static void ranks_are_shown_by_who_waits_least(void **state)
{
    (void)state;
    train_run_file *file;
    make_train("a", rising, 1, "epochs: 4\n");
    OK(train_run_file_create(&file, in_folder("a"), &mem, err));
    train_run_file_start(file, 0, 1 << 30);
    train_run_file_ranks(file,
                         &(vg_train_ranks){.n_ranks = 40,
                                           .is_slow = true,
                                           .for_slowest = 0.31,
                                           .exchange = 0.04,
                                           .n_shown = 2,
                                           .shown = {{17, "<b>node7", 0.04}, {3, "n", 0.35}}});
    train_run_file_batch(file,
                         &(vg_train_batch){.epoch = 2, .n_epochs = 4, .batch = 5, .n_batches = 5});
    serve("");
    UNTIL(get("/run/a") == 200 && strstr(answer, "<h2>Ranks") != NULL);
    says("Rank 17 on &#60;b&#62;node7 is slow: the others wait for it 31 % of the time");
    says("Numbers on their way cost all of them 4 %");
    says("<td class=n>3<td>n<td class=n>35 %");
    assert_true(strstr(answer, "<td class=n>17<td>") < strstr(answer, "<td class=n>3<td>"));
    says("38 more wait longer");
    /* A number that cannot be: the record is none. */
    train_run_file_ranks(file, &(vg_train_ranks){.n_ranks = 1, .n_shown = 2});
    train_run_file_epoch(file, &(vg_train_epoch){.epoch = 1, .n_epochs = 4});
    UNTIL(get("/run/a") == 200 && strstr(answer, "<h2>Ranks") == NULL);
    train_run_file_destroy(&file);
}

static void a_token_that_was_given_guards_reading(void **state)
{
    (void)state;
    serve("sesame");
    assert_int_equal(get("/"), 401);
    assert_int_equal(get("/page.css"), 401);
    assert_int_equal(get("/events"), 401);
    assert_int_equal(ask("GET", "/", "Authorization: Bearer sesame\r\n"), 200);
}

static void a_folder_that_is_not_there_is_said(void **state)
{
    (void)state;
    vg_error e = {0};
    const board_options o = {.folder = "/none/at/all", .where = "127.0.0.1:0", .token = ""};
    assert_int_equal(board_open(&served, &o, &mem, &e), VG_ERR_IO);
    assert_string_equal(e.where, "/none/at/all");
    const board_options p = {.folder = programs_folder, .where = "nowhere", .token = ""};
    assert_int_equal(board_open(&served, &p, &mem, &e), VG_ERR_ARGUMENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, programs_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_list_is_filtered_sorted_and_escaped),
        TEST(a_run_shows_its_numbers),
        TEST(only_pictures_of_runs_are_served),
        TEST(runs_side_by_side_show_where_they_differ),
        TEST(news_come_to_who_listens),
        TEST(one_training_has_a_page_of_its_own_and_stops_by_its_token),
        TEST(ranks_are_shown_by_who_waits_least),
        TEST(a_token_that_was_given_guards_reading),
        TEST(a_folder_that_is_not_there_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
