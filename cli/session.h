/*
 * One conversation with the collector: which server, which token, which repository, and how the
 * answer is shown (text or --json). Opened by a verb, closed when it returns. One thread.
 *
 * The server is --server (HAKPERF_SERVER, configuration file), else the socket of the state
 * folder: unix:STATE/run/collector.sock.
 */
#ifndef HP_CLI_SESSION_H
#define HP_CLI_SESSION_H

#include "common/http_client.h"
#include "common/options.h"

struct cli_session {
    const struct hp_values *values;
    struct hp_http *http;
    char *server;
    bool json, quiet;
};

/* Reads the token and makes the client; nothing is sent. */
bool cli_session_open(struct cli_session *session, const struct hp_values *values,
                      struct hp_error *err);
void cli_session_close(struct cli_session *session);
#define CLI_SESSION __attribute__((cleanup(cli_session_close)))

/* GET of a path made by printf; its arguments must be percent-encoded already. NULL: error. */
json_t *cli_get(struct cli_session *session, struct hp_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sends a body (may be NULL) by POST or PUT; an answer without body gives JSON null. */
json_t *cli_send(struct cli_session *session, const char *method, const char *path,
                 const json_t *body, struct hp_error *err);

/* The repository that is meant, percent-encoded for a path: --repository, else the only one the
 * collector knows, else the one the current checkout belongs to. The caller frees it. */
char *cli_repository(struct cli_session *session, struct hp_error *err);

/* A revision as the collector should get it: inside a checkout of that repository, names are
 * resolved here, so that HEAD is the reader's own HEAD; otherwise the text as it is, for the
 * collector's mirror to resolve. The caller frees it. */
char *cli_revision(struct cli_session *session, const char *text, struct hp_error *err);

/* Whether a text is a whole object name: 40 or 64 hexadecimal digits. */
bool cli_is_full_sha(const char *text);

/* `server` as the user chose it or by the state folder; the caller frees it. */
char *cli_server(const struct hp_values *values, struct hp_error *err);

/* Reports an error once: the message and its hint on stderr, with --json the error body on stdout
 * too. Returns the exit code. */
int cli_fail(const struct hp_values *values, const struct hp_error *err);

/* Prints a document for --json, indented, with a final newline. */
void cli_print_json(const json_t *document);

#endif
