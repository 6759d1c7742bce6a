/*
 * Code layouts inside the sandbox: after the build, the same objects are linked once for each
 * layout, by the recipe's own command and the linker scripts that are written here.
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/json.h"
#include "runner/failure.h"
#include "runner/launch_build.h"
#include "runner/launcher.h"
#include "runner/layouts.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_TAIL 65536

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool functions_of(const struct rn_build_step *build, const char *path,
                         struct rn_functions *out)
{
    const char *const words[] = {"nm", "-S", "--defined-only", path, NULL};
    HP_OUTCOME struct hp_outcome outcome = {0};
    return rn_build_inspect(build, words, &outcome) &&
           rn_functions_parse(hp_buffer_text(&outcome.out), out);
}

/* What layout s is to the linker script: a job with another seed draws 64 others. */
static unsigned drawn(const struct rn_build_step *build, unsigned s)
{
    json_int_t seed = hp_json_int(json_object_get(build->plan, "layouts"), "seed", 0);
    return (unsigned)(uint64_t)seed * RN_LAYOUTS + s;
}

static bool write_scripts(const struct rn_build_step *build, const struct rn_functions *functions,
                          struct hp_error *err)
{
    if (!hp_make_dirs(build->layouts, 0755, err))
        return false;
    for (unsigned s = 0; s < RN_LAYOUTS; s++) {
        HP_BUFFER struct hp_buffer script = {0};
        HP_FREE char *path = hp_format("%s/%02u.ld", build->layouts, s);
        if (!path || !rn_layout_script(functions, drawn(build, s), &script))
            return hp_fail(err, HP_SYSTEM, "out of memory");
        if (!hp_file_replace(path, script.data, script.size, 0644, err))
            return false;
    }
    return true;
}

/* The telling line of what the commands printed, which is passed on to the build's log. */
static void read_log(int fd, char *line, size_t room)
{
    static char text[LOG_TAIL];
    off_t size = lseek(fd, 0, SEEK_END);
    ssize_t n = pread(fd, text, sizeof text, size > LOG_TAIL ? size - LOG_TAIL : 0);
    line[0] = '\0';
    if (n <= 0)
        return;
    (void)hp_write_all(STDERR_FILENO, text, (size_t)n);
    /* The last line is this program's own, "make: exit code 2"; the one before says more. */
    const char *own = n > 1 ? memrchr(text, '\n', (size_t)n - 1) : NULL;
    rn_telling_line(text, own ? (size_t)(own - text) + 1 : (size_t)n, line, room);
}

/* The layouts may take as long as so many builds, and so long however fast the build was. */
#define BUILDS 20
#define LEAST_S 120

/* When the layout commands have to be done: in time for the build to say so. */
static double link_deadline(const struct rn_build_step *build)
{
    double now = hp_monotonic_s(), spent = now - build->begun;
    double limit = fmax(LEAST_S, BUILDS * spent);
    double left = build->timeout_s - spent;
    if (build->timeout_s > 0)
        limit = fmin(limit, left - fmin(30, left / 2));
    return now + fmax(limit, 1);
}

/* Runs the recipe's commands; if one fails, the error says with what words. *late: it took too
 * long, which is not to be remembered as what the source is like. */
static bool link_all(const struct rn_build_step *build, bool *late, struct hp_error *err)
{
    char line[300];
    HP_FREE char *path = hp_format("%s/hakperf-layouts.log", build->tmp);
    HP_FD int log = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600) : -1;
    HP_FD int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (log < 0 || kept < 0 || dup2(log, STDERR_FILENO) < 0)
        return hp_fail_errno(err, "cannot keep what the layout command prints");
    struct rn_build_step limited = *build;
    limited.deadline = link_deadline(build);
    bool ok = rn_build_commands(
        &limited, json_object_get(json_object_get(build->plan, "layouts"), "commands"));
    *late = !ok && hp_monotonic_s() > limited.deadline;
    dup2(kept, STDERR_FILENO);
    read_log(log, line, sizeof line);
    unlink(path);
    return ok || hp_fail(err, HP_FAILED, "the layout command failed: %s", line);
}

/* So many layouts are read by one nm: starting it, with the plugins it may have, costs far more
 * than what it reads. */
#define TOGETHER 16
_Static_assert(RN_LAYOUTS % TOGETHER == 0, "the last group is as large as the others");

/* What nm printed of one file of several; NULL where it could not read it. */
static char *part_of(const char *text, const char *path)
{
    HP_FREE char *heading = hp_format("\n%s:\n", path);
    const char *found = heading ? strstr(text, heading) : NULL;
    if (!found)
        return NULL;
    const char *part = found + strlen(heading), *end = strstr(part, "\n\n");
    return end ? strndup(part, (size_t)(end - part)) : strdup(part);
}

