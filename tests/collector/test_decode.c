/* Compressed bodies: what they hold arrives, and bombs, scraps and other encodings do not. */
#include "collector/decode.h"
#include "common/cleanup.h"
#include "tests/collector/collector_fixture.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

static void compress(const char *text, size_t size, struct hp_buffer *out)
{
    size_t room = ZSTD_compressBound(size);
    HP_FREE char *frame = malloc(room);
    size_t n = ZSTD_compress(frame, room, text, size, 3);
    ck_assert(!ZSTD_isError(n));
    hp_buffer_clear(out);
    ck_assert(hp_buffer_append(out, frame, n));
}

START_TEST(a_frame_becomes_its_content)
{
    struct hp_error err;
    HP_BUFFER struct hp_buffer body = {0};
    compress("{\"a\":1}", 7, &body);
    ck_assert(body_decode("zstd", &body, 7, &err));
    ck_assert_str_eq(hp_buffer_text(&body), "{\"a\":1}");
    ck_assert(body_decode(NULL, &body, 1, &err));
    ck_assert(body_decode("identity", &body, 1, &err));
    ck_assert(!body_decode("gzip", &body, 100, &err));
    ck_assert_int_eq(err.code, HP_USAGE);
}
END_TEST

START_TEST(a_bomb_stops_at_the_limit)
{
    struct hp_error err;
    HP_BUFFER struct hp_buffer body = {0};
    size_t size = (size_t)64 << 20;
    HP_FREE char *zeros = calloc(1, size);
    compress(zeros, size, &body);
    ck_assert_uint_lt(body.size, 16384);
    size_t before = body.size;
    ck_assert(!body_decode("zstd", &body, 1 << 20, &err));
    ck_assert_int_eq(err.code, HP_LIMIT);
    ck_assert_uint_eq(body.size, before);
}
END_TEST

START_TEST(scraps_are_refused)
{
    struct hp_error err;
    HP_BUFFER struct hp_buffer whole = {0};
    compress("some text that is long enough, long enough, long enough", 55, &whole);
    for (size_t n = 1; n < whole.size; n++) {
        HP_BUFFER struct hp_buffer part = {0};
        ck_assert(hp_buffer_append(&part, whole.data, n));
        ck_assert_msg(!body_decode("zstd", &part, 1000, &err), "%zu of %zu", n, whole.size);
        ck_assert_int_eq(err.code, HP_INVALID);
    }
    HP_BUFFER struct hp_buffer text = {0};
    ck_assert(hp_buffer_append(&text, "{\"a\":1}", 7));
    ck_assert(!body_decode("zstd", &text, 1000, &err));
    ck_assert_int_eq(err.code, HP_INVALID);
}
END_TEST

static int send_frame(const char *encoding, const struct hp_buffer *body)
{
    HP_BUFFER struct hp_buffer request = {0};
    HP_FREE char *head = hp_format("POST /api/v1/jobs/claim HTTP/1.1\r\nHost: localhost\r\n"
                                   "Authorization: Bearer %s\r\nContent-Encoding: %s\r\n"
                                   "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
                                   collector_token("runner", encoding), encoding, body->size);
    ck_assert(hp_buffer_append(&request, head, strlen(head)));
    ck_assert(hp_buffer_append(&request, body->data, body->size));
    ck_assert(hp_buffer_append(&request, "\r\n0\r\n\r\n", 7));
    int status = 0;
    sscanf(collector_ask_bytes(request.data, request.size), "HTTP/1.1 %d", &status);
    return status;
}

START_TEST(the_server_takes_them)
{
    collector_start(NULL);
    HP_BUFFER struct hp_buffer body = {0};
    static const char text[] = "{\"runner\":\"x\",\"version\":\"1\"}";
    compress(text, strlen(text), &body);
    ck_assert_int_eq(send_frame("zstd", &body), 204);
    ck_assert_int_eq(send_frame("br", &body), 415);
    HP_FREE char *zeros = calloc(1, 1 << 20);
    compress(zeros, 1 << 20, &body);
    ck_assert_int_eq(send_frame("ZSTD", &body), 413);
    collector_stop();
}
END_TEST

HP_SUITE(collector_decode)
{
    Suite *s = suite_create("collector_decode");
    TCase *t = tcase_create("decode");
    tcase_add_unchecked_fixture(t, collector_begin, collector_end);
    tcase_set_timeout(t, 90);
    tcase_add_test(t, a_frame_becomes_its_content);
    tcase_add_test(t, a_bomb_stops_at_the_limit);
    tcase_add_test(t, scraps_are_refused);
    tcase_add_test(t, the_server_takes_them);
    suite_add_tcase(s, t);
    return s;
}
