/* test_secrets.c: what a command line may not show. */
#include "support/test.h"

#include "base/base.h"

#define JOIN(...) base_secrets_join(text, sizeof text, (char *const[]){__VA_ARGS__, NULL})
#define W(s)      ((char *)(uintptr_t)(s))

static char text[512];

static void values_of_options_are_masked(void **state)
{
    (void)state;
    static const char *const names[] = {
        "--token",      "--password",    "--passwd",     "--pass",         "--secret",
        "--api-key",    "--apikey",      "--access-key", "--auth",         "--credential",
        "--api_key",    "--credentials", "--hf-token",   "--dbPassword",   "-token",
        "--auth-token", "--secret-key",  "--HF_TOKEN",   "--client-secret"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char expected[128], joined[128];
        snprintf(expected, sizeof expected, "job %s *** --epochs 3", names[i]);
        assert_string_equal(JOIN(W("job"), W(names[i]), W("s3cr et"), W("--epochs"), W("3")),
                            expected);
        snprintf(joined, sizeof joined, "%s=s3cr et", names[i]);
        snprintf(expected, sizeof expected, "job %s=*** -v", names[i]);
        assert_string_equal(JOIN(W("job"), joined, W("-v")), expected);
    }
}

static void assignments_are_masked(void **state)
{
    (void)state;
    assert_string_equal(JOIN(W("env"), W("HF_TOKEN=hush"), W("WANDB_API_KEY=hush"), W("A=1"),
                             W("AWS_SECRET_ACCESS_KEY=hush"), W("DEPLOY_KEY=hush"), W("x.py")),
                        "env HF_TOKEN=*** WANDB_API_KEY=*** A=1 AWS_SECRET_ACCESS_KEY=*** "
                        "DEPLOY_KEY=*** x.py");
    assert_string_equal(JOIN(W("job"), W("db.password=hush"), W("lr=0.1")),
                        "job db.password=*** lr=0.1");
}

static void a_shells_text_is_looked_into(void **state)
{
    (void)state;
    assert_string_equal(
        base_secrets_mask(
            text, sizeof text,
            "sleep 5 # --token hush mqtt://u:hush@h/t; API_KEY='hu sh' ./x --password "
            "\"hu sh\" --lr 3; PGPASSWORD=hush psql"),
        "sleep 5 # --token *** mqtt://***@h/t; API_KEY=*** ./x --password *** --lr 3; "
        "PGPASSWORD=*** psql");
}

static void headers_and_schemes_are_masked(void **state)
{
    (void)state;
    assert_string_equal(JOIN(W("curl"), W("-H"), W("Authorization: Bearer hush"), W("u")),
                        "curl -H Authorization: *** u");
    assert_string_equal(JOIN(W("curl"), W("--header"), W("X-Api-Key: hush"), W("u")),
                        "curl --header X-Api-Key: *** u");
    assert_string_equal(JOIN(W("x"), W("Bearer"), W("hush")), "x Bearer ***");
    assert_string_equal(JOIN(W("curl"), W("-u"), W("me:hush"), W("h")), "curl -u me:*** h");
    assert_string_equal(base_secrets_mask(text, sizeof text, "{\"password\": \"hu sh\", \"n\": 3}"),
                        "{\"password\": ***, \"n\": 3}");
}

static void urls_are_masked(void **state)
{
    (void)state;
    static const char *const urls[][2] = {
        {"rtsp://admin:p@ss#w0rd@host/s", "rtsp://***@host/s"},
        {"https://me:hush@h/x?a=1", "https://***@h/x?a=1"},
        {"https://h/x?token=hush&a=1", "https://h/x?token=***&a=1"},
        {"https://h/x?a=1&sig=hu%2Fsh&se=2#f", "https://h/x?a=1&sig=***&se=2#f"},
        {"https://h/x?key=hush", "https://h/x?key=***"},
        {"https://b.s3/x?X-Amz-Credential=hush&X-Amz-Date=1&X-Amz-Signature=hush",
         "https://b.s3/x?X-Amz-Credential=***&X-Amz-Date=1&X-Amz-Signature=***"},
        {"https://h/x?access_token=hush", "https://h/x?access_token=***"},
        {"postgresql://u:hush@db:5432/x", "postgresql://***@db:5432/x"}};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        assert_string_equal(base_secrets_mask(text, sizeof text, urls[i][0]), urls[i][1]);
        assert_string_equal(JOIN(W(urls[i][0])), urls[i][1]);
    }
    assert_string_equal(JOIN(W("--url=https://me:hush@h/")), "--url=https://***@h/");
}

static void known_keys_are_masked_wherever_they_stand(void **state)
{
    (void)state;
    assert_string_equal(JOIN(W("login"), W("hf_abcdefghijklmnopqrstuvwxyz")), "login ***");
    assert_string_equal(JOIN(W("login"), W("hf_short")), "login hf_short");
}

static void what_is_no_secret_stays(void **state)
{
    (void)state;
    static const char *const words[] = {"python -u train.py --max-tokens 512 --tokenizer bpe",
                                        "yolo detect train data=a.yaml imgsz=640 key=fitness",
                                        "ssh -p 22 host:/path --author me --passes 3",
                                        "docker run -v /a:/b img:1.2 --sort-key name",
                                        "ffmpeg -i rtsp://cam:554/a?channel=1&kind=2 out@2x.png"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_string_equal(base_secrets_mask(text, sizeof text, words[i]), words[i]);
    assert_string_equal(JOIN(W("x"), W("--auth"), W("--verbose")), "x --auth --verbose");
}

static void what_does_not_fit_is_cut(void **state)
{
    char small[8];
    (void)state;
    assert_string_equal(base_secrets_mask(small, sizeof small, "--token=hush"), "--token");
    assert_string_equal(base_secrets_mask(small, 1, "x"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_of_options_are_masked),
                                       cmocka_unit_test(assignments_are_masked),
                                       cmocka_unit_test(a_shells_text_is_looked_into),
                                       cmocka_unit_test(headers_and_schemes_are_masked),
                                       cmocka_unit_test(urls_are_masked),
                                       cmocka_unit_test(known_keys_are_masked_wherever_they_stand),
                                       cmocka_unit_test(what_is_no_secret_stays),
                                       cmocka_unit_test(what_does_not_fit_is_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
