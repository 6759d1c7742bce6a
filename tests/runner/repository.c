#include "tests/runner/fixture.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <string.h>

static const char driver[] =
    "#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n"
    "static double cpu(void)\n{\n"
    "    struct timespec t;\n"
    "    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);\n"
    "    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;\n}\n"
    "int main(int argc, char **argv)\n{\n"
    "    double start = cpu(), steady = 0;\n"
    "    long n = atol(argv[1]);\n"
    "    unsigned x = (unsigned)atol(argv[2]);\n"
    "    static void *slot[400];\n"
    "    for (long i = 0; i < n; i++) {\n"
    "        if (i == n / 5)\n"
    "            steady = cpu();\n"
    "        x ^= x << 13, x ^= x >> 17, x ^= x << 5;\n"
    "        void **p = &slot[x % 400];\n"
    "        free(*p);\n"
    "        *p = *p ? NULL : malloc(16 + (x & 1023));\n"
    "    }\n"
    "    double end = cpu();\n"
    "    FILE *f = fopen(argv[argc - 1], \"w\");\n"
    "    fprintf(f, \"{\\\"operations\\\":%ld,\\\"wall_s\\\":%.9f,\\\"cpu_s\\\":%.9f,\"\n"
    "            \"\\\"startup_cpu_s\\\":%.9f,\\\"warm\\\":{\\\"operations\\\":%ld,\"\n"
    "            \"\\\"cpu_s\\\":%.9f},\\\"steady\\\":{\\\"operations\\\":%ld,\"\n"
    "            \"\\\"cpu_s\\\":%.9f},\\\"peak_rss_kib\\\":1000}\\n\",\n"
    "            n, end - start, end - start, start, n / 5, steady - start, n - n / 5,\n"
    "            end - steady);\n"
    "    return fclose(f);\n}\n";

static const char library[] =
    "#include <stddef.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
    "extern void *__libc_malloc(size_t size);\n"
    "static volatile int sink;\n"
    "void *malloc(size_t size);\n"
    "void *malloc(size_t size)\n{\n"
    "    for (int i = 0; i < SPIN; i++)\n"
    "        sink = i;\n"
    "    return __libc_malloc(size);\n}\n"
    "__attribute__((destructor)) static void tell(void)\n{\n"
    "    const char *path = getenv(\"T_STATS\");\n"
    "    FILE *f = path ? fopen(path, \"w\") : NULL;\n"
    "    if (f) {\n"
    "        fprintf(f, \"{\\\"config\\\":{\\\"SPIN\\\":{\\\"value\\\":\\\"%d\\\","
    "\\\"source\\\":\\\"default\\\",\\\"ignored\\\":false}},\"\n"
    "                \"\\\"counters\\\":{\\\"spin\\\":%d}}\\n\", SPIN, SPIN);\n"
    "        fclose(f);\n"
    "    }\n}\n";

static const char suite[] =
    "{\"format\":\"hakperf-suite-v1\",\"name\":\"t\","
    "\"repository\":{\"name\":\"t\",\"url\":\"REPOSITORY\"},"
    "\"recipe\":{\"commands\":[[\"cc\",\"-O2\",\"-g\",\"-shared\",\"-fPIC\",\"-include\",\"spin."
    "h\","
    "\"-o\",\"{out}/x.so\",\"lib.c\"]],\"artifacts\":[\"x.so\"],\"timeout_s\":60,"
    "\"coverage\":{\"commands\":[[\"gcc\",\"--coverage\",\"-O1\",\"-g\",\"-shared\",\"-fPIC\",\"-"
    "include\","
    "\"spin.h\",\"-o\",\"{out}/x.so\",\"lib.c\"]]}},"
    "\"driver\":{\"rev\":\"plain\",\"recipe\":{\"commands\":[[\"cc\",\"-O2\",\"-o\",\"{out}/d\","
    "\"driver.c\"]],\"artifacts\":[\"d\"]}},"
    "\"statistics\":{\"variable\":\"T_STATS\"},"
    "\"workloads\":[{\"name\":\"mixed\",\"program\":\"d\",\"arguments\":[\"{iterations}\","
    "\"{seed}\"],\"iterations\":200000,\"headline_iterations\":400000,\"timeout_s\":20}]}";

static void commit(const char *tag)
{
    fx_run((const char *const[]){"git", "-C", "repo", "add", "-A", NULL});
    fx_run((const char *const[]){"git", "-C", "repo", "-c", "user.name=t", "-c",
                                 "user.email=t@example.org", "-c", "commit.gpgsign=false", "commit",
                                 "-q", "--no-verify", "-m", tag, NULL});
    fx_run((const char *const[]){"git", "-C", "repo", "tag", tag, NULL});
}

void fx_open_repository(void)
{
    fx_open();
    fx_run((const char *const[]){"git", "init", "-q", "repo", NULL});
    HP_FREE char *with_comment = hp_format("/* a comment */\n%s", library);
    HP_FREE char *repository = fx_path("repo");
    HP_BUFFER struct hp_buffer document = {0};
    const char *place = strstr(suite, "REPOSITORY");
    hp_buffer_printf(&document, "%.*s%s%s", (int)(place - suite), suite, repository, place + 10);
    fx_write("suite.json", hp_buffer_text(&document), 0644);
    fx_write("repo/driver.c", driver, 0644);
    fx_write("repo/lib.c", library, 0644);
    fx_write("repo/spin.h", "#define SPIN 0\n", 0644);
    commit("plain");
    fx_write("repo/lib.c", with_comment, 0644);
    commit("comment");
    fx_write("repo/spin.h", "#define SPIN 40\n", 0644);
    commit("slow");
    fx_write("repo/spin.h", "#define SPIN 4000\n", 0644);
    commit("crawling");
    fx_write("repo/spin.h", "#define SPIN oops\n", 0644);
    commit("broken");
}
