/* One host or none: what could be read in two ways is refused, and no error tells a secret. */
#include "support/test.h"

#include "base/base.h"
#include "url/url.h"

static void hosts_are_found(void **state)
{
    static const struct {
        const char *url, *host;
        int port;
        const char *rest;
    } rows[] = {
        {"rtsp://cam/1", "cam", 0, "/1"},
        {"RTSP://u:p@cam:554/1", "cam", 554, "/1"},
        {"rtsp://u:p%40ss%23w%2Frd@cam.example.org:554", "cam.example.org", 554, ""},
        {"rtsp://u:p:q:r@cam/", "cam", 0, "/"},
        {"rtsp://u:p%zz%4@cam/", "cam", 0, "/"}, /* they stand for themselves */
        {"http://[fe80::1]:80/x", "fe80::1", 80, "/x"},
        {"http://[fe80::1%eth0]/x", "fe80::1%eth0", 0, "/x"},
        {"udp://@:1234", "", 1234, ""},
        {"udp://@239.0.0.1:1?pkt_size=1316", "239.0.0.1", 1, "?pkt_size=1316"},
        {"http://h?x=@y", "h", 0, "?x=@y"},
        {"https://example.org/@name/live", "example.org", 0, "/@name/live"},
        /* cameras that take the password in the path: the host is a number, so it is clear */
        {"rtsp://192.0.2.7:554/user=a_password=p@ss", "192.0.2.7", 554, "/user=a_password=p@ss"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        url_parts u;
        vg_error err = {0};
        if (url_parse(&u, rows[i].url, true, "", &err) != VG_OK)
            fail_msg("%s: %s", rows[i].url, err.what);
        assert_string_equal(u.host, rows[i].host);
        assert_int_equal(u.port, rows[i].port);
        assert_string_equal(u.rest, rows[i].rest);
    }
}

static void what_is_not_clear_is_refused_without_a_secret(void **state)
{
    static const char *const rows[] = {
        "rtsp://admin:secretA@ss#secretB@192x/s1",
        "rtsp://admin:secretA@secretB@host/",
        "rtsp://admin:secretA/secretB@host/",
        "rtsp://admin:12/secretB@host/",
        "rtsp://admin:12?secretB@host/",
        "rtsp://admin:secretA#secretB@host/",
        "rtsp://admin:secretA@secretB/x@host/",
        "rtsp://admin:secretA\\secretB@host/",
        "rtsp://admin:secretA secretB@host/",
        "rtsp://admin:secretA\tsecretB@host/",
        "rtsp://admin:secretA@host/a\r\nsecretB",
        "rtsp://admin:secretA'secretB@host/",
        "rtsp://admin:secretA%00@host/",
        "rtsp://admin:secretA@host:0/",
        "rtsp://admin:secretA@host:99999/",
        "rtsp://admin:secretA@host:/",
        "rtsp://admin:secretA@host:+5/",
        "rtsp://admin:secretA@h\xc3\xb6st/",
        "rtsp://admin:secretA@/x",
        "rtsp:///secretA",
        "rtsp://[::1/secretA",
        "rtsp://[fe80::1%25eth0]/secretA",
        "rtsp://fe80::1/secretA",
        "rtsp://host,secretA/",
        "://admin:secretA@host",
        "secretA",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        url_parts u;
        vg_error err = {0};
        if (url_parse(&u, rows[i], false, "option source", &err) != VG_ERR_ARGUMENT)
            fail_msg("%s is taken, with the host %s", rows[i], u.host);
        assert_string_equal(u.host, "");
        assert_null(strstr(err.what, "secret"));
        assert_null(strstr(err.mend, "secret"));
        assert_string_equal(err.where, "option source");
    }
}

static void the_way_to_write_it_is_told(void **state)
{
    url_parts u;
    vg_error err = {0};
    (void)state;
    assert_int_equal(url_parse(&u, "rtsp://a:b#c@d/", false, "", &err), VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.mend, "@ as %40, # as %23, / as %2F, ? as %3F, : as %3A"));
}

static void escapes_are_bytes(void **state)
{
    char out[8];
    (void)state;
    assert_true(url_decode(out, sizeof out, "p%40s%2fX", 7));
    assert_string_equal(out, "p@s%2");
    assert_true(url_decode(out, sizeof out, "p%40s%2f", 8));
    assert_string_equal(out, "p@s/");
    assert_false(url_decode(out, sizeof out, "12345678", 8));
    assert_false(url_decode(out, sizeof out, "a%00", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_are_found),
        cmocka_unit_test(what_is_not_clear_is_refused_without_a_secret),
        cmocka_unit_test(the_way_to_write_it_is_told),
        cmocka_unit_test(escapes_are_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
