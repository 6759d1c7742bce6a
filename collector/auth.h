/*
 * Who asks. Over the Unix socket the kernel says it (peer credentials): root and the collector's
 * own user may do everything, others nothing. Over TCP a bearer token or a browser's cookie; a
 * token that is sent counts on both sockets. Tokens, login codes and cookies are 256 random bits,
 * shown once and stored as SHA-256.
 *
 * A token has one scope. `admin` includes all others, and `submit` includes `read`: whoever asks
 * for a measurement may see it. `runner` includes nothing.
 */
#ifndef HP_COLLECTOR_AUTH_H
#define HP_COLLECTOR_AUTH_H

#include "collector/db.h"
#include "collector/request.h"

struct service;

#define AUTH_COOKIE "hakperf"

/* Room for a secret as text; the longest life of a token that ends. */
enum { AUTH_SECRET_TEXT = 80, AUTH_DAYS_MAX = 3650 };

/* The set of scopes that a scope's name stands for; 0 for a name that is none. */
unsigned auth_scopes(const char *name);

/* Finds out who asks, as struct server_options.who wants it: with `quick` only what needs no
 * database. Anonymous (no scopes) is no error; a credential that is wrong or was revoked is
 * HP_DENIED. */
bool auth_who(struct service *service, struct request *request, bool quick, struct hp_error *err);

/* Makes a token; HP_CONFLICT where one of that name is in force, HP_USAGE for a bad scope or
 * name. It is worth something for so many days (0: until it is revoked). `secret` gets the token.
 */
bool auth_token_create(struct db *db, const char *name, const char *scope, int64_t days,
                       char secret[AUTH_SECRET_TEXT], struct hp_error *err);

/* Array of {"name","scope","created","last_used","expires","revoked"}; the caller owns it. */
json_t *auth_token_list(struct db *db, struct hp_error *err);

/* HP_NOT_FOUND where no token of that name is in force. */
bool auth_token_revoke(struct db *db, const char *name, struct hp_error *err);

/* A code for GET /login, valid for ten minutes and once. */
bool auth_login_code(struct db *db, char code[AUTH_SECRET_TEXT], struct hp_error *err);

/* Exchanges the code for a session; `cookie` gets the cookie's value. HP_DENIED for a code that
 * is wrong, too old or was used. */
bool auth_login(struct db *db, const char *code, int64_t session_minutes,
                char cookie[AUTH_SECRET_TEXT], struct hp_error *err);

/* The newest `limit` deeds, older than number `before` (0: all), those to one object where it is
 * given: {"entries":[{"id","at","who","action","object","address","detail"}],"next"}; the caller
 * owns it. */
json_t *auth_audit_list(struct db *db, int64_t limit, int64_t before, const char *object,
                        struct hp_error *err);

/* Writes down who did what. An error is logged and otherwise ignored: the deed is done. */
void auth_audit(struct db *db, const char *who, const char *address, const char *action,
                const char *object, const json_t *detail);

#endif
