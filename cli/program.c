#include "cli/verbs.h"

static const struct hp_option common_options[] = {
    {"state", 0, HP_OPT_STRING, "FOLDER", NULL, 0, 0,
     "the state folder (as root /var/lib/hakperf, else the XDG state folder)", true},
    {"server", 0, HP_OPT_STRING, "ADDRESS", NULL, 0, 0,
     "the collector: unix:SOCKET or http://HOST:PORT (the state folder's socket)", true},
    {"token-file", 0, HP_OPT_STRING, "FILE", NULL, 0, 0,
     "holds the access token; not needed over the socket", true},
    {"repository", 0, HP_OPT_STRING, "NAME", NULL, 0, 0,
     "which repository, where the collector knows several", true},
    {"json", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "one JSON document on stdout", false},
    {"quiet", 'q', HP_OPT_FLAG, NULL, NULL, 0, 0, "no progress, results only", false},
    {.name = NULL},
};

#define EXIT_CODES                                                                      \
    "Exit codes: 0 no relevant regression (equivalent, improved, identical, small), 1 " \
    "regressed,\n"                                                                      \
    "2 usage, 3 no answer (inconclusive, failed, not measured, service down)."

#define REVISIONS                                                                                 \
    "A revision is what `git rev-parse` understands: a sha, a branch, a tag, HEAD~2. Inside a\n"  \
    "checkout of the repository, names mean what they mean there; elsewhere, what they mean in\n" \
    "the collector's mirror."

