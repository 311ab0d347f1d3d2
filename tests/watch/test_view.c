/* test_view.c: the live view fits its terminal, keeps to its rows and says what the verdicts say.
 */
#include "support/test.h"

#include <string.h>

#include "job.h"
#include "watch/tell/view.h"

typedef struct bench {
    base_mem mem;
    made_job job;
    watch_story story;
    watch_view view;
    char text[WATCH_VIEW_BYTES];
} bench;

static int setup(void **state)
{
    static bench b;
    b = (bench){.mem = {.tag = "test"}};
    made_job_init(&b.job, &b.mem);
    watch_story_init(&b.story);
    for (double t = 0; t < 3 * 3600; t += 10) {
        made_job_step(&b.job, t, 6.3e5);
        watch_story_add(&b.story, &b.job.moment);
    }
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    bench *b = *state;
    made_job_fini(&b->job);
    return b->mem.in_use_bytes == 0 ? 0 : -1;
}

/* Columns of the widest row, escapes and the bytes behind the first of a character not counted. */
static int widest(const char *text)
{
    int column = 0, most = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\033') {
            while (*c != 'm')
                c++;
        } else if (*c == '\n') {
            column = 0;
        } else if (((unsigned char)*c & 0xc0) != 0x80) {
            most = ++column > most ? column : most;
        }
    }
    return most;
}

static void rows_fit_every_width(void **state)
{
    bench *b = *state;
    for (int columns = 40; columns < 200; columns += 7)
        for (int form = 0; form < 4; form++) {
            const vg_watch_screen screen = {
                .columns = columns, .rows = 50, .has_color = form & 1, .has_utf8 = form & 2};
            const int n = watch_view_rows(b->text, &b->story, &screen, 20);
            assert_int_equal(n, 20);
            assert_in_range(widest(b->text), 1, columns);
            if (!screen.has_utf8)
                for (const char *c = b->text; *c != '\0'; c++)
                    assert_true((unsigned char)*c < 0x80);
            if (!screen.has_color)
                assert_null(strchr(b->text, '\033'));
        }
}

static void it_names_state_cause_and_forecast(void **state)
{
    bench *b = *state;
    const vg_watch_screen screen = {.columns = 160, .rows = 50};
    watch_view_rows(b->text, &b->story, &screen, 20);
    assert_non_null(strstr(b->text, "critical  running, 3.0 h"));
    assert_non_null(strstr(b->text, "main.anon_bytes"));
    assert_non_null(strstr(b->text, " GB in "));
    assert_non_null(strstr(b->text, b->story.verdicts[WATCH_MAIN_ANON_BYTES].cause));
    assert_non_null(strstr(b->text, "40 processes"));
    assert_non_null(strstr(b->text, "python3  "));
    assert_non_null(strstr(b->text, "more\n"));
}

static void a_name_cannot_move_the_cursor(void **state)
{
    bench *b = *state;
    const vg_watch_screen screen = {.columns = 80, .rows = 50, .has_utf8 = true};
    base_format(b->story.lives[0].now.name, WATCH_NAME_BYTES, "a\033[2J\r\xff\xc3");
    watch_view_rows(b->text, &b->story, &screen, 20);
    assert_null(strchr(b->text, '\033'));
    assert_null(strchr(b->text, '\r'));
    assert_non_null(strstr(b->text, "a\\x1b[2J\\x0d\\xff\\xc3"));
}

static void redrawing_keeps_to_the_last_rows(void **state)
{
    bench *b = *state;
    vg_watch_screen screen = {.columns = 80, .rows = 30};
    const char *first = watch_view_draw(&b->view, &b->story, &screen);
    assert_non_null(strstr(first, "\033[1;15r")); /* the job scrolls in the upper half */
    assert_non_null(strstr(first, "\033[16;1H"));
    assert_non_null(strstr(first, "\033[30;1H"));
    assert_null(strstr(first, "\033[15;1H"));
    const char *second = watch_view_draw(&b->view, &b->story, &screen);
    assert_null(strstr(second, "\n")); /* nothing scrolls any more */
    assert_null(strstr(second, "\033[1;"));
    screen.rows = 40;
    assert_non_null(strstr(watch_view_draw(&b->view, &b->story, &screen), "\033[1;20r"));
    screen.rows = 8;
    assert_non_null(strstr(watch_view_draw(&b->view, &b->story, &screen), "\033[r"));
    assert_int_equal(b->view.n_rows, 0);
    assert_string_equal(watch_view_draw(&b->view, &b->story, &screen), "");
    screen.rows = 40;
    watch_view_draw(&b->view, &b->story, &screen);
    assert_non_null(strstr(watch_view_end(&b->view), "\033[r"));
    assert_string_equal(watch_view_end(&b->view), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_fit_every_width, setup, teardown),
        cmocka_unit_test_setup_teardown(it_names_state_cause_and_forecast, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_cannot_move_the_cursor, setup, teardown),
        cmocka_unit_test_setup_teardown(redrawing_keeps_to_the_last_rows, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
