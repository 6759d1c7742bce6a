/* The data folder: made beside its place and renamed, so that a half-made one is never started. */
#include "collector/private_db_internal.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int private_cluster_version(const struct private_paths *p, struct hp_error *err)
{
    struct stat st;
    if (lstat(p->data, &st) != 0) {
        if (errno == ENOENT)
            return 0;
        hp_fail_errno(err, "cannot look at %s", p->data);
        return -1;
    }
    if (S_ISDIR(st.st_mode) && rmdir(p->data) == 0)
        return 0; /* an empty folder is as good as none */
    HP_BUFFER struct hp_buffer text = {0};
    int version = hp_file_read(p->version, 64, &text, err) ? atoi(hp_buffer_text(&text)) : 0;
    if (version > 0)
        return version;
    hp_fail(err, HP_CONFLICT, "%s is not a data folder of PostgreSQL", p->data);
    hp_error_hint(err, "Move it away, or choose another state folder with --state.");
    return -1;
}

/* A value of postgresql.conf or pg_ident.conf in the quotes it wants there. */
static bool append_quoted(struct hp_buffer *out, char quote, const char *text)
{
    bool ok = hp_buffer_append(out, &quote, 1);
    for (; ok && *text; text++) {
        if (*text == quote)
            ok = hp_buffer_append(out, &quote, 1);
        ok = ok && hp_buffer_append(out, text, 1);
    }
    return ok && hp_buffer_append(out, &quote, 1);
}

static bool write_in(const char *folder, const char *name, const struct hp_buffer *text,
                     struct hp_error *err)
{
    HP_FREE char *path = hp_format("%s/%s", folder, name);
    if (!path || !text->data)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    return hp_file_replace(path, text->data, text->size, 0600, err);
}

static const char settings[] =
    "# Written at every start by hakperf-collector; changes here are lost.\n"
    "# Settings of your own belong into postgresql.auto.conf (ALTER SYSTEM), which is read later.\n"
    "listen_addresses = ''\n"
    "port = 5432\n"
    "unix_socket_permissions = 0700\n"
    "password_encryption = scram-sha-256\n"
    "timezone = 'UTC'\n"
    "log_timezone = 'UTC'\n"
    "log_line_prefix = '%m [%p] %u '\n"
    "log_checkpoints = off\n"
    "log_autovacuum_min_duration = -1\n"
    "max_connections = 64\n"
    "shared_buffers = 128MB\n"
    "max_wal_size = 1GB\n"
    "wal_compression = on\n";

static const char settings_throw_away[] = "# Throw-away profile: fast, and lost with the machine.\n"
                                          "fsync = off\n"
                                          "synchronous_commit = off\n"
                                          "full_page_writes = off\n"
                                          "wal_level = minimal\n"
                                          "wal_compression = off\n"
                                          "max_wal_senders = 0\n"
                                          "shared_buffers = 32MB\n";

/* root may act as each role too: it could become the user anyway, and it types psql. */
static bool write_access(const char *data, struct hp_error *err)
{
    static const char hba[] = "# Written at every start by hakperf-collector.\n"
                              "local all all peer map=hakperf\n";
    static const char *const roles[] = {PRIVATE_DB_OWNER, PRIVATE_DB_COLLECTOR, PRIVATE_DB_READER};
    const struct passwd *me = getpwuid(geteuid());
    if (!me)
        return hp_fail(err, HP_SYSTEM, "user %u has no name on this system", (unsigned)geteuid());
    HP_BUFFER struct hp_buffer rules = {0}, map = {0};
    bool ok = hp_buffer_append(&rules, hba, sizeof hba - 1) &&
              hp_buffer_printf(&map, "# Written at every start by hakperf-collector.\n");
    for (size_t i = 0; ok && i < sizeof roles / sizeof roles[0]; i++)
        ok = hp_buffer_printf(&map, "hakperf root %s\nhakperf ", roles[i]) &&
             append_quoted(&map, '"', me->pw_name) && hp_buffer_printf(&map, " %s\n", roles[i]);
    if (!ok)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    return write_in(data, "pg_hba.conf", &rules, err) && write_in(data, "pg_ident.conf", &map, err);
}

bool private_cluster_configure(const char *data, const struct private_paths *p, bool throw_away,
                               struct hp_error *err)
{
    HP_BUFFER struct hp_buffer text = {0};
    bool ok = hp_buffer_append(&text, settings, sizeof settings - 1) &&
              hp_buffer_printf(&text, "unix_socket_directories = ") &&
              append_quoted(&text, '\'', p->run) && hp_buffer_printf(&text, "\n") &&
              (!throw_away ||
               hp_buffer_append(&text, settings_throw_away, sizeof settings_throw_away - 1));
    if (!ok)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    return write_in(data, "postgresql.conf", &text, err) && write_access(data, err);
}

static bool run_initdb(const struct private_paths *p, bool throw_away, struct hp_error *err)
{
    HP_FREE char *folder = private_programs(0, err);
    HP_FREE char *program = folder ? hp_format("%s/initdb", folder) : NULL;
    if (!program)
        return false;
    /* The owner role is the cluster's superuser: it is private to the user whose state this is. */
    const char *argv[] = {program,
                          "--pgdata",
                          p->fresh,
                          "--username",
                          PRIVATE_DB_OWNER,
                          "--auth=peer",
                          "--encoding=UTF8",
                          "--locale=C",
                          "--data-checksums",
                          "--no-instructions",
                          throw_away ? "--no-sync" : NULL,
                          NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    struct hp_command command = {
        .argv = argv, .folder = "/", .timeout_s = 300, .keep_tail = true, .merge_stderr = true};
    if (!hp_run(&command, &outcome, err))
        return hp_error_context(err, "initdb");
    if (outcome.exit_code != 0)
        return hp_fail(err, HP_FAILED, "initdb ended with %s: %s", hp_outcome_text(&outcome),
                       hp_buffer_text(&outcome.out));
    return true;
}

static bool mark_throw_away(const struct private_paths *p, struct hp_error *err)
{
    static const char text[] = "This cluster runs without fsync: for tests only.\n";
    HP_FREE char *path = hp_format("%s/hakperf.throw-away", p->fresh);
    return path ? hp_file_replace(path, text, sizeof text - 1, 0600, err)
                : hp_fail(err, HP_SYSTEM, "out of memory");
}

/* The new name must survive a crash as the content does. */
static bool rename_durably(const struct private_paths *p, struct hp_error *err)
{
    if (rename(p->fresh, p->data) != 0)
        return hp_fail_errno(err, "cannot rename %s to %s", p->fresh, p->data);
    HP_FREE char *parent = hp_format("%s/..", p->data);
    HP_FD int fd = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0 || fsync(fd) != 0)
        return hp_fail_errno(err, "cannot sync the folder of %s", p->data);
    return true;
}

bool private_cluster_make(const struct private_paths *p, bool throw_away, struct hp_error *err)
{
    hp_log(HP_LOG_INFO, "making a private PostgreSQL in %s", p->data);
    bool ok = hp_remove_tree(p->fresh, err) && run_initdb(p, throw_away, err) &&
              private_cluster_configure(p->fresh, p, throw_away, err) &&
              (!throw_away || mark_throw_away(p, err)) && rename_durably(p, err);
    if (!ok) {
        struct hp_error ignored;
        hp_remove_tree(p->fresh, &ignored);
    }
    return ok;
}
