/* Which lines of a diff are new, and which only stand elsewhere or bear another name. */
#include "common/cleanup.h"
#include "runner/diff_lines.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* As `git diff --color-moved` has it: fewer letters and digits in a row of lines prove nothing, a
 * brace or a `return NULL;` stands everywhere. */
#define LETTERS 20
#define MOST_CANDIDATES 64 /* places that a line may come from, looked at */
#define MOST_WORK 20000000 /* lines compared; what is left over then counts as new */

bool rn_is_name(const char *token, size_t size)
{
    return size > 0 && (isalpha((unsigned char)token[0]) || token[0] == '_');
}

size_t rn_token(const struct rn_line *line, uint32_t *at, const char **begin)
{
    const char *s = line->text;
    uint32_t i = *at;
    while (i < line->size && isspace((unsigned char)s[i]))
        i++;
    *begin = s + i;
    uint32_t start = i;
    while (i < line->size && (isalnum((unsigned char)s[i]) || s[i] == '_'))
        i++;
    if (i == start && i < line->size)
        i++;
    *at = i;
    return i - start;
}

/* --- renamed ---------------------------------------------------------------------------------- */

/* What is known of a name that may have been given another: the other name, or null once it was
 * seen where that cannot be. "declared" holds names whose declaration was among the lines. */
struct names {
    json_t *to;       /* old name → new name */
    json_t *from;     /* new name → old name */
    json_t *declared; /* old names */
};

static bool is_keyword(const char *token, size_t size)
{
    static const char *const words[] = {"return", "else", "case", "goto", "sizeof", "typeof", "in"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == size && memcmp(words[i], token, size) == 0)
            return true;
    return false;
}

/* What is walked over at once in a pair of lines. */
struct two {
    const struct rn_line *line[2];
    uint32_t at[2];
    const char *token[2];
    size_t size[2];
};

/* The next tokens of both lines; false at the end of both or where the shapes differ, which *alike
 * tells. */
static bool next_tokens(struct two *two, bool *alike)
{
    for (int k = 0; k < 2; k++)
        two->size[k] = rn_token(two->line[k], &two->at[k], &two->token[k]);
    bool names = rn_is_name(two->token[0], two->size[0]) && rn_is_name(two->token[1], two->size[1]);
    bool equal =
        two->size[0] == two->size[1] && memcmp(two->token[0], two->token[1], two->size[0]) == 0;
    *alike = equal || names;
    return *alike && two->size[0] > 0;
}

static bool tokens_equal(const struct two *two)
{
    return two->size[0] == two->size[1] && memcmp(two->token[0], two->token[1], two->size[0]) == 0;
}

static bool same_shape(const struct rn_line *old, const struct rn_line *new)
{
    struct two two = {.line = {old, new}};
    bool alike;
    while (next_tokens(&two, &alike))
        ;
    return alike;
}

/* A name may stand for one other only. */
static void bind(json_t *map, const char *name, size_t size, const char *other, size_t other_size)
{
    json_t *known = json_object_getn(map, name, size);
    if (!known)
        json_object_setn_new(map, name, size, json_stringn(other, other_size));
    else if (json_is_string(known) && (json_string_length(known) != other_size ||
                                       memcmp(json_string_value(known), other, other_size) != 0))
        json_object_setn_new(map, name, size, json_null());
}

/* "type NAME" followed by what ends a declarator. */
static bool declares(const struct two *two, const char *before, size_t before_size)
{
    uint32_t at = two->at[0];
    const char *after;
    size_t n = rn_token(two->line[0], &at, &after);
    bool type = (rn_is_name(before, before_size) && !is_keyword(before, before_size)) ||
                (before_size == 1 && before[0] == '*');
    return type && (n == 0 || strchr("=;,)[({", after[0]));
}

static void learn(struct names *names, const struct rn_line *old, const struct rn_line *new)
{
    struct two two = {.line = {old, new}};
    const char *before = "";
    size_t before_size = 0;
    bool alike;
    while (next_tokens(&two, &alike)) {
        if (!tokens_equal(&two)) {
            bind(names->to, two.token[0], two.size[0], two.token[1], two.size[1]);
            bind(names->from, two.token[1], two.size[1], two.token[0], two.size[0]);
            if (declares(&two, before, before_size))
                json_object_setn_new(names->declared, two.token[0], two.size[0], json_true());
        }
        before = two.token[0];
        before_size = two.size[0];
    }
}

/* An old name that is still there, or a new one that was there before, was not renamed. */
static void forget(struct names *names, const struct rn_line *line)
{
    uint32_t at = 0;
    const char *token;
    for (size_t n; (n = rn_token(line, &at, &token)) > 0;) {
        if (line->mark != '-' && json_object_getn(names->to, token, n))
            json_object_setn_new(names->to, token, n, json_null());
        if (line->mark != '+' && json_object_getn(names->from, token, n))
            json_object_setn_new(names->from, token, n, json_null());
    }
}

static bool renamed(const struct names *names, const struct rn_line *old, const struct rn_line *new)
{
    struct two two = {.line = {old, new}};
    bool alike;
    while (next_tokens(&two, &alike)) {
        if (tokens_equal(&two))
            continue;
        const json_t *to = json_object_getn(names->to, two.token[0], two.size[0]);
        const json_t *from = json_object_getn(names->from, two.token[1], two.size[1]);
        if (!json_is_string(to) || !json_is_string(from) ||
            !json_object_getn(names->declared, two.token[0], two.size[0]) ||
            json_string_length(to) != two.size[1] ||
            memcmp(json_string_value(to), two.token[1], two.size[1]) != 0)
            return false;
    }
    return alike;
}

