/* Replays the corpus of every fuzz target, whole and cut off after each byte. */
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

HP_SUITE(fuzz_corpus)
{
    Suite *s = suite_create("fuzz_corpus");
    TCase *t = tcase_create("replay");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, corpus, 0, (int)(sizeof targets / sizeof targets[0]));
    suite_add_tcase(s, t);
    return s;
}
