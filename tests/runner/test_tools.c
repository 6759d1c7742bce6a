/* What strace, perf and callgrind print, in every form that was met. */
#include "common/cleanup.h"
#include "common/json.h"
#include "runner/callgrind.h"
#include "runner/folded.h"
#include "runner/syscalls.h"
#include "tests/runner/fixture.h"
#include "tests/suite.h"

#include <math.h>
#include <string.h>

/* --- system calls ----------------------------------------------------------------------------- */

static const struct {
    const char *what, *text, *kinds;
} tables[] = {
    {"strace 6, errors",
     "% time     seconds  usecs/call     calls    errors syscall\n"
     "------ ----------- ----------- --------- --------- ----------------\n"
     " 58.85    0.001769        1769         1           execve\n"
     "  1.56    0.000047          47         1         1 access\n"
     "  0.00    0.000000           0         9           mmap\n"
     "------ ----------- ----------- --------- --------- ----------------\n"
     "100.00    0.003006         103        11         1 total\n",
     "{'execve': 1, 'access': 1, 'mmap': 9}"},
    {"strace in a locale with commas",
     " 58,85    0,001769        1769         12           pread64\n", "{'pread64': 12}"},
    {"strace, a call that took so long that the columns touch",
     " 99.99  123.456789   123456789    100000       500 futex\n", "{'futex': 100000}"},
    {"strace, cut off", " 58.85    0.001769        1769         1           execve\n 12.71    0.00",
     "{'execve': 1}"},
    {"perf trace -s of two threads",
     "\n Summary of events:\n\n bench (4711), 58 events, 96.7%\n\n"
     "   syscall            calls  errors  total       min       avg       max       stddev\n"
     "                                     (msec)    (msec)    (msec)    (msec)        (%)\n"
     "   --------------- --------  ------ -------- --------- --------- ---------     ------\n"
     "   mmap                   9      0     0.111     0.005     0.012     0.025     18.53%\n"
     "   munmap                 3      0     0.053     0.053     0.053     0.053      0.00%\n\n"
     " bench (4712), 2 events, 3.3%\n\n"
     "   mmap                   1      0     0.010     0.010     0.010     0.010      0.00%\n",
     "{'mmap': 10, 'munmap': 3}"},
    {"perf trace -s of perf 4, without errors",
     "   read                  14     0.111     0.005     0.012     0.025     18.53%\n",
     "{'read': 14}"},
    {"perf stat",
     "\n Performance counter stats for 'true':\n\n"
     "             1,008      syscalls:sys_enter_mmap\n"
     "                 0      syscalls:sys_enter_munmap\n"
     "     <not counted>      syscalls:sys_enter_brk                    (0.00%)\n"
     "\n       0.007070450 seconds time elapsed\n\n       0.000000000 seconds user\n",
     "{'mmap': 1008}"},
    {"perf stat in a locale with points", "   1.234.567      syscalls:sys_enter_mmap\n",
     "{'mmap': 1234567}"},
    {"perf stat -j",
     "{\"counter-value\" : \"8.000000\", \"unit\" : \"\", \"event\" : "
     "\"syscalls:sys_enter_mmap\"}\n"
     "{\"counter-value\" : \"<not supported>\", \"event\" : \"syscalls:sys_enter_brk\"}\n"
     "{\"counter-value\" : \"3.0",
     "{'mmap': 8}"},
    {"nothing", "", "{}"},
    {"garbage", "strace: Process 12 attached\n\x01\xff\n1 2 3 4 5 6 7 8\n% % % % x\n", "{}"},
};

START_TEST(tables_of_system_calls)
{
    HP_JSON json_t *expected = fx_json(tables[_i].kinds);
    HP_JSON json_t *kinds = rn_syscalls_read(tables[_i].text, strlen(tables[_i].text));
    HP_FREE char *text = json_dumps(kinds, JSON_COMPACT);
    ck_assert_msg(json_equal(kinds, expected), "%s: %s", tables[_i].what, text);
}
END_TEST

/* --- callgrind -------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    double ir;
} files[] = {
    {"version: 1\ncreator: callgrind-3.19.0\nevents: Ir\nsummary: 4989775\n\nfn=(1) main\n1 2\n\n"
     "totals: 4989775\n",
     4989775},
    {"events: Dr Ir Dw\nsummary: 1 20 3\n\ntotals: 1 20 3\n", 20},
    {"part: 1\nevents: Ir\nsummary: 5\ntotals: 5\npart: 2\nevents: Ir\nsummary: 7\ntotals: 7\n",
     12},
    {"events: Ir\nsummary: 5\n\nfn=(1) ma", 5},
    {"events: Ir\r\nsummary: 5\r\ntotals: 5\r\n", 5},
    {"events: Cycles\nsummary: 5\ntotals: 5\n", NAN},
    {"summary: 5\ntotals: 5\n", NAN},
    {"events: Ir\nsummary: five\n", NAN},
    {"", NAN},
    {"\x7f"
     "ELF",
     NAN},
};

START_TEST(files_of_callgrind)
{
    double ir = rn_callgrind_read(files[_i].text, strlen(files[_i].text));
    ck_assert_msg(isnan(files[_i].ir) ? isnan(ir) : ir == files[_i].ir, "%s: %g", files[_i].text,
                  ir);
}
END_TEST

/* --- profiles --------------------------------------------------------------------------------- */

