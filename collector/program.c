/* The command line of hakperf-collector, as one table. */
#include "collector/verbs.h"

static const struct hp_option common_options[] = {
    {"state", 0, HP_OPT_STRING, "FOLDER", NULL, 0, 0,
     "the state folder (as root /var/lib/hakperf, else the XDG state folder)", true},
    {"json", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "one JSON document on stdout", false},
    {"quiet", 'q', HP_OPT_FLAG, NULL, NULL, 0, 0, "no messages, results only", false},
    {"verbose", 'v', HP_OPT_FLAG, NULL, NULL, 0, 0, "log every request", false},
    {.name = NULL},
};

#define DATABASE_OPTION                                                                          \
    {                                                                                            \
        "database", 0, HP_OPT_STRING, "URL", NULL, 0, 0,                                         \
            "the PostgreSQL that holds everything, as role hakperf_collector (the private one)", \
            true                                                                                 \
    }

const struct hp_option serve_options[] = {
    {"listen", 0, HP_OPT_STRING, "HOST:PORT", "127.0.0.1:8947", 0, 0,
     "where the page and the API are served, several separated by commas; port 0 picks a free one",
     true},
    {"no-tcp", 0, HP_OPT_FLAG, NULL, NULL, 0, 0, "serve on the Unix socket only", true},
    {"socket", 0, HP_OPT_STRING, "PATH", NULL, 0, 0,
     "the Unix socket (STATE/run/collector.sock), for the collector's own user and root", true},
    DATABASE_OPTION,
    {"owner-database", 0, HP_OPT_STRING, "URL", NULL, 0, 0,
     "the same database as role hakperf_owner, to migrate it (the value of --database)", true},
    {"reader-database", 0, HP_OPT_STRING, "URL", NULL, 0, 0,
     "replicas for what only reads; where none answers, --database is asked", true},
    {"poll", 0, HP_OPT_SECONDS, "SECONDS", "60", 1, 86400,
     "how often every repository is looked at", true},
    {"fetch-timeout", 0, HP_OPT_SECONDS, "SECONDS", "600", 1, 86400,
     "a fetch of a repository that takes longer is given up", true},
    {"mirror-limit", 0, HP_OPT_INTEGER, "MIB", "10240", 1, 16777216,
     "a repository that takes more on disk is refused", true},
    {"git-credentials", 0, HP_OPT_STRING, "FILE", NULL, 0, 0,
     "passwords for fetching over http(s), a line https://USER:PASSWORD@HOST each, mode 0600",
     true},
    {"git-ssh-key", 0, HP_OPT_STRING, "FILE", NULL, 0, 0,
     "the private key for fetching over ssh, mode 0600", true},
    {"webhook", 0, HP_OPT_STRING, "URL", NULL, 0, 0, "who is told of regressions, by POST", true},
    {"webhook-secrets", 0, HP_OPT_STRING, "FOLDER", NULL, 0, 0,
     "secrets of the forges' webhooks (POST /webhook/NAME), a file NAME each, mode 0600", true},
    {"rate-limit", 0, HP_OPT_INTEGER, "N", "1000", 0, 1000000,
     "requests a second that one client address may send over TCP (0: as many as it likes)", true},
    {"event-streams", 0, HP_OPT_INTEGER, "N", "256", 0, 900,
     "how many may follow GET /api/v1/events at a time", true},
    {"anonymous-read", 0, HP_OPT_FLAG, NULL, NULL, 0, 0,
     "whoever reaches the address may read everything, without a token", true},
    {"queue-limit", 0, HP_OPT_INTEGER, "N", "10000", 1, 1000000, "most jobs that may wait", true},
    {"repository-queue-limit", 0, HP_OPT_INTEGER, "N", "5000", 1, 1000000,
     "most jobs of one repository that may wait", true},
    {"local-repositories", 0, HP_OPT_STRING, "FOLDERS", NULL, 0, 0,
     "repositories on this machine may lie below these, separated by colons (unset: anywhere,\n"
     "when registered over the Unix socket)",
     true},
    {"trusted-proxy", 0, HP_OPT_STRING, "ADDRESSES", NULL, 0, 0,
     "proxies, separated by commas, whose X-Forwarded-For names the client", true},
    {"connections-per-address", 0, HP_OPT_INTEGER, "N", "256", 1, 1024,
     "connections of one client address, where other machines reach the collector", true},
    {"request-timeout", 0, HP_OPT_SECONDS, "SECONDS", "90", 1, 86400,
     "a request that is not whole after so long is cut off (a large body has longer)", true},
    {"self-tests", 0, HP_OPT_INTEGER, "HOURS", "24", 0, 8760,
     "how often the service tests itself on each repository, when nothing else waits: pairs of one "
     "build, and a planted slowdown; 0: never",
     true},
    {"fill-gaps", 0, HP_OPT_INTEGER, "N", "10", 0, 1000,
     "so many commits that were skipped wait at a time, behind all else (0: none)", true},
    {"lease", 0, HP_OPT_SECONDS, "SECONDS", "120", 5, 3600,
     "a runner that is silent so long has lost its job", true},
    {"max-attempts", 0, HP_OPT_INTEGER, "N", "3", 1, 1000,
     "a job whose runners were lost so often is dead", true},
    {"session-minutes", 0, HP_OPT_INTEGER, "N", "10080", 1, 525600,
     "how long a browser stays logged in", true},
    {"keep-samples", 0, HP_OPT_INTEGER, "MONTHS", "24", 0, 1200,
     "how long single samples and profiles are kept (0: for ever); their medians stay", true},
    {"workers", 0, HP_OPT_INTEGER, "N", "8", 2, 64, "requests that are answered at a time", true},
    {.name = NULL},
};

