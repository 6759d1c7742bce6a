/*
 * Where a machine's state lives and as whom its programs run. Started as root, every program runs
 * as user `hakperf` with its state in /var/lib/hakperf; otherwise in $XDG_STATE_HOME/hakperf or
 * ~/.local/state/hakperf. The option --state or HAKPERF_STATE names another folder.
 *
 *   STATE/pg/            the private PostgreSQL          (collector, private_db)
 *   STATE/run/           sockets: collector.sock, .s.PGSQL.5432
 *   STATE/mirrors/       bare mirrors of repositories    (collector)
 *   STATE/runner/        build cache, work folders       (runner)
 *   STATE/spool/         results not yet acknowledged    (runner)
 *   STATE/secrets/       token files, mode 0600
 */
#ifndef HP_COMMON_STATE_H
#define HP_COMMON_STATE_H

#include "common/error.h"

/* The state folder: `chosen` if not NULL or empty, else as above. The caller frees it. It is not
 * created. */
char *hp_state_folder(const char *chosen, struct hp_error *err);

/* Makes the state folder (0755) and a folder below it (with that mode), owned by the user that
 * programs run as; call it before hp_drop_root. `below` NULL: only the state folder. */
bool hp_state_make(const char *state, const char *below, unsigned mode, struct hp_error *err);

/* If running as root: becomes user hakperf for good (groups, gid, uid, HOME, XDG variables
 * dropped) and leaves a working folder it cannot enter for "/". Else does nothing. HP_NOT_FOUND
 * with a hint where that user does not exist. */
bool hp_drop_root(struct hp_error *err);

/* STATE/below as malloc'ed text; NULL without memory. */
char *hp_state_path(const char *state, const char *below);

/* The folder of this program's own binary, so that hakperf finds its two siblings beside it. The
 * caller frees it. */
char *hp_program_folder(struct hp_error *err);

#endif
