/* hakperf-collector db backup and db restore: the private database to and from one file. */
#include "collector/migrate.h"
#include "collector/private_db.h"
#include "collector/verbs.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "common/state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int interrupted;

static void on_interrupt(int number)
{
    interrupted = number;
}

static void hear_signals(void)
{
    struct sigaction act = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

static bool check_running(const char *state, struct hp_error *err)
{
    HP_JSON json_t *status = private_db_status(state, err);
    if (!status || strcmp(hp_json_string(status, "state", ""), "running") == 0)
        return status != NULL;
    hp_fail(err, HP_UNAVAILABLE, "the private PostgreSQL of %s does not run", state);
    return hp_error_hint(err, "Start it: hakperf-collector db start.");
}

/* In a child that is the service's user; the file is the caller's, who may be root. The exit code,
 * the error told. */
static int dump_as_service(const struct hp_values *values, int fd, struct hp_error *err)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        HP_FREE char *state = verb_state(values, false, err);
        bool ok =
            state && check_running(state, err) && private_db_dump(state, fd, &interrupted, err);
        _exit(ok ? HP_EXIT_OK : verb_fail(values, err));
    }
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            pid = -1;
        else if (interrupted)
            kill(pid, SIGTERM);
    }
    if (pid < 0) {
        hp_fail_errno(err, "cannot run pg_dump");
        return verb_fail(values, err);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : HP_EXIT_NO_ANSWER;
}

int verb_db_backup(const struct hp_values *values)
{
    struct hp_error err = {0};
    struct stat st;
    const char *file = hp_arg(values, 0);
    hp_log_init(COLLECTOR_PROGRAM, HP_LOG_WARNING);
    hear_signals();
    HP_FREE char *partial = hp_format("%s.partial", file);
    HP_FD int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        hp_fail_errno(&err, "cannot write %s", partial);
        return verb_fail(values, &err);
    }
    int code = dump_as_service(values, fd, &err);
    if (code != HP_EXIT_OK) {
        unlink(partial);
        return code;
    }
    if (fsync(fd) != 0 || fstat(fd, &st) != 0 || rename(partial, file) != 0) {
        hp_fail_errno(&err, "cannot write %s", file);
        unlink(partial);
        return verb_fail(values, &err);
    }
    if (!hp_opt_flag(values, "quiet"))
        printf("%s: %lld bytes\n", file, (long long)st.st_size);
    return HP_EXIT_OK;
}

static bool migrate(const char *state, struct hp_error *err)
{
    HP_FREE char *url = private_db_url(state, PRIVATE_DB_OWNER);
    struct db *db = url ? db_open(url, &(struct db_options){.pool_size = 1}, err) : NULL;
    bool ok = db && migrate_up(db, NULL, err);
    db_close(db);
    return ok;
}

int verb_db_restore(const struct hp_values *values)
{
    struct hp_error err = {0}, later;
    const char *file = hp_arg(values, 0);
    hp_log_init(COLLECTOR_PROGRAM, HP_LOG_WARNING);
    hear_signals();
    HP_FD int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        hp_fail_errno(&err, "cannot read %s", file);
        return verb_fail(values, &err);
    }
    bool started = false;
    HP_FREE char *state = verb_state(values, true, &err);
    /* Roles come with the first migration, and what is older than this program is brought up to
     * date by those that follow. */
    bool ok = state && private_db_start(state, NULL, &started, &err) && migrate(state, &err) &&
              private_db_load(state, fd, &interrupted, &err) && migrate(state, &err);
    if (started && !private_db_stop(state, ok ? &err : &later))
        ok = false;
    if (!ok)
        return verb_fail(values, &err);
    if (!hp_opt_flag(values, "quiet"))
        printf("%s is restored in %s\n", file, state);
    return HP_EXIT_OK;
}
