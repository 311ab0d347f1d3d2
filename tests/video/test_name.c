/* What texts mean, and that no password is shown. */
#include "support/test.h"

#include "base/own_folder.h"
#include "video/name.h"
#include "video/video.h"

static void texts_mean_what_they_say(void **state)
{
    static const struct {
        const char *text;
        video_kind kind;
    } rows[] = {
        {"rtsp://cam/1", VIDEO_NETWORK},
        {"RTSP://cam/1", VIDEO_NETWORK},
        {"rtmps://h/live/x", VIDEO_NETWORK},
        {"http://h/x.m3u8", VIDEO_NETWORK},
        {"https://h", VIDEO_NETWORK},
        {"udp://239.0.0.1:1234", VIDEO_NETWORK},
        {"tcp://127.0.0.1:5000", VIDEO_NETWORK},
        {"srt://h:1", VIDEO_NETWORK},
        {"rtp://h:1", VIDEO_NETWORK},
        {"0", VIDEO_CAMERA},
        {"12", VIDEO_CAMERA},
        {"1234", VIDEO_NONE},
        {"/dev/video0", VIDEO_CAMERA},
        {"/dev/videos", VIDEO_NONE},
        {"/dev/v4l/by-id/usb-x-index0", VIDEO_CAMERA},
        {"-", VIDEO_PIPE},
        {"--", VIDEO_NONE},
        {"lavfi:testsrc2", VIDEO_DRAWN},
        {"push:", VIDEO_PUSHED},
        {"push:door", VIDEO_PUSHED},
        {"absent.mp4", VIDEO_FILE},
        {"absent.MKV", VIDEO_FILE},
        {"absent.jpg", VIDEO_NONE},
        {"absent", VIDEO_NONE},
        {"ftp://h/x", VIDEO_NONE},
        {"://", VIDEO_NONE},
        {"", VIDEO_NONE},
        {NULL, VIDEO_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (video_kind_of(rows[i].text) != rows[i].kind)
            fail_msg("\"%s\": kind %d instead of %d", rows[i].text, video_kind_of(rows[i].text),
                     rows[i].kind);
}

static void files_are_known_by_their_heads(void **state)
{
    char path[512];
    (void)state;
    own_folder_put(".", "clip", "\x1a\x45\xdf\xa3 and so on");
    own_folder_put(".", "notes", "nothing of the kind");
    own_folder_put(".", "empty", "");
    own_folder_put("d.mp4", "inside", "");
    own_folder_put(".", "photo.jpg", "\x1a\x45\xdf\xa3");
    static const struct {
        const char *name;
        video_kind kind;
    } rows[] = {{"clip", VIDEO_FILE},  {"notes", VIDEO_NONE},     {"empty", VIDEO_NONE},
                {"d.mp4", VIDEO_NONE}, {"photo.jpg", VIDEO_NONE}, {".", VIDEO_NONE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(base_path_join(path, sizeof path, folder, rows[i].name));
        if (video_kind_of(path) != rows[i].kind)
            fail_msg("%s: kind %d", rows[i].name, video_kind_of(path));
    }
}

static void only_live_kinds_are_live(void **state)
{
    (void)state;
    assert_true(video_is_live(VIDEO_NETWORK));
    assert_true(video_is_live(VIDEO_CAMERA));
    assert_false(video_is_live(VIDEO_FILE));
    assert_false(video_is_live(VIDEO_PIPE));
    assert_false(video_is_live(VIDEO_DRAWN));
    assert_false(video_is_live(VIDEO_NONE));
}

static void public_names_hold_no_secret(void **state)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"rtsp://cam:554/1", "rtsp://cam:554/1"},
        {"rtsp://user:secret@cam:554/1", "rtsp://cam:554/1"},
        {"rtsp://user@cam/1", "rtsp://cam/1"},
        /* passwords that should have been escaped */
        {"rtsp://user:se@cret@cam/1", "rtsp://cam/1"},
        {"rtsp://user:se/cret@cam/1", "rtsp://cam/1"},
        {"rtsp://user:se?cret@cam/1", "rtsp://cam/1"},
        {"rtsp://user:se#cret@cam/1", "rtsp://cam/1"},
        {"rtsp://user:1234/secret@cam", "rtsp://cam"},
        {"http://u:p@127.0.0.1:81#@127.0.0.1:82/a", "http://127.0.0.1:81"}, /* 81 is called */
        {"http://127.0.0.1:81/@me:2/a", "http://127.0.0.1:81/@me:2/a"},
        {"http://u:p@[::1]:81/@h/a", "http://[::1]:81/@h/a"},
        {"rtsp://u:p@cam/a?token=abc&x=1", "rtsp://cam/a?token=***&x=***"},
        {"http://h/a?tokenalone", "http://h/a?***"},
        {"http://h/a?k=v#frag", "http://h/a?k=***"},
        {"http://h/a;k?x=1;y=2", "http://h/a;k?x=***;y=***"},
        {"http://h/b@2x/i.m3u8", "http://h/b@2x/i.m3u8"},
        {"rtsp://cam/user=admin_password=abc_channel=1", "rtsp://cam/user=***"},
        {"rtsp://cam/user=admin&password=abc/stream", "rtsp://cam/user=***/stream"},
        {"srt://h:1?passphrase=abc", "srt://h:1?passphrase=***"},
        {"lavfi:movie=rtsp://u:secret@h/x", "lavfi:movie=rtsp://h/x"},
        {"clip.mp4", "clip.mp4"},
        {"a=b?c=d.mp4", "a=b?c=d.mp4"},
        {"two\nlines", "two?lines"},
        {"rtsp://", "rtsp://"},
        {"rtsp://@", "rtsp://"},
        {"://x:y@z", "://x:y@z"},
        {"", ""},
    };
    char shown[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        video_public_name(shown, sizeof shown, rows[i].text);
        assert_string_equal(shown, rows[i].shown);
    }
    video_public_name(shown, sizeof shown, NULL);
    assert_string_equal(shown, "");
}

static void names_are_cut_to_their_room(void **state)
{
    char shown[9] = "########";
    (void)state;
    video_public_name(shown, 8, "rtsp://user:secret@camera/1");
    assert_string_equal(shown, "rtsp://");
    assert_int_equal(shown[8], 0);
    video_public_name(shown, 1, "abc");
    assert_string_equal(shown, "");
    video_public_name(shown, 0, "abc"); /* touches nothing */
}

static void urls_in_messages_are_cleaned(void **state)
{
    char shown[256];
    (void)state;
    video_clean_text(shown, sizeof shown,
                     "Opening 'http://u:p@h/x?key=1' for rtsp://a:b@c/d failed: no");
    assert_string_equal(shown, "Opening 'http://h/x?key=***' for rtsp://c/d failed: no");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_mean_what_they_say),
        cmocka_unit_test(files_are_known_by_their_heads),
        cmocka_unit_test(only_live_kinds_are_live),
        cmocka_unit_test(public_names_hold_no_secret),
        cmocka_unit_test(names_are_cut_to_their_room),
        cmocka_unit_test(urls_in_messages_are_cleaned),
    };
    return cmocka_run_group_tests(tests, own_folder_setup, own_folder_teardown);
}