static const char script[] =
    "bwrap 22593/22593 cpu-clock: \n\t           1462a handle_amd "
    "(/usr/lib/ld-linux-x86-64.so.2)\n\n"
    "bench_random_mi 12/12 cpu-clock: \n"
    "\tffffffff8225fd19 do_vmi_align_munmap+0x12 ([kernel.kallsyms])\n"
    "\tffffffff81000130 entry_SYSCALL_64_after_hwframe ([kernel.kallsyms])\n"
    "\t           1ab70 munmap (/usr/lib/libc.so.6)\n"
    "\t           2ab70 free+0x1c (/arm/head/lib.so)\n"
    "\t           3ab70 main (/driver/bench)\n"
    "\t    7f7d432f2ad7 [unknown] ([unknown])\n\n"
    "bench_random_mi 12/12 cpu-clock: \n\t           2ab77 operator new(unsigned long)+0x1c "
    "(/arm/head/lib.so)\n\t           3ab70 [unknown] (/driver/bench)\n\n"
    "bench_random_mi    12 [001]  4261.78: 250689 cpu-clock:  \n\t  2ab77 a;b c "
    "(/arm/head/lib.so)\n\n"
    "bench_random_mi 12/12 cpu-clock: \n\t           2ab77 operator new(unsigned long)+0x2c "
    "(/arm/head/lib.so)\n\t           3ab70 [unknown] (/driver/bench)\n\n"
    "bench_random_mi 12/12 cpu-clock: \n\tffffffffc0001234 nf_hook ([nf_tables])\n\n"
    "bench_random_mi 12/12 cpu-clock: \n\n"
    "bench_random_mi 12/12 cpu-clock: \n\tgarbage\n\t zz (\n";

START_TEST(stacks)
{
    RN_PROFILE struct rn_profile profile = {0};
    ck_assert(rn_folded_read(script, strlen(script), "bench_random_mixed_system", 4096, &profile));
    ck_assert_str_eq(
        profile.folded,
        "bench;operator_new(unsigned_long) 2\n"
        "a_b_c 1\n"
        "main;free;munmap;entry_SYSCALL_64_after_hwframe_[k];do_vmi_align_munmap_[k] 1\n"
        "nf_hook_[k] 1\n");
    ck_assert_uint_eq(profile.samples, 5);
    ck_assert_uint_eq(profile.kernel, 2);
    ck_assert_uint_eq(profile.left_out, 0);
    ck_assert(!profile.user_only);
}
END_TEST

START_TEST(the_rarest_are_left_out)
{
    RN_PROFILE struct rn_profile profile = {0};
    ck_assert(rn_folded_read(script, strlen(script), "bench_random_mixed_system", 60, &profile));
    ck_assert_str_eq(profile.folded, "bench;operator_new(unsigned_long) 2\n");
    ck_assert_uint_eq(profile.samples, 2);
    ck_assert_uint_eq(profile.left_out, 3);
    ck_assert_uint_eq(profile.kernel, 2);
}
END_TEST

START_TEST(only_user_code)
{
    RN_PROFILE struct rn_profile profile = {0};
    static const char text[] =
        "d 1/1 cpu-clock:u: \n\t 1462a f (/d)\n\nde 1/1 cpu-clock:u:\n\t 1 g (/d)\n";
    ck_assert(rn_folded_read(text, strlen(text), "d", 4096, &profile));
    ck_assert_str_eq(profile.folded, "f 1\n");
    ck_assert(profile.user_only);
}
END_TEST

HP_SUITE(runner_tools)
{
    Suite *s = suite_create("runner_tools");
    TCase *t = tcase_create("texts");
    tcase_add_loop_test(t, tables_of_system_calls, 0, (int)(sizeof tables / sizeof tables[0]));
    tcase_add_loop_test(t, files_of_callgrind, 0, (int)(sizeof files / sizeof files[0]));
    tcase_add_test(t, stacks);
    tcase_add_test(t, the_rarest_are_left_out);
    tcase_add_test(t, only_user_code);
    suite_add_tcase(s, t);
    return s;
}