static const struct hp_option database_options[] = {DATABASE_OPTION, {.name = NULL}};

static const struct hp_option migrate_options[] = {
    {"database", 0, HP_OPT_STRING, "URL", NULL, 0, 0,
     "the PostgreSQL to migrate, as role hakperf_owner (the private one)", false},
    {.name = NULL},
};

static const struct hp_option role_options[] = {
    {"role", 0, HP_OPT_STRING, "ROLE", "reader", 0, 0, "reader, collector or owner", false},
    {.name = NULL},
};

static const struct hp_option token_options[] = {
    {"scope", 0, HP_OPT_STRING, "SCOPE", NULL, 0, 0,
     "runner (works on jobs), submit (queues and reads), read, or admin (all)", false},
    {"name", 0, HP_OPT_STRING, "NAME", NULL, 0, 0, "what the token is called", false},
    {"expires", 0, HP_OPT_INTEGER, "DAYS", "0", 0, 3650,
     "it is worthless after so many days (0: until it is revoked)", false},
    {"file", 0, HP_OPT_STRING, "PATH", NULL, 0, 0,
     "write it there (mode 0600) instead of printing it", false},
    DATABASE_OPTION,
    {.name = NULL},
};

static const struct hp_verb verbs[] = {
    {"serve", "", 0, 0, "Serve the API and the page until SIGTERM",
     "Migrates the database, then answers on TCP and on a Unix socket, looks at every repository\n"
     "and sends messages. Prints one line when ready. SIGHUP reads the settings anew; those of\n"
     "sockets, databases, git, proxies and workers count from the next start, and the log tells "
     "which\n"
     "of them were changed.",
     serve_options, false, verb_serve},
    {"db start", "", 0, 0, "Start the private PostgreSQL, made at the first time, and migrate it",
     NULL, NULL, false, verb_db_start},
    {"db init", "", 0, 0, "The same, then stop it if it was not running", NULL, NULL, false,
     verb_db_init},
    {"db stop", "", 0, 0, "Stop the private PostgreSQL", NULL, NULL, false, verb_db_stop},
    {"db status", "", 0, 0, "Tell whether it runs (exit code 0) and where", NULL, NULL, false,
     verb_db_status},
    {"db url", "", 0, 0, "Print its connection URL", NULL, role_options, false, verb_db_url},
    {"db psql", "[ARGUMENT...]", 0, -1, "Run psql on it",
     "Arguments are psql's own: hakperf-collector db psql -c 'SELECT * FROM commits'.",
     role_options, true, verb_db_psql},
    {"db backup", "FILE", 1, 1, "Write the private database to a file while it runs",
     "The file is whole or not there. Samples are in it; mirrors are not, they are fetched again.",
     NULL, false, verb_db_backup},
    {"db restore", "FILE", 1, 1, "Read such a file into a private database that is empty",
     "Into the state folder of --state, which may be a fresh one; older schemas are brought up to\n"
     "date. The collector must not run on it meanwhile.",
     NULL, false, verb_db_restore},
    {"db migrate", "", 0, 0, "Bring a database's schema up to date",
     "serve does this itself where it may. Give --database with a login that is a member of\n"
     "hakperf_owner, or a superuser for an empty database.",
     migrate_options, false, verb_db_migrate},
    {"token create", "", 0, 0, "Make an access token and show it once",
     "The store keeps its hash only. With --file, a token of the same name and scope whose file\n"
     "is gone is replaced.",
     token_options, false, verb_token_create},
    {"token list", "", 0, 0, "List the tokens", NULL, database_options, false, verb_token_list},
    {"token revoke", "NAME", 1, 1, "Make a token worthless", NULL, database_options, false,
     verb_token_revoke},
    {"login-link", "", 0, 0, "Print a link that logs a browser in, once, within ten minutes", NULL,
     database_options, false, verb_login_link},
    {"config show", "", 0, 0, "Show every setting of serve, and where it comes from", NULL,
     serve_options, false, verb_config_show},
    {.name = NULL},
};

static const struct hp_program program = {COLLECTOR_PROGRAM,
                                          "The collector of hakperf: store, queue, API and page",
                                          verbs, common_options};

static int arguments;
static char **words;

int collector_main(int argc, char **argv)
{
    arguments = argc;
    words = argv;
    return hp_program_main(&program, argc, argv);
}

int collector_serve_again(int (*run)(const struct hp_values *values))
{
    const struct hp_verb again[] = {
        {"serve", "", 0, 0, "Serve", NULL, serve_options, false, run},
        {.name = NULL},
    };
    const struct hp_program reading = {COLLECTOR_PROGRAM, "", again, common_options};
    return hp_program_main(&reading, arguments, words);
}