static const struct hp_verb verbs[] = {
    {"up", "", 0, 0, "Run the whole service here: database, collector and runner",
     "Runs in the foreground until Ctrl-C (or SIGTERM), which ends all in order and loses "
     "nothing;\n"
     "a second Ctrl-C hurries. Started as root, the programs run as user hakperf. A part that "
     "dies\n"
     "is started again.",
     cli_up_options, false, cli_up},
    {"suite apply", "FILE", 1, 1, "Register or change what is measured and how",
     "FILE is a suite document (common/wire/suite-v1.schema.json). --url, --driver and --name\n"
     "override what it says, so that one file serves several copies of a repository.",
     cli_suite_options, false, cli_suite_apply},
    {"suite check", "FILE", 1, 1, "Check a suite document without a collector",
     "Checks the shape and the sense (programs that the driver's recipe does not make, two\n"
     "workloads of one name, arguments that lack {iterations}, and so on) and tells every\n"
     "mistake with its place.",
     cli_suite_options, false, cli_suite_check},
    {"queue", "[REV...|JOB...]", 0, -1,
     "Look for new commits, queue the commits named, manage jobs",
     "Without REV the collector looks at the repository and queues what is new. With REV those\n"
     "commits are queued, measured before or not. --jobs, --cancel and --retry deal with jobs by\n"
     "their numbers.\n\n" REVISIONS,
     cli_queue_options, false, cli_queue},
    {"compare", "REV1 REV2", 2, 2, "Tell whether REV2 is slower or faster than REV1",
     REVISIONS
     "\n\nRevisions that no run put side by side are joined through the reference of both or "
     "along\n"
     "the parents between them, with the error of all parts; --measure measures them directly."
     "\n\nWith --here both are built and measured on the spot, without any service, by the "
     "suite that\n--suite names or the checkout holds (hakperf-suite.json, deploy/suites). "
     "On a terminal the\ninterval is shown as it closes in, from minus to plus three "
     "margins: ...:..(=o|)..:...\n\n" EXIT_CODES,
     cli_compare_options, false, cli_compare},
    {"report", "REV", 1, 1, "Tell all that is known of one commit", REVISIONS "\n\n" EXIT_CODES,
     NULL, false, cli_report},
    {"log", "", 0, 0, "List the commits of the history with their verdicts", NULL, cli_log_options,
     false, cli_log},
    {"status", "", 0, 0, "Show the queue, what is measured now, and the runners", NULL, NULL, false,
     cli_status},
    {"alerts", "[show N...|ack N...|assign N WHO|resolve N...|reopen N...|note N TEXT]", 0, -1,
     "List what a person has to look at, and deal with it",
     "An alert is one commit that made something worse, with all workloads concerned, its likely\n"
     "cause, its history and the command that measures it again. It is open, then acknowledged,\n"
     "then resolved (--as fixed, reverted, accepted or false); the service resolves one whose\n"
     "commit was reverted. assign N - takes it from whom it belongs to.\n\n"
     "Exit codes: 0 told or done, 1 with --check where one is not resolved, 2 usage, 3 no answer.",
     cli_alerts_options, false, cli_alerts},
    {"selftest", "", 0, 0,
     "Tell how good the service itself was: false alarms, smallest visible effect",
     "The service compares builds with themselves, and plants a slowdown where the suite says "
     "how,\n"
     "on a schedule (hakperf-collector --self-tests). A difference between equal builds is a "
     "false\n"
     "alarm; a slowdown that is not found makes an alert of its own.\n\n"
     "Exit codes: 0 healthy, 1 the service has an alert about itself, 2 usage, 3 nothing was "
     "tested.",
     cli_selftest_options, false, cli_selftest},
    {"changepoints", "FILE", 1, 1, "Find where the level of a series stepped and stayed",
     "FILE is CSV (one value a line, or index,value, a line of titles or none) or JSON (an array "
     "of\n"
     "numbers, of [index, value] or of objects with \"value\", or an object that holds one); - is "
     "the\n"
     "standard input. A field that is empty, NA or null is a missing point: left out, but "
     "counted.\n"
     "The same code judges the service's own series. An index counts from 0 and names the first\n"
     "point of the new level; before and after are medians. Steps below 1 % are not told.",
     NULL, false, cli_changepoints},
    {"hook install", "[DIR]", 0, 1, "Let every push to the repository DIR be measured",
     "Writes hooks/post-receive, which tells the collector to look. It never refuses or delays a\n"
     "push: commits that it could not announce are found by the collector itself. A hook that\n"
     "hakperf did not write is left alone.",
     NULL, false, cli_hook_install},
    {"hook remove", "[DIR]", 0, 1, "Remove that hook", NULL, NULL, false, cli_hook_remove},
    {"login", "", 0, 0, "Print a link that logs a browser in, once, within ten minutes", NULL, NULL,
     false, cli_login},
    {"token create", "", 0, 0, "Make an access token and show it once",
     "The service keeps its hash only. Needs scope admin: the service's own user, root, or a "
     "token.",
     cli_token_options, false, cli_token_create},
    {"token list", "", 0, 0, "List the tokens", NULL, NULL, false, cli_token_list},
    {"token revoke", "NAME", 1, 1, "Make a token worthless", NULL, NULL, false, cli_token_revoke},
    {"audit", "", 0, 0, "List who did what, newest first", NULL, cli_audit_options, false,
     cli_audit},
    {"export", "FILE", 1, 1, "Write a repository's whole history to a file",
     "Lines of JSON, compressed with zstd where FILE ends in .zst; - is the standard output. All\n"
     "that was measured, with samples; no tokens and no messages.",
     cli_export_options, false, cli_export},
    {"import", "FILE", 1, 1, "Read such a file as a new repository",
     "Whole or not at all: a file that is cut off, was changed or is of a newer version is "
     "refused.\n"
     "Needs scope admin.",
     cli_import_options, false, cli_import},
    {"db", "start|stop|status|url|psql|backup|restore [ARG...]", 1, -1,
     "Manage the private database, or open psql on it",
     "Runs hakperf-collector db with these arguments: `hakperf db psql -c \"SELECT ...\"`.", NULL,
     true, cli_db},
    {.name = NULL},
};

const struct hp_program cli_program = {
    "hakperf", "Tells for every commit whether it changed performance, by how much and how sure",
    verbs, common_options};
