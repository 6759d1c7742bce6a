#include "options.h"

#include "log.h"

#include <stddef.h>
#include <string.h>

#define ALWAYS false
#define DEBUG true
const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION(id, name, type, preset, min, max, where, text) \
    {name, OPTION_##type, preset, min, max, where, text},
#include "options.def"
#undef OPTION
};
#undef ALWAYS
#undef DEBUG

struct option_value option_values[OPTION_COUNT];

/* Values are copied here: the program may change its environment later. */
static char kept[8192];
static size_t kept_len;

static const char *keep(const char *text)
{
    size_t n = strlen(text) + 1;
    if (n > sizeof kept - kept_len)
        return NULL;
    char *copy = memcpy(kept + kept_len, text, n);
    kept_len += n;
    return copy;
}

/* Digits at *s; false without any or above 2^62. */
static bool digits(const char **s, int64_t *value)
{
    const char *at = *s;
    int64_t n = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (n > INT64_MAX / 20)
            return false;
        n = n * 10 + (*at - '0');
    }
    *value = n;
    bool any = at != *s;
    *s = at;
    return any;
}

static bool parse_size(const char *s, int64_t *value)
{
    if (!digits(&s, value))
        return false;
    int shift = *s == 'K' || *s == 'k' ? 10 : *s == 'M' || *s == 'm' ? 20 : 0;
    shift = *s == 'G' || *s == 'g' ? 30 : shift;
    if (shift > 0)
        s++;
    if (*s != '\0' || *value > INT64_MAX >> shift)
        return false;
    *value <<= shift;
    return true;
}

/* "1.25" to 1250. */
static bool parse_ratio(const char *s, int64_t *value)
{
    if (!digits(&s, value) || *value > INT64_MAX / 1000)
        return false;
    *value *= 1000;
    if (*s == '.') {
        int64_t unit = 100;
        for (s++; *s >= '0' && *s <= '9' && unit > 0; s++, unit /= 10)
            *value += (*s - '0') * unit;
    }
    return *s == '\0';
}

static bool parse(const struct option_row *row, const char *s, int64_t *value)
{
    bool ok;
    switch (row->type) {
    case OPTION_TEXT:
        *value = *s != '\0';
        return true;
    case OPTION_SIZE:
        ok = parse_size(s, value);
        break;
    case OPTION_RATIO:
        ok = parse_ratio(s, value);
        break;
    default:
        ok = digits(&s, value) && *s == '\0';
    }
    /* A size that something is aligned to must be a power of two. */
    if (row->type == OPTION_SIZE && row->min > 0 && (*value & (*value - 1)) != 0)
        return false;
    return ok && *value >= row->min && *value <= row->max;
}

static void complain(const struct option_row *row, const char *given)
{
    static const char *const kinds[] = {"0 or 1", "a whole number", "a size in bytes, K, M or G,",
                                        "a decimal number with at most three places,", "text"};
    if (row->type == OPTION_RATIO)
        log_line("hakmem: %s must be %s from %llu.%llu%llu%llu, not '%s'; using %s", row->name,
                 kinds[row->type], (unsigned long long)row->min / 1000,
                 (unsigned long long)row->min / 100 % 10, (unsigned long long)row->min / 10 % 10,
                 (unsigned long long)row->min % 10, given, row->preset);
    else
        log_line("hakmem: %s must be %s from %llu to %llu, not '%s'; using %s", row->name,
                 kinds[row->type], (unsigned long long)row->min, (unsigned long long)row->max,
                 given, row->preset);
}

static void set(enum option_id id, const char *given)
{
    const struct option_row *row = &option_rows[id];
    struct option_value *v = &option_values[id];
    v->from_environment = true;
#ifdef NDEBUG
    if (row->debug_only) {
        v->ignored = true;
        log_line("hakmem: %s is ignored: this is a release build", row->name);
        return;
    }
#endif
    int64_t number;
    const char *copy = keep(given);
    if (!copy || !parse(row, given, &number)) {
        complain(row, given);
        v->ignored = true;
        return;
    }
    v->number = number;
    v->text = copy;
}

/* Edit distance of at most 2 is taken for a slip; rows of the usual table, names are short. */
static unsigned distance(const char *a, const char *b)
{
    enum { MAX = 64 };
    unsigned row[MAX + 1];
    size_t n = strlen(a), m = strlen(b);
    if (n > MAX || m > MAX)
        return MAX;
    for (unsigned j = 0; j <= m; j++)
        row[j] = j;
    for (unsigned i = 1; i <= n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[m];
}

static void unknown(const char *name)
{
    const char *nearest = NULL;
    unsigned best = 4;
    for (int id = 0; id < OPTION_COUNT; id++) {
        unsigned d = distance(name, option_rows[id].name);
        if (d < best) {
            best = d;
            nearest = option_rows[id].name;
        }
    }
    if (nearest)
        log_line("hakmem: nobody knows %s; is %s meant?", name, nearest);
    else
        log_line("hakmem: nobody knows %s; it is ignored", name);
}

static void take(const char *variable)
{
    char name[80];
    size_t n = strcspn(variable, "=");
    if (variable[n] != '=')
        return;
    for (int id = 0; id < OPTION_COUNT; id++)
        if (strncmp(option_rows[id].name, variable, n) == 0 && option_rows[id].name[n] == '\0') {
            set((enum option_id)id, variable + n + 1);
            return;
        }
    n = n < sizeof name ? n : sizeof name - 1;
    memcpy(name, variable, n);
    name[n] = '\0';
    unknown(name);
}

void options_init(char **environment)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        option_values[id].text = option_rows[id].preset;
        parse(&option_rows[id], option_rows[id].preset, &option_values[id].number);
    }
    for (char **e = environment; e && *e; e++)
        if (strncmp(*e, "HAKMEM_", 7) == 0)
            take(*e);
}
