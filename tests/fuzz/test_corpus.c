/* Replays the corpus of every fuzz target, whole and cut off after each byte. */
#include "collector/route.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "tests/fuzz/fuzz.h"
#include "tests/suite.h"

#include <string.h>

static const struct {
    const char *name;
    void (*run)(const uint8_t *data, size_t size);
    const char *folder;
} targets[] = {
    {"wire", fuzz_wire, "tests/fuzz/corpus/wire"},
    {"wire examples", fuzz_wire, "common/wire/examples"},
    {"perf", fuzz_perf, "tests/fuzz/corpus/perf"},
    {"syscalls", fuzz_syscalls, "tests/fuzz/corpus/syscalls"},
    {"callgrind", fuzz_callgrind, "tests/fuzz/corpus/callgrind"},
    {"folded", fuzz_folded, "tests/fuzz/corpus/folded"},
    {"gcov", fuzz_gcov, "tests/fuzz/corpus/gcov"},
    {"ingest", fuzz_ingest, "tests/fuzz/corpus/ingest"},
    {"ingest examples", fuzz_ingest, "common/wire/examples"},
    {"archive", fuzz_archive, "tests/fuzz/corpus/archive"},
    {"headers", fuzz_headers, "tests/fuzz/corpus/headers"},
    {"target", fuzz_target, "tests/fuzz/corpus/target"},
};

#define FILE_LIMIT (1 << 20)
#define CUT_LIMIT 4096 /* longer files are cut at this many places, spread over them */

START_TEST(corpus)
{
    HP_DIR DIR *dir = opendir(targets[_i].folder);
    ck_assert_msg(dir != NULL, "no corpus %s", targets[_i].folder);
    int files = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        HP_FREE char *path = hp_format("%s/%s", targets[_i].folder, entry->d_name);
        HP_BUFFER struct hp_buffer input = {0};
        struct hp_error err = {0};
        ck_assert_msg(hp_file_read(path, FILE_LIMIT, &input, &err), "%s", err.message);
        size_t step = input.size / CUT_LIMIT + 1;
        for (size_t cut = 0; cut < input.size; cut += step)
            targets[_i].run((const uint8_t *)hp_buffer_text(&input), cut);
        targets[_i].run((const uint8_t *)hp_buffer_text(&input), input.size);
        files++;
    }
    ck_assert_int_gt(files, 0);
}
END_TEST

/* Each value of a good result document replaced by each odd one, taken away, and doubled. */
START_TEST(every_edit_of_a_result)
{
    static const uint8_t kinds[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 224, 240};
    const unsigned values = 400; /* more than it has: those behind the end change nothing */
    for (unsigned at = 0; at < values; at++)
        for (size_t k = 0; k < sizeof kinds; k++) {
            const uint8_t one[] = {(uint8_t)(at >> 8), (uint8_t)at, kinds[k]};
            fuzz_ingest(one, sizeof one);
        }
}
END_TEST

/* A target with an odd text at one place of a route: a segment, the name or the value of a
 * parameter, or the end. */
static void try_odd(const char *path, const char *odd)
{
    HP_BUFFER struct hp_buffer target = {0};
    for (const char *c = path; *c; c++)
        if (c[0] == '{' && c[1] == '}')
            hp_buffer_printf(&target, "%s", odd), c++;
        else
            hp_buffer_append(&target, c, 1);
    static const char *const ends[] = {"", "/", "?limit=", "?", "?a=b&", "#", "?x=1&x="};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        HP_FREE char *text = hp_format("%s%s%s", hp_buffer_text(&target), ends[i], odd);
        fuzz_target((const uint8_t *)text, strlen(text));
    }
}

START_TEST(every_route_with_odd_texts)
{
    static const char *const odd[] = {
        "",         "%",      "%z", "%zz", "%00", "%ff",
        "%2f",      "%2e%2e", "..", ".",   "a b", "a+b",
        "\xc3\xa9", "\xff",   "\n", "-1",  "1e9", "99999999999999999999",
        "=",        "&",      "?",  "//",  "'",   "\"<script>",
        "limit=1",  "%25",    "{}", "*",   "0x1", "NULL"};
    HP_FREE char *long_one = malloc(9000);
    ck_assert_ptr_nonnull(long_one);
    memset(long_one, 'x', 8999);
    long_one[8999] = '\0';
    for (const struct route *route = routes; route->method; route++) {
        for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
            try_odd(route->path, odd[i]);
        try_odd(route->path, long_one);
    }
}
END_TEST

HP_SUITE(fuzz_corpus)
{
    Suite *s = suite_create("fuzz_corpus");
    TCase *t = tcase_create("replay");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, corpus, 0, (int)(sizeof targets / sizeof targets[0]));
    tcase_add_test(t, every_edit_of_a_result);
    tcase_add_test(t, every_route_with_odd_texts);
    suite_add_tcase(s, t);
    return s;
}