/* A block of as many removed as added lines: line by line, what it was and what it became. Returns
 * where the block ends; *pairs is how many there are, 0 for other blocks. */
static size_t block_end(const struct rn_lines *lines, size_t first, size_t *pairs)
{
    size_t i = first, removed = 0, added = 0;
    bool ordered = true;
    for (; i < lines->count && lines->line[i].block == lines->line[first].block; i++) {
        if (lines->line[i].mark == '-') {
            removed++;
            ordered = ordered && added == 0;
        } else {
            added++;
        }
    }
    *pairs = removed == added && ordered ? removed : 0;
    return i;
}

enum step { LEARN, MARK };

static void walk_blocks(struct rn_lines *lines, struct names *names, enum step step)
{
    for (size_t i = 0, end, pairs; i < lines->count; i = end) {
        if (lines->line[i].block == 0) {
            end = i + 1;
            continue;
        }
        end = block_end(lines, i, &pairs);
        for (size_t k = 0; k < pairs; k++) {
            struct rn_line *old = &lines->line[i + k], *new = &lines->line[i + pairs + k];
            if (step == LEARN && same_shape(old, new))
                learn(names, old, new);
            else if (step == MARK && renamed(names, old, new))
                old->same = new->same = true;
        }
    }
}

bool rn_mark_renames(struct rn_lines *lines)
{
    HP_JSON json_t *to = json_object();
    HP_JSON json_t *from = json_object();
    HP_JSON json_t *declared = json_object();
    struct names names = {to, from, declared};
    if (!to || !from || !declared)
        return false;
    walk_blocks(lines, &names, LEARN);
    for (size_t i = 0; i < lines->count; i++)
        forget(&names, &lines->line[i]);
    walk_blocks(lines, &names, MARK);
    return true;
}

/* --- moved ------------------------------------------------------------------------------------ */

/* Removed lines by a hash of their text without white space at its ends. */
struct index {
    uint32_t *next; /* of each line, the next one of the same bucket, plus 1 */
    uint32_t *head; /* of each bucket, plus 1 */
    size_t buckets;
    size_t work; /* lines compared so far */
};

static void trimmed(const struct rn_line *line, const char **text, size_t *size)
{
    const char *s = line->text;
    size_t n = line->size;
    while (n > 0 && isspace((unsigned char)s[n - 1]))
        n--;
    while (n > 0 && isspace((unsigned char)*s))
        s++, n--;
    *text = s;
    *size = n;
}

static bool same_text(const struct rn_line *a, const struct rn_line *b)
{
    const char *x, *y;
    size_t m, n;
    trimmed(a, &x, &m);
    trimmed(b, &y, &n);
    return m == n && memcmp(x, y, n) == 0;
}

static size_t hash_of(const struct rn_line *line, size_t buckets)
{
    const char *text;
    size_t size;
    uint64_t hash = 1469598103934665603ULL;
    trimmed(line, &text, &size);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211ULL;
    return (size_t)(hash % buckets);
}

static size_t letters_of(const struct rn_line *line)
{
    size_t n = 0;
    for (uint32_t i = 0; i < line->size; i++)
        n += isalnum((unsigned char)line->text[i]) != 0;
    return n;
}

static bool is_free(const struct rn_lines *lines, size_t i, char mark)
{
    return i < lines->count && lines->line[i].mark == mark && !lines->line[i].same;
}

/* How many lines from `to` on are those from `from` on. */
static size_t run_of(const struct rn_lines *lines, size_t from, size_t to)
{
    size_t n = 0;
    while (is_free(lines, from + n, '-') && is_free(lines, to + n, '+') &&
           lines->line[from + n].file == lines->line[from].file &&
           lines->line[to + n].file == lines->line[to].file &&
           same_text(&lines->line[from + n], &lines->line[to + n]))
        n++;
    return n;
}

/* Marks the longest run that begins at the added line `to`; returns its length, 0: none. */
static size_t mark_run(struct rn_lines *lines, struct index *index, size_t to)
{
    size_t best = 0, best_from = 0, letters = 0, looked = 0;
    for (uint32_t i = index->head[hash_of(&lines->line[to], index->buckets)];
         i > 0 && looked < MOST_CANDIDATES; i = index->next[i - 1], looked++) {
        size_t n = run_of(lines, i - 1, to);
        index->work += n + 1;
        if (n > best) {
            best = n;
            best_from = i - 1;
        }
    }
    for (size_t k = 0; k < best; k++)
        letters += letters_of(&lines->line[to + k]);
    if (letters < LETTERS)
        return 0;
    for (size_t k = 0; k < best; k++)
        lines->line[to + k].same = lines->line[best_from + k].same = true;
    return best;
}

bool rn_mark_moves(struct rn_lines *lines)
{
    struct index index = {.buckets = lines->count + 1};
    HP_FREE uint32_t *next = calloc(lines->count + 1, sizeof *next);
    HP_FREE uint32_t *head = calloc(index.buckets, sizeof *head);
    if (!next || !head)
        return false;
    index.next = next;
    index.head = head;
    for (size_t i = lines->count; i-- > 0;) {
        if (!is_free(lines, i, '-'))
            continue;
        size_t bucket = hash_of(&lines->line[i], index.buckets);
        next[i] = head[bucket];
        head[bucket] = (uint32_t)i + 1;
    }
    for (size_t i = 0; i < lines->count && index.work < MOST_WORK;) {
        bool starts = is_free(lines, i, '+') && letters_of(&lines->line[i]) > 0;
        size_t n = starts ? mark_run(lines, &index, i) : 0;
        i += n ? n : 1;
    }
    return true;
}
