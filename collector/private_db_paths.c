/* Where the parts of the private PostgreSQL lie, and its address. */
#include "collector/private_db_internal.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/state.h"

#include <stdlib.h>
#include <string.h>

bool private_paths_init(struct private_paths *p, const char *state, struct hp_error *err)
{
    *p = (struct private_paths){
        .data = hp_state_path(state, "pg"),
        .fresh = hp_state_path(state, "pg.new"),
        .run = hp_state_path(state, "run"),
        .log = hp_state_path(state, "log/postgresql.log"),
        .lock = hp_state_path(state, "pg.lock"),
        .version = hp_state_path(state, "pg/PG_VERSION"),
        .pid = hp_state_path(state, "pg/postmaster.pid"),
        .fast = hp_state_path(state, "pg/hakperf.throw-away"),
    };
    if (!p->data || !p->fresh || !p->run || !p->log || !p->lock || !p->version || !p->pid ||
        !p->fast)
        return hp_fail(err, HP_SYSTEM, "out of memory");
    return true;
}

void private_paths_clear(struct private_paths *p)
{
    char **all[] = {&p->data, &p->fresh,   &p->run, &p->log,
                    &p->lock, &p->version, &p->pid, &p->fast};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(*all[i]);
        *all[i] = NULL;
    }
}

/* Percent-encodes what a connection URI cannot hold as it is. */
char *private_db_url(const char *state, const char *role)
{
    HP_FREE char *run = hp_state_path(state, "run");
    HP_BUFFER struct hp_buffer out = {0};
    bool ok = run && hp_buffer_printf(&out, "postgresql:///%s?host=", PRIVATE_DB_NAME);
    for (const char *c = run; ok && *c; c++) {
        bool plain = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./~",
                            *c) != NULL;
        ok = plain ? hp_buffer_append(&out, c, 1)
                   : hp_buffer_printf(&out, "%%%02X", (unsigned)(unsigned char)*c);
    }
    ok = ok && hp_buffer_printf(&out, "&user=%s", role);
    return ok ? hp_take(out.data) : NULL;
}
