#include "runner/folded.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FRAMES 128
#define MOST_STACKS 100000
#define FRAME_LIMIT 200
#define COMM_LIMIT 15

/* A part of the text. */
struct span {
    const char *at;
    size_t size;
};

struct stack {
    const char *text;
    uint64_t count;
};

static struct span next_line(const char **p, const char *end)
{
    const char *stop = memchr(*p, '\n', (size_t)(end - *p));
    struct span line = {*p, stop ? (size_t)(stop - *p) : (size_t)(end - *p)};
    *p += line.size + 1;
    return line;
}

static bool ends_with(struct span text, const char *ending)
{
    size_t n = strlen(ending);
    return text.size >= n && memcmp(text.at + text.size - n, ending, n) == 0;
}

/* The head of a sample, "COMM PID/TID [CPU] TIME: PERIOD EVENT: ": whether it is of that program.
 */
static bool is_of(struct span line, const char *comm)
{
    size_t n = strlen(comm);
    n = n < COMM_LIMIT ? n : COMM_LIMIT;
    while (line.size > 0 && line.at[0] == ' ')
        line.at++, line.size--;
    return line.size > n && memcmp(line.at, comm, n) == 0 && line.at[n] == ' ';
}

/* The event of a head: whether it ends with a modifier without k. */
static bool is_user_only(struct span line)
{
    while (line.size > 0 && isspace((unsigned char)line.at[line.size - 1]))
        line.size--;
    return ends_with(line, ":u:") || ends_with(line, ":uH:") || ends_with(line, ":uppp:");
}

/* A frame, "    IP SYMBOL+0x12 (DSO)": its symbol, or the file where it has none. */
static bool read_frame(struct span line, struct span *name, bool *kernel)
{
    const char *p = line.at, *end = line.at + line.size;
    while (p < end && isspace((unsigned char)*p))
        p++;
    const char *ip = p;
    while (p < end && isxdigit((unsigned char)*p))
        p++;
    if (p == ip || p == end || *p != ' ')
        return false;
    p++;
    /* The symbol may hold blanks and parentheses; the file is in the last ones. */
    const char *open = memrchr(p, '(', (size_t)(end - p));
    const char *close = open ? memrchr(open, ')', (size_t)(end - open)) : NULL;
    struct span dso = {"", 0};
    if (open && close) {
        dso = (struct span){open + 1, (size_t)(close - open - 1)};
        end = open;
    }
    *name = (struct span){p, (size_t)(end - p)};
    while (name->size > 0 && isspace((unsigned char)name->at[name->size - 1]))
        name->size--;
    const char *plus = name->size ? memrchr(name->at, '+', name->size) : NULL;
    if (plus && (size_t)(name->at + name->size - plus) > 3 && plus[1] == '0' && plus[2] == 'x')
        name->size = (size_t)(plus - name->at);
    bool module = dso.size > 0 && dso.at[0] == '[' && !ends_with(dso, "[vdso]") &&
                  !ends_with(dso, "[unknown]") && !ends_with(dso, "[heap]") &&
                  !ends_with(dso, "[stack]") && !ends_with(dso, "[vsyscall]");
    *kernel = module || ends_with(dso, "/vmlinux") || ends_with(dso, ".ko");
    bool unknown = name->size == 0 || (name->size == 9 && memcmp(name->at, "[unknown]", 9) == 0);
    if (unknown && dso.size > 0) {
        const char *slash = memrchr(dso.at, '/', dso.size);
        *name = slash ? (struct span){slash + 1, (size_t)(dso.at + dso.size - slash - 1)} : dso;
    }
    return name->size > 0;
}

/* A name without what has a meaning in folded stacks. */
static bool append_frame(struct hp_buffer *out, struct span name, bool kernel)
{
    char text[FRAME_LIMIT + 8];
    size_t n = name.size < FRAME_LIMIT ? name.size : FRAME_LIMIT;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name.at[i];
        text[i] = (char)(c == ';' || c == ' ' || c < 0x20 || c >= 0x7f ? '_' : c);
    }
    text[n] = '\0';
    return hp_buffer_printf(out, "%s%s%s", out->size ? ";" : "", text, kernel ? "_[k]" : "");
}

/* Calls inside of a file whose names are hidden, the kernel's for most users, are one frame. */
static bool is_nameless_twin(struct span a, struct span b)
{
    return a.at[0] == '[' && a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

/* The frames of one sample up to its empty line; false without memory. */
static bool read_sample(const char **p, const char *end, json_t *stacks, struct rn_profile *out)
{
    struct span frame[MOST_FRAMES];
    bool kernel[MOST_FRAMES];
    size_t n = 0;
    HP_BUFFER struct hp_buffer key = {0};
    while (*p < end && **p != '\n') {
        struct span line = next_line(p, end);
        if (n < MOST_FRAMES && read_frame(line, &frame[n], &kernel[n]) &&
            !(n > 0 && is_nameless_twin(frame[n], frame[n - 1])))
            n++;
    }
    /* What the unwinder made up behind the last known frame says nothing. */
    /* cppcheck-suppress uninitvar; n frames were read */
    while (n > 1 && frame[n - 1].size == 9 && memcmp(frame[n - 1].at, "[unknown]", 9) == 0)
        n--;
    if (n == 0)
        return true;
    for (size_t i = n; i-- > 0;)
        if (!append_frame(&key, frame[i], kernel[i]))
            return false;
    out->kernel += kernel[0];
    json_t *known = json_object_get(stacks, hp_buffer_text(&key));
    if (!known && json_object_size(stacks) >= MOST_STACKS)
        out->left_out++;
    else
        json_object_set_new(stacks, hp_buffer_text(&key),
                            json_integer(json_integer_value(known) + 1));
    return true;
}

static int by_count(const void *a, const void *b)
{
    const struct stack *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->text, y->text);
}

static bool write_stacks(const json_t *stacks, size_t room, struct rn_profile *out)
{
    HP_FREE struct stack *list = calloc(json_object_size(stacks) + 1, sizeof *list);
    HP_BUFFER struct hp_buffer text = {0};
    size_t n = 0;
    const char *key;
    json_t *count;
    if (!list)
        return false;
    json_object_foreach ((json_t *)stacks, key, count)
        list[n++] = (struct stack){key, (uint64_t)json_integer_value(count)};
    qsort(list, n, sizeof *list, by_count);
    for (size_t i = 0; i < n; i++) {
        if (out->left_out > 0 || text.size + strlen(list[i].text) + 22 > room) {
            out->left_out += list[i].count;
            continue;
        }
        if (!hp_buffer_printf(&text, "%s %llu\n", list[i].text, (unsigned long long)list[i].count))
            return false;
        out->samples += list[i].count;
    }
    out->folded = strdup(hp_buffer_text(&text));
    return out->folded != NULL;
}

bool rn_folded_read(const char *text, size_t size, const char *comm, size_t room,
                    struct rn_profile *out)
{
    HP_JSON json_t *stacks = json_object();
    *out = (struct rn_profile){0};
    for (const char *p = text, *end = text + size; stacks && p < end;) {
        struct span line = next_line(&p, end);
        if (line.size == 0 || line.at[0] == '#' || !is_of(line, comm))
            continue;
        out->user_only = out->user_only || is_user_only(line);
        if (!read_sample(&p, end, stacks, out))
            return false;
    }
    return stacks && write_stacks(stacks, room, out);
}

void rn_profile_clear(struct rn_profile *profile)
{
    free(profile->folded);
    *profile = (struct rn_profile){0};
}
