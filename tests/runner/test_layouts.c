/* Code layouts: the scripts, what the linker makes of them, and what happens without. */
#include "common/cleanup.h"
#include "common/json.h"
#include "runner/layouts.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <string.h>
#include <unistd.h>

static const char symbols[] = "0000000000001000 0000000000000010 T malloc\n"
                              "0000000000001000 0000000000000010 T hak_malloc\n"
                              "0000000000002000 0000000000000004 D data\n"
                              "0000000000000f00 0000000000000020 t work.part.0\n"
                              "0000000000000e00 0000000000000020 t slow.cold\n"
                              "0000000000001100 0000000000000030 W slow@@V1\n"
                              "0000000000001200 t _init\n"
                              "                 U free\n"
                              "0000000000001300 0000000000000008 t odd*name\n";

START_TEST(symbols_are_read)
{
    RN_FUNCTIONS struct rn_functions functions;
    static const char *const names[] = {"slow.cold", "work.part.0", "hak_malloc",
                                        "malloc",    "slow",        "odd*name"};
    ck_assert(rn_functions_parse(symbols, &functions));
    ck_assert_uint_eq(functions.count, 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_str_eq(functions.item[i].name, names[i]);
    ck_assert_uint_eq(functions.item[4].address, 0x1100);
    ck_assert_uint_eq(functions.item[4].size, 0x30);
    RN_FUNCTIONS struct rn_functions none;
    ck_assert(rn_functions_parse("garbage\n\n12 zz T x", &none));
    ck_assert_uint_eq(none.count, 0);
}
END_TEST

START_TEST(the_script_names_every_section)
{
    RN_FUNCTIONS struct rn_functions functions;
    HP_BUFFER struct hp_buffer script = {0};
    ck_assert(rn_functions_parse(symbols, &functions));
    ck_assert(rn_layout_script(&functions, 3, &script));
    HP_FREE char *expected = hp_format(
        "SECTIONS\n{\n  .text.hakperf : ALIGN(64) SUBALIGN(1)\n  {\n"
        "    . = ALIGN(64); . += %u; *( .text.unlikely.slow .text.split.slow .text.hakperf.none)\n"
        "    . = ALIGN(64); . += %u; *( .text.work.part.0 .text.hot.work.part.0 "
        ".text.startup.work.part.0 .text.exit.work.part.0 .text.unlikely.work.part.0 "
        ".text.hakperf.none)\n"
        "    . = ALIGN(64); . += %u; *( .text.hak_malloc .text.hot.hak_malloc "
        ".text.startup.hak_malloc .text.exit.hak_malloc .text.unlikely.hak_malloc .text.malloc "
        ".text.hot.malloc .text.startup.malloc .text.exit.malloc .text.unlikely.malloc "
        ".text.hakperf.none)\n"
        "    . = ALIGN(64); . += %u; *( .text.slow .text.hot.slow .text.startup.slow "
        ".text.exit.slow .text.hakperf.none)\n"
        "    . = ALIGN(64); . += %u; *( .text.hakperf.none)\n"
        "  }\n}\nINSERT BEFORE .text;\n",
        rn_layout_offset("slow.cold", 3), rn_layout_offset("work.part.0", 3),
        rn_layout_offset("hak_malloc", 3), rn_layout_offset("slow", 3),
        rn_layout_offset("odd*name", 3));
    ck_assert_str_eq(hp_buffer_text(&script), expected);
}
END_TEST

/* The first values were worked out by another program from the description in the header. */
START_TEST(offsets_are_as_described)
{
    static const unsigned of_malloc[] = {60, 28, 8, 22, 6, 54}, of_free[] = {44, 22, 50};
    unsigned seen[64] = {0}, kinds = 0;
    for (unsigned s = 0; s < 6; s++)
        ck_assert_uint_eq(rn_layout_offset("malloc", s), of_malloc[s]);
    for (unsigned s = 0; s < 3; s++)
        ck_assert_uint_eq(rn_layout_offset("free", s), of_free[s]);
    for (unsigned s = 0; s < 1000; s++)
        seen[rn_layout_offset("realloc", s)]++;
    for (unsigned i = 0; i < 64; i++) {
        ck_assert_msg(i % 2 == 0 || seen[i] == 0, "odd offset %u", i);
        kinds += seen[i] > 0;
    }
    ck_assert_uint_eq(kinds, 32);
}
END_TEST

START_TEST(the_share_counts_bytes)
{
    RN_FUNCTIONS struct rn_functions functions;
    HP_FREE char *text =
        hp_format("%x 30 T a\n%x 30 T also\n1001 10 t b\n", 0x2000 + rn_layout_offset("a", 5),
                  0x2000 + rn_layout_offset("a", 5));
    ck_assert(rn_functions_parse(text, &functions));
    ck_assert_double_eq_tol(rn_layout_share(&functions, 5), 0.75, 1e-9);
    const struct rn_functions none = {0};
    ck_assert_double_eq(rn_layout_share(&none, 5), 0);
}
END_TEST

START_TEST(the_artifact_of_a_recipe)
{
    HP_JSON json_t *plain = fx_json("{'artifacts': ['a', 'b']}");
    HP_JSON json_t *first = fx_json("{'artifacts': ['a', 'b'], 'layouts': {'commands': []}}");
    HP_JSON json_t *named =
        fx_json("{'artifacts': ['a', 'b'], 'layouts': {'commands': [], 'artifact': 'b'}}");
    ck_assert_ptr_null(rn_layout_artifact(plain));
    ck_assert_str_eq(rn_layout_artifact(first), "a");
    ck_assert_str_eq(rn_layout_artifact(named), "b");
}
END_TEST

/* --- in the sandbox ----------------------------------------------------------------------------
 */

static const char tiny[] =
    "int third(const int *v, int n);\nint thrice(int x);\n"
    "int third(const int *v, int n)\n{\n    int sum = 0;\n"
    "    for (int i = 0; i < n; i++)\n        sum += v[i] % 3;\n    return sum;\n}\n"
    "int thrice(int x) { return 3 * x; }\n";

#define LINK_ALL                                                                               \
    "for f in {layouts}/*.ld; do d=${f%.ld}; mkdir $d && cc -shared -Wl,-T,$f -o $d/x.so a.o " \
    "|| exit 1; done"

static struct rn_built built;
static int timeout_s = 300; /* more than any machine needs */

/* Builds FOLDER/src into arm/NAME with the compiler's option and the shell's line for layouts. */
static void build(const char *arm, const char *option, const char *line)
{
    struct hp_error err = {0};
    HP_JSON json_t *failure = NULL;
    const struct rn_limits limits = {.memory_mib = 1024, .processes = 64, .disk_mib = 32};
    HP_FREE char *into = hp_format("arm/%s", arm);
    HP_FREE char *text =
        hp_format("{'commands': [['cc', '-O2', '-g', '-fPIC', '%s', '-c', 'a.c'], "
                  "['cc', '-shared', '-o', '{out}/lib/x.so', 'a.o']], 'artifacts': ['lib/x.so'], "
                  "'layouts': {'commands': [['sh', '-c', '%s']]}, 'timeout_s': %d}",
                  option, line, timeout_s);
    HP_JSON json_t *recipe = fx_json(text);
    json_t *commands = json_object_get(recipe, "commands");
    json_array_insert_new(commands, 0, json_pack("[s, s]", "mkdir", "{out}/lib"));
    HP_FD int tar = fx_tar("src");
    rn_built_clear(&built);
    bool ok = rn_build(&fx.room, &limits, "test", arm, tar, recipe, into, &built, &failure, &err);
    ck_assert_msg(ok, "%s: %s\n%s", err.message, hp_json_string(failure, "message", ""),
                  hp_json_string(failure, "log", ""));
}

/* What nm says of all layouts of an arm; the caller frees it. */
static char *symbols_of(const char *arm)
{
    HP_FREE char *command =
        hp_format("nm -D -S --defined-only state/runner/work/arm/%s/@*/x.so", arm);
    return fx_output((const char *const[]){"sh", "-c", command, NULL});
}

/* The addresses of third and thrice in a layout. */
static void addresses(const char *nm, unsigned layout, unsigned long out[2])
{
    RN_FUNCTIONS struct rn_functions functions;
    HP_FREE char *heading = hp_format("/" RN_LAYOUT_FOLDER "/x.so:\n", layout);
    const char *text = strstr(nm, heading);
    ck_assert_ptr_nonnull(text);
    text += strlen(heading);
    const char *end = strstr(text, "\n\n");
    HP_FREE char *part = strndup(text, end ? (size_t)(end - text) : strlen(text));
    ck_assert(rn_functions_parse(part, &functions));
    ck_assert_uint_eq(functions.count, 2);
    for (size_t i = 0; i < 2; i++)
        out[strcmp(functions.item[i].name, "third") != 0] = functions.item[i].address;
}

START_TEST(every_layout_is_another_and_the_arms_share_them)
{
    unsigned long at[RN_LAYOUTS][2], other[2];
    unsigned distinct = 0;
    HP_FREE char *longer = hp_format("%s/* a comment */ int more = 7;\n", tiny);
    fx_write("src/a.c", tiny, 0644);
    build("head", "-ffunction-sections", LINK_ALL);
    ck_assert_msg(built.layouts == RN_LAYOUTS, "%s", built.no_layouts);
    fx_write("src/a.c", longer, 0644);
    build("base", "-ffunction-sections", LINK_ALL);
    ck_assert_msg(built.layouts == RN_LAYOUTS, "%s", built.no_layouts);
    HP_FREE char *head = symbols_of("head"), *base = symbols_of("base");
    for (unsigned s = 0; s < RN_LAYOUTS; s++) {
        addresses(head, s, at[s]);
        addresses(base, s, other);
        ck_assert_uint_eq(at[s][0] % 64, rn_layout_offset("third", s));
        ck_assert_uint_eq(at[s][1] % 64, rn_layout_offset("thrice", s));
        ck_assert_uint_eq(other[0] % 64, at[s][0] % 64);
        ck_assert_uint_eq(other[1] % 64, at[s][1] % 64);
        bool known = false;
        for (unsigned k = 0; k < s; k++)
            known = known || (at[k][0] % 64 == at[s][0] % 64 && at[k][1] % 64 == at[s][1] % 64);
        distinct += !known;
    }
    ck_assert_uint_eq(distinct, RN_LAYOUTS);
    ck_assert(fx_exists("state/runner/work/arm/head/lib/x.so"));
}
END_TEST

START_TEST(the_cache_keeps_the_layouts)
{
    char code[HP_HASH_TEXT];
    fx_write("src/a.c", tiny, 0644);
    build("head", "-ffunction-sections", LINK_ALL);
    ck_assert(!built.cached);
    memcpy(code, built.artifact_hash, sizeof code);
    build("base", "-ffunction-sections", LINK_ALL);
    ck_assert(built.cached);
    ck_assert_uint_eq(built.layouts, RN_LAYOUTS);
    ck_assert_str_eq(code, built.artifact_hash);
    fx_run((const char *const[]){"cmp", "state/runner/work/arm/head/@63/x.so",
                                 "state/runner/work/arm/base/@63/x.so", NULL});
    /* Another layout command is another build, of the same artifact. */
    build("base", "-ffunction-sections", "echo no such luck >&2; exit 3");
    ck_assert(!built.cached);
    ck_assert_str_eq(code, built.artifact_hash);
}
END_TEST

static void assert_none(const char *option, const char *line, const char *why)
{
    for (int cached = 0; cached < 2; cached++) {
        build("head", option, line);
        ck_assert_int_eq(built.cached, cached);
        ck_assert_uint_eq(built.layouts, 0);
        ck_assert_msg(strstr(built.no_layouts, why) != NULL, "%s", built.no_layouts);
        ck_assert(fx_exists("state/runner/work/arm/head/lib/x.so"));
        ck_assert(!fx_exists("state/runner/work/arm/head/@00"));
    }
}

START_TEST(without_layouts_the_reason_is_told)
{
    fx_write("src/a.c", tiny, 0644);
    assert_none("-ffunction-sections", "make layouts", "No rule to make target");
}
END_TEST

START_TEST(layouts_that_are_none_are_refused)
{
    fx_write("src/a.c", tiny, 0644);
    assert_none("-ffunction-sections", "true", "made no {layouts}/00/x.so");
    assert_none("-fno-function-sections", LINK_ALL, "compiled with -ffunction-sections");
    /* One layout under many names. */
    assert_none("-ffunction-sections",
                "for f in {layouts}/*.ld; do d=${f%.ld}; mkdir $d && cp {out}/lib/x.so $d; done",
                "% of the code is where");
    assert_none("-ffunction-sections",
                "for f in {layouts}/*.ld; do d=${f%.ld}; mkdir $d && echo x > $d/x.so; done",
                "only 0 % of the code");
}
END_TEST

/* The build stands, without layouts; and it is tried again, for a machine may only have been slow.
 */
START_TEST(a_layout_command_that_hangs)
{
    fx_write("src/a.c", tiny, 0644);
    timeout_s = 20;
    build("head", "-ffunction-sections", "sleep 86471 & sleep 86472");
    ck_assert_uint_eq(built.layouts, 0);
    ck_assert_msg(strstr(built.no_layouts, "it took longer than its time") != NULL, "%s",
                  built.no_layouts);
    ck_assert(fx_exists("state/runner/work/arm/head/lib/x.so"));
    ck_assert(fx_no_process_with("8647"));
    HP_FREE char *kept = fx_output((const char *const[]){"ls", "state/runner/cache", NULL});
    ck_assert_str_eq(kept, "");
}
END_TEST

HP_SUITE(runner_layouts)
{
    Suite *s = suite_create("runner_layouts");
    TCase *t = tcase_create("scripts");
    tcase_add_test(t, symbols_are_read);
    tcase_add_test(t, the_script_names_every_section);
    tcase_add_test(t, offsets_are_as_described);
    tcase_add_test(t, the_share_counts_bytes);
    tcase_add_test(t, the_artifact_of_a_recipe);
    suite_add_tcase(s, t);
    t = tcase_create("sandbox");
    tcase_add_checked_fixture(t, fx_open, fx_close);
    tcase_add_test(t, every_layout_is_another_and_the_arms_share_them);
    tcase_add_test(t, the_cache_keeps_the_layouts);
    tcase_add_test(t, without_layouts_the_reason_is_told);
    tcase_add_test(t, layouts_that_are_none_are_refused);
    tcase_set_timeout(t, 400);
    suite_add_tcase(s, t);
    t = tcase_create("hang");
    tcase_add_checked_fixture(t, fx_open, fx_close);
    tcase_add_test(t, a_layout_command_that_hangs);
    tcase_set_timeout(t, 120);
    suite_add_tcase(s, t);
    return s;
}