/* A library that cannot be taken apart would look like many layouts and be one. */
static bool check_layout(const struct rn_build_step *build, const char *nm, const char *path,
                         unsigned s, struct hp_error *err)
{
    RN_FUNCTIONS struct rn_functions functions = {0};
    HP_FREE char *part = part_of(nm, path);
    bool known = part && rn_functions_parse(part, &functions);
    double share = known ? rn_layout_share(&functions, drawn(build, s)) : 0;
    if (share >= RN_LAYOUT_SHARE)
        return true;
    return hp_fail(err, HP_FAILED,
                   "in layout %u only %.0f %% of the code is where the linker script wants it (is "
                   "it compiled with -ffunction-sections, and linked with the script?)",
                   s, 100 * share);
}

static bool check_group(const struct rn_build_step *build, char *const *paths, unsigned first,
                        struct hp_error *err)
{
    const char *words[TOGETHER + 4] = {"nm", "-S", "--defined-only"};
    HP_OUTCOME struct hp_outcome outcome = {0};
    for (unsigned i = 0; i < TOGETHER; i++) {
        const char *path = words[3 + i] = paths[first + i];
        struct stat st;
        if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
            return hp_fail(err, HP_FAILED, "the layout command made no {layouts}/%02u/%s",
                           first + i, base_name(path));
    }
    /* It fails where one of the files is no object; the others are told all the same. */
    (void)rn_build_inspect(build, words, &outcome);
    for (unsigned s = first; s < first + TOGETHER; s++)
        if (!check_layout(build, hp_buffer_text(&outcome.out), paths[s], s, err))
            return false;
    return true;
}

static bool check_and_strip(const struct rn_build_step *build, char *const *paths,
                            struct hp_error *err)
{
    const char *words[RN_LAYOUTS + 3] = {"strip", "--strip-all"};
    HP_OUTCOME struct hp_outcome outcome = {0};
    for (unsigned s = 0; s < RN_LAYOUTS; s += TOGETHER)
        if (!check_group(build, paths, s, err))
            return false;
    for (unsigned s = 0; s < RN_LAYOUTS; s++)
        words[2 + s] = paths[s];
    return rn_build_inspect(build, words, &outcome) ||
           hp_fail(err, HP_FAILED, "the layouts cannot be stripped");
}

static bool make_layouts(const struct rn_build_step *build, char *const *paths, bool *late,
                         struct hp_error *err)
{
    RN_FUNCTIONS struct rn_functions functions = {0};
    HP_FREE char *shipped = hp_format("%s/%s", build->out, rn_layout_artifact(build->plan));
    if (!shipped || !functions_of(build, shipped, &functions))
        return hp_fail(err, HP_FAILED, "the artifact's symbols cannot be read");
    if (functions.count == 0)
        return hp_fail(err, HP_FAILED, "the artifact names no functions; is it stripped?");
    if (!write_scripts(build, &functions, err) || !link_all(build, late, err))
        return false;
    rn_kill_descendants();
    return check_and_strip(build, paths, err);
}

static bool send_line(json_t *json, struct hp_error *err)
{
    HP_FREE char *text = json ? hp_json_text(json) : NULL;
    json_decref(json);
    return (text && hp_write_all(STDOUT_FILENO, text, strlen(text)) &&
            hp_write_all(STDOUT_FILENO, "\n", 1)) ||
           hp_fail_errno(err, "cannot hand out the layouts");
}

static bool send_all(char *const *paths, struct hp_error *err)
{
    for (unsigned s = 0; s < RN_LAYOUTS; s++) {
        struct stat st;
        HP_FD int fd = open(paths[s], O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
            return hp_fail_errno(err, "cannot read layout %u", s);
        if (!send_line(json_pack("{s:I}", "size", (json_int_t)st.st_size), err))
            return false;
        if (!rn_build_send_bytes(fd, (size_t)st.st_size))
            return hp_fail_errno(err, "cannot hand out layout %u", s);
    }
    return true;
}

bool rn_build_layouts(const struct rn_build_step *build, struct hp_error *err)
{
    struct hp_error why = {0};
    char *paths[RN_LAYOUTS] = {0};
    bool ok = true, named = true, late = false;
    const char *name = base_name(rn_layout_artifact(build->plan));
    for (unsigned s = 0; s < RN_LAYOUTS; s++)
        named = (paths[s] = hp_format("%s/%02u/%s", build->layouts, s, name)) && named;
    if (!named)
        ok = hp_fail(err, HP_SYSTEM, "out of memory");
    else if (make_layouts(build, paths, &late, &why))
        ok = send_line(json_pack("{s:i}", "layouts", RN_LAYOUTS), err) && send_all(paths, err);
    else
        ok = send_line(json_pack("{s:i, s:o, s:b}", "layouts", 0, "reason",
                                 hp_json_bytes(why.message, strlen(why.message)), "late", late),
                       err);
    for (unsigned s = 0; s < RN_LAYOUTS; s++)
        free(paths[s]);
    return ok;
}
