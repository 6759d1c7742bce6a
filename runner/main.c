/*
 * hakperf-runner: the table of its verbs and options.
 */
#include "common/log.h"
#include "runner/launcher.h"
#include "runner/verbs.h"

#define STATE_OPTION                                                                            \
    {                                                                                           \
        "state", 0, HP_OPT_STRING, "FOLDER", NULL, 0, 0, "where cache and spool are kept", true \
    }
#define NAME_TEXT "what this runner is called; the host's name if not given"
#define CPU_TEXT "CPU that is measured on; -1: the last one allowed"
#define LOCKS_TEXT "where all runners of a machine agree on its CPUs (/run/lock or /tmp)"
#define SANDBOX_TEXT "bwrap, or none, which builds nothing but this user's own repositories"
#define PASSES_TEXT "the untimed passes that explain a verdict end after so long"
#define BUDGET_TEXT "a workload's pairs end at the first look after so long"

/* What work and measure share. */
#define RUN_OPTIONS                                                                                \
    STATE_OPTION, {"name", 0, HP_OPT_STRING, "NAME", NULL, 0, 0, NAME_TEXT, true},                 \
        {"cpu", 0, HP_OPT_INTEGER, "N", "-1", -1, 4095, CPU_TEXT, true},                           \
        {"cpu-locks", 0, HP_OPT_STRING, "FOLDER", NULL, 0, 0, LOCKS_TEXT, true},                   \
        {"sandbox", 0, HP_OPT_STRING, "KIND", "bwrap", 0, 0, SANDBOX_TEXT, true},                  \
        {"budget", 0, HP_OPT_SECONDS, "SECONDS", "60", 1, 86400, BUDGET_TEXT, true},               \
        {"passes", 0, HP_OPT_SECONDS, "SECONDS", "60", 0, 86400, PASSES_TEXT, true},               \
    {                                                                                              \
        "cache-mib", 0, HP_OPT_INTEGER, "MIB", "2048", 1, 1 << 24, "size of the build cache", true \
    }

static const struct hp_option work_options[] = {
    RUN_OPTIONS,
    {"server", 0, HP_OPT_STRING, "URL", NULL, 0, 0,
     "the collector: unix:/path, http://… or https://…; the socket in the state folder if not "
     "given",
     true},
    {"token-file", 0, HP_OPT_STRING, "FILE", NULL, 0, 0, "holds the runner's token", true},
    {"once", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "do one job if there is one, then end", false},
    {0},
};

static const struct hp_option measure_options[] = {
    RUN_OPTIONS,
    {"repository", 0, HP_OPT_STRING, "PATH", ".", 0, 0,
     "git repository; what `git clone` takes if it is no folder", false},
    {"suite", 0, HP_OPT_STRING, "FILE", NULL, 0, 0, "suite document", false},
    {"job", 0, HP_OPT_STRING, "FILE", NULL, 0, 0, "job document instead of suite and revisions",
     false},
    {"head", 0, HP_OPT_STRING, "REV", "HEAD", 0, 0, "revision to measure", false},
    {"base", 0, HP_OPT_STRING, "REV", NULL, 0, 0,
     "what to compare it with; its first parent if not given", false},
    {"driver", 0, HP_OPT_STRING, "REV", NULL, 0, 0,
     "what the benchmark is built from; as the suite says if not given", false},
    {"reference", 0, HP_OPT_STRING, "REV", NULL, 0, 0,
     "a third build beside them, one sample to four pairs at most; the suite's if not given",
     false},
    {"workload", 0, HP_OPT_STRING, "NAMES", NULL, 0, 0,
     "only these workloads of the suite, commas between them", false},
    {"confirm", 0, HP_OPT_FLAG, NULL, NULL, 0, 0,
     "a fresh look at a regression: other code layouts, one look at 512 pairs, nothing beside",
     false},
    {"no-summary", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "nothing on stderr about what was found",
     false},
    {"quiet", 'q', HP_OPT_FLAG, NULL, NULL, 0, 0, "warnings and errors only on stderr", false},
    {"pairs", 0, HP_OPT_INTEGER, "N", "1536", 64, 1536, "most pairs for each workload", false},
    {"output", 'o', HP_OPT_STRING, "FILE", "-", 0, 0, "where the result goes; - is stdout", false},
    {0},
};

static const struct hp_option state_options[] = {
    STATE_OPTION,
    {0},
};

static const struct hp_option no_options[] = {{0}};

static const struct hp_verb verbs[] = {
    {.name = "work",
     .arguments = "",
     .summary = "claim jobs from the collector, measure them and deliver the results",
     .text = "Runs until it is stopped. Results are kept in the spool until the collector has "
             "acknowledged them.\nStarted as root it becomes user hakperf.",
     .options = work_options,
     .run = rn_work_verb},
    {.name = "measure",
     .arguments = "",
     .summary = "measure two revisions of a repository without a collector",
     .text = "Exit code 0: no relevant regression, 1: regressed, 3: no answer. What was found goes "
             "to stderr in short,\nand as a document to --output.",
     .options = measure_options,
     .run = rn_measure_verb},
    {.name = "spool list",
     .arguments = "",
     .summary = "results that wait to be delivered",
     .options = state_options,
     .run = rn_spool_list_verb},
    {.name = "doctor",
     .arguments = "",
     .summary = "what this machine offers to measuring",
     .options = no_options,
     .run = rn_doctor_verb},
    {.name = "launch build",
     .arguments = "PLAN",
     .min_arguments = 1,
     .max_arguments = 1,
     .options = no_options,
     .run = rn_launch_build},
    {.name = "launch coverage",
     .arguments = "PLAN",
     .min_arguments = 1,
     .max_arguments = 1,
     .options = no_options,
     .run = rn_launch_coverage},
    {.name = "launch diff",
     .arguments = "PLAN",
     .min_arguments = 1,
     .max_arguments = 1,
     .options = no_options,
     .run = rn_launch_diff},
    {.name = "launch samples", .arguments = "", .options = no_options, .run = rn_launch_samples},
    {0},
};

static const struct hp_program program = {
    .name = "hakperf-runner",
    .summary = "Builds and measures commits for hakperf",
    .verbs = verbs,
};

int main(int argc, char **argv)
{
    hp_log_init("hakperf-runner", HP_LOG_INFO);
    return hp_program_main(&program, argc, argv);
}
