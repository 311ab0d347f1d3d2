/* test_server_acts.c: who may read and who may act: tokens, cookies, the own page and host. */
#include "served.h"

static void a_token_and_the_own_host_are_wanted(void **state)
{
    (void)state;
    serve_with("sesame", 16, 4);
    assert_int_equal(ask("/page", ""), 401);
    assert_int_equal(ask("/stream", ""), 401);
    assert_int_equal(b.n_open, 0);
    assert_int_equal(ask("/page", "Authorization: Bearer sesame\r\n"), 200);
    assert_int_equal(ask("/page", "Cookie: vigil=sesame\r\n"), 200);
    assert_int_equal(ask("/?token=sesame", ""), 200);
    net_server_close(&b.server);
    serve_with("", 16, 4);
    static const struct {
        const char *host, *status;
    } cases[] = {{"rebound.example", " 403 "},
                 {"localhost.example", " 403 "},
                 {"127.0.0.1.example", " 403 "},
                 {"[::1].example", " 403 "},
                 {"[::1]x:80", " 403 "},
                 {"[", " 403 "},
                 {"localhost:80.example", " 403 "},
                 {"", " 403 "},
                 {"localhost", " 200 "},
                 {"127.0.0.1:9200", " 200 "},
                 {"[::1]", " 200 "},
                 {"[::1]:9200", " 200 "}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        const int fd = dial();
        const int n =
            snprintf(text, sizeof text, "GET /page HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].host);
        send(fd, text, (size_t)n, MSG_NOSIGNAL);
        if (!reads(fd, cases[i].status))
            fail_msg("Host: %s is not answered by %s", cases[i].host, cases[i].status);
        close(fd);
    }
}

/* A probe knows no token; what it is told tells whoever asks. */
static void one_page_is_open_and_knows_whom_it_trusts(void **state)
{
    (void)state;
    serve_with("sesame", 16, 4);
    assert_int_equal(ask("/open", ""), 200);
    assert_non_null(strstr(b.answer, "\r\n\r\nlittle"));
    assert_int_equal(ask("/open", "Authorization: Bearer sesam\r\n"), 200);
    assert_non_null(strstr(b.answer, "\r\n\r\nlittle"));
    assert_int_equal(ask("/open", "Authorization: Bearer sesame\r\n"), 200);
    assert_non_null(strstr(b.answer, "\r\n\r\nall of it"));
    assert_int_equal(ask("/open/", ""), 401);
    assert_int_equal(ask("/page", ""), 401);
    net_server_close(&b.server);
    serve_with("", 16, 4);
    assert_int_equal(ask("/open", ""), 200);
    assert_non_null(strstr(b.answer, "\r\n\r\nall of it"));
}

static int post(const char *path, const char *headers)
{
    char all[700];
    snprintf(all, sizeof all, "Content-Length: %zu\r\n%s", strlen(body), headers);
    method = "POST";
    const int status = ask(path, all);
    method = "GET";
    return status;
}

#define KNOWS "Authorization: Bearer sesame\r\n"

static void a_post_needs_its_token_and_the_own_page(void **state)
{
    (void)state;
    serve_with("", 16, 0);
    assert_int_equal(post("/act", KNOWS), 405);
    assert_null(strstr(b.answer, "Allow: GET, HEAD, POST"));
    net_server_close(&b.server);
    act_token = "sesame";
    serve_with("", 16, 0);
    assert_int_equal(ask("/page", ""), 200); /* pages are open as before */
    assert_int_equal(post("/act", ""), 401);
    assert_int_equal(post("/act", "Authorization: Bearer sesam\r\n"), 401);
    assert_int_equal(post("/act", "Cookie: vigil=sesame\r\n"), 401); /* another port's */
    assert_int_equal(post("/act", KNOWS "Origin: http://evil.example\r\n"), 403);
    assert_int_equal(post("/act", KNOWS "Origin: null\r\n"), 403);
    assert_int_equal(post("/act", KNOWS "Origin: http://localhost.evil\r\n"), 403);
    assert_int_equal(post("/act", KNOWS "Sec-Fetch-Site: cross-site\r\n"), 403);
    assert_int_equal(
        post("/act", KNOWS "Sec-Fetch-Site: same-site\r\nOrigin: http://localhost\r\n"), 403);
    assert_int_equal(b.n_acts, 0);
    assert_int_equal(post("/act", KNOWS), 303);
    assert_non_null(strstr(b.answer, "Location: /page\r\n"));
    assert_int_equal(post("/act", KNOWS "Origin: http://localhost\r\n"), 303);
    assert_int_equal(post("/act", KNOWS "Origin: null\r\nSec-Fetch-Site: same-origin\r\n"), 303);
    assert_int_equal(b.n_acts, 3);
    method = "PUT";
    assert_int_equal(ask("/act", KNOWS), 405);
}

static void a_rebound_name_cannot_act(void **state)
{
    (void)state;
    act_token = "sesame";
    serve_with("", 16, 0);
    const int fd = dial();
    static const char evil[] = "POST /act HTTP/1.1\r\nHost: evil.example\r\nOrigin: "
                               "http://evil.example\r\n" KNOWS "Content-Length: 0\r\n\r\n";
    send(fd, evil, sizeof evil - 1, MSG_NOSIGNAL);
    assert_true(reads(fd, " 403 "));
    close(fd);
    assert_int_equal(b.n_acts, 0);
}

static void the_cookie_that_acts_is_of_this_port(void **state)
{
    (void)state;
    char want[64], cookie[64];
    act_token = "sesame";
    serve_with("", 16, 0);
    assert_int_equal(ask("/?token=sesame", ""), 200);
    snprintf(want, sizeof want, "Set-Cookie: vigil-%d=sesame; HttpOnly; SameSite=Strict",
             net_server_port(b.server));
    assert_non_null(strstr(b.answer, want));
    assert_int_equal(ask("/kept?token=other", ""), 200); /* none that is known: the page */
    snprintf(cookie, sizeof cookie, "Cookie: vigil-%d=sesame\r\n", net_server_port(b.server));
    assert_int_equal(ask("/kept", cookie), 200);
    assert_non_null(strstr(b.answer, "\r\n\r\nacts"));
    assert_non_null(strstr(b.answer, "Cache-Control: private, max-age="));
    assert_non_null(strstr(b.answer, "Content-Security-Policy: default-src 'self'\r\n"));
    assert_int_equal(ask("/kept", ""), 200);
    assert_null(strstr(b.answer, "acts"));
    assert_int_equal(post("/act", cookie), 303);
}

static void a_body_is_thrown_away_up_to_a_bound(void **state)
{
    (void)state;
    static char large[6000];
    act_token = "sesame";
    serve_with("", 16, 0);
    memset(large, 'x', sizeof large - 1);
    body = large + 3000;
    assert_int_equal(post("/act", KNOWS), 303);
    body = large;
    assert_int_equal(post("/act", KNOWS), 0); /* cut off */
    body = "";
    assert_int_equal(b.n_acts, 1);
    assert_int_equal(post("/act", KNOWS), 303);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED_TEST(a_post_needs_its_token_and_the_own_page),
        SERVED_TEST(a_rebound_name_cannot_act),
        SERVED_TEST(the_cookie_that_acts_is_of_this_port),
        SERVED_TEST(a_body_is_thrown_away_up_to_a_bound),
        SERVED_TEST(a_token_and_the_own_host_are_wanted),
        SERVED_TEST(one_page_is_open_and_knows_whom_it_trusts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
