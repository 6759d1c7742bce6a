#include "runner/diff.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "runner/diff_lines.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LINES 4000000
#define MOST_MACROS 64
#define MOST_USES 20000

/* Where the parser stands. */
struct reader {
    const char *at, *end;
    const char *prefix;
    struct rn_lines lines;
    char **path; /* of each file, NULL: not one that counts */
    size_t files;
    uint32_t block;
    bool apart; /* what comes next stands elsewhere than what came before */
};

bool rn_is_source(const char *path)
{
    static const char *const endings[] = {".c",   ".h",   ".cc",  ".cpp", ".cxx", ".hh",
                                          ".hpp", ".hxx", ".inc", ".inl", ".def", ".ipp"};
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static bool next_line(struct reader *r, const char **text, size_t *size)
{
    if (r->at >= r->end)
        return false;
    const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
    *text = r->at;
    *size = stop ? (size_t)(stop - r->at) : (size_t)(r->end - r->at);
    r->at += *size + 1;
    return true;
}

/* A path as git writes it: plain, or in quotes with escapes of C. Cut after a tab, which git adds
 * where there are spaces. */
static char *unquoted(const char *text, size_t size)
{
    char *out = malloc(size + 1);
    size_t n = 0;
    if (!out)
        return NULL;
    bool quoted = size > 0 && text[0] == '"';
    for (size_t i = quoted ? 1 : 0; i < size; i++) {
        char c = text[i];
        if ((quoted && c == '"') || (!quoted && c == '\t'))
            break;
        if (quoted && c == '\\' && i + 1 < size) {
            static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
            c = text[++i];
            const char *known = c ? strchr(from, c) : NULL;
            if (known) {
                c = to[known - from];
            } else if (c >= '0' && c <= '3' && i + 2 < size) {
                c = (char)((c - '0') << 6 | (text[i + 1] - '0') << 3 | (text[i + 2] - '0'));
                i += 2;
            }
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return out;
}

/* The file that "+++ PATH" names; NULL in *path for one that does not count. */
static bool begin_file(struct reader *r, const char *text, size_t size)
{
    HP_FREE char *name = unquoted(text, size);
    size_t prefix = strlen(r->prefix);
    char **more = realloc(r->path, (r->files + 1) * sizeof *more);
    if (!name || !more)
        return false;
    r->path = more;
    r->path[r->files] = NULL;
    if (strncmp(name, r->prefix, prefix) == 0 && rn_is_source(name) &&
        !(r->path[r->files] = strdup(name + prefix)))
        return false;
    r->files++;
    return true;
}

static bool add_line(struct reader *r, const char *text, size_t size, uint32_t at)
{
    struct rn_lines *lines = &r->lines;
    if (lines->count == lines->room) {
        size_t room = lines->room ? 2 * lines->room : 1024;
        struct rn_line *more = realloc(lines->line, room * sizeof *more);
        if (!more)
            return false;
        lines->line = more;
        lines->room = room;
    }
    bool context = text[0] == ' ';
    if (!context && (r->apart || lines->line[lines->count - 1].block == 0))
        r->block++;
    r->apart = false;
    lines->line[lines->count++] = (struct rn_line){.text = text + 1,
                                                   .size = (uint32_t)(size - 1),
                                                   .file = (uint32_t)(r->files - 1),
                                                   .at = at,
                                                   .block = context ? 0 : r->block,
                                                   .mark = text[0]};
    return true;
}

/* "@@ -1,2 +3,4 @@": how many lines of each side follow, and head's first line. */
static bool hunk_head(const char *text, size_t size, unsigned long count[2], unsigned long *first)
{
    HP_FREE char *copy = strndup(text, size);
    char *p = copy ? strstr(copy, "-") : NULL;
    if (!p)
        return false;
    for (int side = 0; side < 2; side++) {
        unsigned long line = strtoul(p + 1, &p, 10);
        count[side] = *p == ',' ? strtoul(p + 1, &p, 10) : 1;
        if (side == 1)
            *first = count[side] == 0 ? line + 1 : line;
        while (*p == ' ')
            p++;
        if (side == 0 && *p != '+')
            return false;
    }
    return count[0] < MOST_LINES && count[1] < MOST_LINES && *first < MOST_LINES;
}

static bool read_hunk(struct reader *r, const char *head, size_t head_size)
{
    unsigned long left[2], at = 0;
    const char *text;
    size_t size;
    if (r->files == 0 || !hunk_head(head, head_size, left, &at))
        return true;
    bool counts = r->path[r->files - 1] != NULL;
    r->apart = true;
    while ((left[0] > 0 || left[1] > 0) && next_line(r, &text, &size)) {
        char mark = size > 0 ? text[0] : ' ';
        if (mark == '\\')
            continue;
        bool old = mark == '-' || mark == ' ', new = mark == '+' || mark == ' ';
        if ((!old && !new) || (old && left[0] == 0) || (new &&left[1] == 0))
            return true; /* no diff any more */
        left[0] -= old;
        left[1] -= new;
        uint32_t line = (uint32_t)(mark == '-' ? at - 1 : at);
        if (counts && r->lines.count < MOST_LINES && size > 0 && !add_line(r, text, size, line))
            return false;
        at += new;
    }
    return true;
}

static bool read_all(struct reader *r)
{
    const char *text;
    size_t size;
    while (next_line(r, &text, &size)) {
        if (size > 4 && strncmp(text, "+++ ", 4) == 0) {
            if (!begin_file(r, text + 4, size - 4))
                return false;
        } else if (size > 3 && strncmp(text, "@@ ", 3) == 0) {
            if (!read_hunk(r, text, size))
                return false;
        }
    }
    return true;
}

/* --- from lines to files ---------------------------------------------------------------------- */

/* Nothing that a compiler would make code of. */
static bool is_blank(const struct rn_line *line)
{
    uint32_t i = 0;
    while (i < line->size &&
           (isspace((unsigned char)line->text[i]) || line->text[i] == '{' || line->text[i] == '}'))
        i++;
    if (i == line->size)
        return true;
    return line->text[i] == '*' || (line->text[i] == '/' && i + 1 < line->size &&
                                    (line->text[i + 1] == '/' || line->text[i + 1] == '*'));
}

static bool add_number(uint32_t **list, size_t *n, uint32_t value)
{
    if (*n > 0 && (*list)[*n - 1] == value)
        return true;
    uint32_t *more = realloc(*list, (*n + 1) * sizeof *more);
    if (!more)
        return false;
    *list = more;
    more[(*n)++] = value;
    return true;
}

static bool add_changed(struct rn_changed *file, const struct rn_line *line)
{
    bool *more = realloc(file->blank, (file->lines + 1) * sizeof *more);
    if (!more)
        return false;
    file->blank = more;
    more[file->lines] = is_blank(line);
    return add_number(&file->line, &file->lines, line->at);
}

/* The name that "#define NAME" defines, with its length in *size; NULL on other lines. */
static const char *defined(const struct rn_line *line, size_t *size)
{
    uint32_t at = 0;
    const char *token;
    size_t n = rn_token(line, &at, &token);
    if (n != 1 || token[0] != '#')
        return NULL;
    n = rn_token(line, &at, &token);
    if (n != 6 || memcmp(token, "define", 6) != 0)
        return NULL;
    *size = rn_token(line, &at, &token);
    return rn_is_name(token, *size) ? token : NULL;
}

static bool add_macro(struct rn_changed *file, const char *name, size_t size)
{
    for (size_t i = 0; i < file->macros; i++)
        if (strlen(file->macro[i]) == size && memcmp(file->macro[i], name, size) == 0)
            return true;
    if (file->macros == MOST_MACROS)
        return true;
    char **more = realloc(file->macro, (file->macros + 1) * sizeof *more);
    if (!more)
        return false;
    file->macro = more;
    more[file->macros] = strndup(name, size);
    return more[file->macros++] != NULL;
}

/* One file's lines, from `i` on; returns where the next file begins, 0 without memory. */
static size_t collect_file(const struct rn_lines *lines, size_t i, struct rn_changed *file)
{
    uint32_t which = lines->line[i].file;
    const char *macro = NULL;
    size_t macro_size = 0;
    bool goes_on = false;
    for (; i < lines->count && lines->line[i].file == which; i++) {
        const struct rn_line *line = &lines->line[i];
        bool is_new = line->mark != ' ' && !line->same;
        if (line->mark == '-') {
            if (is_new && !is_blank(line) && !add_number(&file->cut, &file->cuts, line->at))
                return 0;
            continue;
        }
        if (!goes_on)
            macro = defined(line, &macro_size);
        goes_on = macro && line->size > 0 && line->text[line->size - 1] == '\\';
        if (is_new && (!add_changed(file, line) || (macro && !add_macro(file, macro, macro_size))))
            return 0;
    }
    return i;
}

static bool collect(struct reader *r, struct rn_diff *out)
{
    for (size_t i = 0; i < r->lines.count;) {
        char **path = &r->path[r->lines.line[i].file];
        struct rn_changed *more = realloc(out->file, (out->files + 1) * sizeof *more);
        if (!more)
            return false;
        out->file = more;
        struct rn_changed *file = &more[out->files++];
        *file = (struct rn_changed){.path = *path};
        *path = NULL;
        i = collect_file(&r->lines, i, file);
        if (i == 0)
            return false;
        out->changed += file->lines;
    }
    return true;
}

bool rn_diff_parse(const char *text, size_t size, const char *prefix, struct rn_diff *out)
{
    struct reader r = {.at = text, .end = text + size, .prefix = prefix};
    *out = (struct rn_diff){0};
    bool ok =
        read_all(&r) && rn_mark_renames(&r.lines) && rn_mark_moves(&r.lines) && collect(&r, out);
    for (size_t i = 0; i < r.files; i++)
        free(r.path[i]);
    free(r.path);
    free(r.lines.line);
    if (!ok)
        rn_diff_clear(out);
    return ok;
}

static struct rn_changed *file_of(struct rn_diff *diff, const char *path)
{
    for (size_t i = 0; i < diff->files; i++)
        if (strcmp(diff->file[i].path, path) == 0)
            return &diff->file[i];
    struct rn_changed *more = realloc(diff->file, (diff->files + 1) * sizeof *more);
    if (!more)
        return NULL;
    diff->file = more;
    more[diff->files] = (struct rn_changed){.path = strdup(path)};
    return more[diff->files].path ? &more[diff->files++] : NULL;
}

bool rn_diff_add_uses(const char *text, size_t size, struct rn_diff *diff)
{
    struct reader r = {.at = text, .end = text + size};
    const char *line;
    size_t n, uses = 0;
    while (next_line(&r, &line, &n) && uses++ < MOST_USES) {
        const char *nul = memchr(line, '\0', n);
        size_t digits = nul ? (size_t)(line + n - nul) - 1 : 0;
        char number[12] = "";
        if (digits == 0 || nul == line)
            continue;
        memcpy(number, nul + 1, digits < sizeof number - 1 ? digits : sizeof number - 1);
        unsigned long at = strtoul(number, NULL, 10);
        HP_FREE char *path = at > 0 && at < MOST_LINES ? strndup(line, n) : NULL;
        struct rn_changed *file = path && rn_is_source(path) ? file_of(diff, path) : NULL;
        if (file && !add_number(&file->use, &file->uses, (uint32_t)at))
            return false;
    }
    return true;
}

void rn_diff_clear(struct rn_diff *diff)
{
    for (size_t i = 0; i < diff->files; i++) {
        struct rn_changed *file = &diff->file[i];
        for (size_t k = 0; k < file->macros; k++)
            free(file->macro[k]);
        free(file->macro);
        free(file->path);
        free(file->line);
        free(file->blank);
        free(file->cut);
        free(file->use);
    }
    free(diff->file);
    *diff = (struct rn_diff){0};
}
