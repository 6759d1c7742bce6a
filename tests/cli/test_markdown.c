/* A comparison as Markdown: the same figures as everywhere, and strangers' text stays text. */
#include "cli/markdown.h"
#include "common/cleanup.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <string.h>

static char *markdown(const char *document)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    json_t *comparison = json_loads(document, 0, NULL);
    ck_assert_ptr_nonnull(comparison);
    cli_markdown_print(comparison, stream);
    fclose(stream);
    json_decref(comparison);
    return text;
}

static const char slower[] =
    "{\"verdict\": \"regressed\", \"size\": \"relevant\", \"sentence\": \"8c1f2e0 is 31 % "
    "slower.\","
    "\"base\": {\"sha\": \"1405df66cbe219b0\", \"subject\": \"Keep slabs\"},"
    "\"head\": {\"sha\": \"8c1f2e08a960aaef\", \"subject\": \"A <b>|bold|</b> `claim` @everyone\"},"
    "\"workloads\": [{\"workload\": \"random_mixed/8192\", \"metric\": \"throughput\", \"unit\": "
    "\"ops/s\", \"base_value\": 16500000, \"head_value\": 11385000, \"change\": -0.31, \"low\": "
    "-0.319, \"high\": -0.302, \"pairs\": 64, \"verdict\": \"regressed\", \"size\": \"relevant\","
    "\"configuration\": [], \"syscalls\": [{\"name\": \"munmap\", \"base\": 3, \"head\": 74112}],"
    "\"counters\": [{\"name\": \"a_b\", \"base\": 1, \"head\": 2}]}],"
    "\"warnings\": [\"no turbo control\"], \"reproduce\": \"hakperf x `y`\", \"measure\": null, "
    "\"basis\": \"side by side, 64 pairs\"}";

START_TEST(a_regression_is_shown_whole)
{
    HP_FREE char *text = markdown(slower);
    static const char *const parts[] = {
        "**regressed, relevant** 8c1f2e0 is 31 % slower.\n",
        "- base: `1405df66cb` Keep slabs\n",
        "| random\\_mixed/8192 | throughput | 16.50 M | 11.38 M | -31.0 % | -31.9 to -30.2 % | 64 "
        "| "
        "regressed, relevant |\n",
        "  - munmap: 3 → 74112\n",
        "- warning: no turbo control\n",
        "- compared side by side, 64 pairs\n",
        "- reproduce: `` hakperf x `y` ``\n",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        ck_assert_msg(strstr(text, parts[i]) != NULL, "\"%s\" is not in \"%s\"", parts[i], text);
}
END_TEST

START_TEST(text_of_strangers_stays_text)
{
    HP_FREE char *text = markdown(slower);
    ck_assert_ptr_null(strstr(text, "<b>"));
    ck_assert_ptr_null(strstr(text, "@everyone"));
    ck_assert_ptr_nonnull(strstr(text, "A &lt;b&gt;\\|bold\\|&lt;/b&gt; \\`claim\\`"));
    /* Every row of the table has as many cells as its head. */
    for (const char *line = text; (line = strstr(line, "\n|")); line++) {
        size_t bars = 0;
        for (const char *c = line + 1; *c && *c != '\n'; c++)
            bars += *c == '|' && c[-1] != '\\';
        ck_assert_uint_eq(bars, 9);
    }
}
END_TEST

START_TEST(what_is_missing_is_a_dash)
{
    HP_FREE char *text = markdown(
        "{\"verdict\": \"failed\", \"size\": null, \"sentence\": \"x does not compile.\", "
        "\"base\": "
        "null, \"head\": {\"sha\": \"x\", \"subject\": \"s\"}, \"workloads\": [{\"workload\": "
        "\"w\", "
        "\"verdict\": \"failed\", \"change\": null, \"pairs\": null}], \"reproduce\": null, "
        "\"measure\": \"hakperf compare --measure a b\"}");
    ck_assert_ptr_nonnull(strstr(text, "| w | - | - | - | - | - | - | failed |\n"));
    ck_assert_ptr_nonnull(strstr(text, "- measure directly: `hakperf compare --measure a b`\n"));
}
END_TEST

HP_SUITE(cli_markdown)
{
    Suite *s = suite_create("cli_markdown");
    TCase *t = tcase_create("markdown");
    tcase_add_test(t, a_regression_is_shown_whole);
    tcase_add_test(t, text_of_strangers_stays_text);
    tcase_add_test(t, what_is_missing_is_a_dash);
    suite_add_tcase(s, t);
    return s;
}
