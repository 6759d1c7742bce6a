#include "common/json_schema.h"

#include "common/cleanup.h"

#include <pthread.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

/* Where the value in hand lies. The path is written out only where something is wrong. */
struct place {
    const struct place *above; /* NULL: the document itself */
    const char *key;           /* NULL: an item, by its index */
    size_t index;
};

struct check {
    const json_t *root;
    struct hp_error *err;
    json_t *all; /* error bodies of all that is wrong; NULL: the check ends at the first */
    int depth;
    const struct place *place;
};

static bool check_value(struct check *c, const json_t *schema, const json_t *value);

/* As a JSON pointer behind what `path` holds already. */
static void write_path(const struct place *place, char *path, size_t room)
{
    if (!place)
        return;
    write_path(place->above, path, room);
    size_t before = strlen(path);
    if (place->key)
        snprintf(path + before, room - before, "/%s", place->key);
    else
        snprintf(path + before, room - before, "/%zu", place->index);
}

static bool refuse(const struct check *c, const char *what)
{
    char path[256] = "";
    write_path(c->place, path, sizeof path);
    hp_fail(c->err, HP_INVALID, "%s", what);
    hp_error_path(c->err, "%s", path[0] ? path : "/");
    if (c->all)
        json_array_append_new(c->all, hp_error_json(c->err));
    return false;
}

/* Whether to look further after what was found so far. */
static bool goes_on(const struct check *c, bool ok)
{
    return ok || (c->all && c->err->code != HP_INTERNAL);
}

/* Runs a check one level deeper, with "/key" or "/index" on the path. */
static bool check_below(struct check *c, const char *key, size_t index, const json_t *schema,
                        const json_t *value)
{
    const struct place here = {c->place, key, index};
    c->place = &here;
    bool ok = check_value(c, schema, value);
    c->place = here.above;
    return ok;
}

static bool type_is(const json_t *value, const char *type)
{
    if (strcmp(type, "object") == 0)
        return json_is_object(value);
    if (strcmp(type, "array") == 0)
        return json_is_array(value);
    if (strcmp(type, "string") == 0)
        return json_is_string(value);
    if (strcmp(type, "integer") == 0)
        return json_is_integer(value);
    if (strcmp(type, "number") == 0)
        return json_is_number(value);
    if (strcmp(type, "boolean") == 0)
        return json_is_boolean(value);
    return strcmp(type, "null") == 0 && json_is_null(value);
}

static bool check_type(struct check *c, const json_t *rule, const json_t *value)
{
    char names[128] = "";
    if (json_is_string(rule)) {
        if (type_is(value, json_string_value(rule)))
            return true;
        snprintf(names, sizeof names, "%s", json_string_value(rule));
    } else {
        size_t i;
        json_t *name;
        json_array_foreach (rule, i, name) {
            if (type_is(value, json_string_value(name)))
                return true;
            size_t n = strlen(names);
            snprintf(names + n, sizeof names - n, "%s%s", i ? " or " : "", json_string_value(name));
        }
    }
    char what[192];
    snprintf(what, sizeof what, "must be of type %s", names);
    return refuse(c, what);
}

static bool check_enum(struct check *c, const json_t *rule, const json_t *value)
{
    size_t i;
    json_t *allowed;
    json_array_foreach (rule, i, allowed)
        if (json_equal(allowed, value))
            return true;
    HP_FREE char *list = json_dumps(rule, JSON_COMPACT);
    char what[512];
    snprintf(what, sizeof what, "must be one of %s", list ? list : "the allowed values");
    return refuse(c, what);
}

static bool check_const(struct check *c, const json_t *rule, const json_t *value)
{
    if (json_equal(rule, value))
        return true;
    HP_FREE char *text = json_dumps(rule, JSON_ENCODE_ANY);
    char what[256];
    snprintf(what, sizeof what, "must be %s", text ? text : "the fixed value");
    return refuse(c, what);
}

static bool check_any_of(struct check *c, const json_t *rule, const json_t *value)
{
    size_t i;
    json_t *choice;
    struct hp_error first = {0}, deepest = {0};
    json_t *all = c->all;
    c->all = NULL; /* what is wrong with one choice is no mistake where another fits */
    json_array_foreach (rule, i, choice) {
        if (check_value(c, choice, value)) {
            c->all = all;
            return true;
        }
        if (i == 0)
            first = *c->err;
        /* The choice that got furthest into the document says best what is wrong. */
        if (strlen(c->err->path) > strlen(deepest.path))
            deepest = *c->err;
        if (c->err->code == HP_INTERNAL)
            return false;
    }
    *c->err = deepest.path[0] ? deepest : first;
    c->all = all;
    if (all)
        json_array_append_new(all, hp_error_json(c->err));
    return false;
}

static bool check_ref(struct check *c, const json_t *rule, const json_t *value)
{
    static const char prefix[] = "#/$defs/";
    const char *name = json_string_value(rule);
    const json_t *target = NULL;
    if (name && strncmp(name, prefix, sizeof prefix - 1) == 0)
        target = json_object_get(json_object_get(c->root, "$defs"), name + sizeof prefix - 1);
    if (!target)
        return hp_fail(c->err, HP_INTERNAL, "schema refers to %s, which it does not define",
                       name ? name : "nothing");
    return check_value(c, target, value);
}

/* Compiled patterns, kept for good: schemas have a few, documents match them thousands of times.
 * Beyond the room a pattern is compiled each time. */
enum { PATTERNS = 64 };
static struct {
    char *text;
    regex_t expression;
} patterns[PATTERNS];
static size_t pattern_count;
static pthread_mutex_t pattern_lock = PTHREAD_MUTEX_INITIALIZER;

/* NULL: no room, or not usable. */
static const regex_t *find_pattern(const char *text)
{
    pthread_mutex_lock(&pattern_lock);
    size_t i = 0;
    while (i < pattern_count && strcmp(patterns[i].text, text) != 0)
        i++;
    if (i == pattern_count && i < PATTERNS &&
        regcomp(&patterns[i].expression, text, REG_EXTENDED | REG_NOSUB) == 0) {
        patterns[i].text = strdup(text);
        if (patterns[i].text)
            pattern_count++;
        else
            regfree(&patterns[i].expression);
    }
    const regex_t *found = i < pattern_count ? &patterns[i].expression : NULL;
    pthread_mutex_unlock(&pattern_lock);
    return found;
}

/* False with *usable false where the pattern is none. */
static bool matches(const char *pattern, const char *text, bool *usable)
{
    regex_t own;
    const regex_t *known = find_pattern(pattern);
    *usable = known || regcomp(&own, pattern, REG_EXTENDED | REG_NOSUB) == 0;
    if (!*usable)
        return false;
    bool ok = regexec(known ? known : &own, text, 0, NULL, 0) == 0;
    if (!known)
        regfree(&own);
    return ok;
}

static bool check_pattern(struct check *c, const json_t *rule, const json_t *value)
{
    if (!json_is_string(value))
        return true;
    const char *text = json_string_value(value);
    bool usable, ok = matches(json_string_value(rule), text, &usable);
    if (!usable)
        return hp_fail(c->err, HP_INTERNAL, "schema holds an unusable pattern %s",
                       json_string_value(rule));
    if (ok && strlen(text) == json_string_length(value))
        return true;
    char what[256];
    snprintf(what, sizeof what, "must match %s", json_string_value(rule));
    return refuse(c, what);
}

/* Code points, as JSON Schema counts them; jansson has checked that the text is UTF-8. */
static size_t text_length(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t n = 0;
    for (size_t i = 0; i < json_string_length(value); i++)
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

enum bound { AT_LEAST, AT_MOST, ABOVE };

static bool check_bound(struct check *c, enum bound bound, double actual, const json_t *rule,
                        const char *of)
{
    double limit = json_number_value(rule);
    if (bound == AT_LEAST ? actual >= limit : bound == AT_MOST ? actual <= limit : actual > limit)
        return true;
    static const char *const words[] = {"at least", "at most", "more than"};
    char what[128];
    snprintf(what, sizeof what, "%s must be %s %.15g", of, words[bound], limit);
    return refuse(c, what);
}

static bool check_required(struct check *c, const json_t *rule, const json_t *value)
{
    size_t i;
    json_t *name;
    bool ok = true;
    if (!json_is_object(value))
        return true;
    json_array_foreach (rule, i, name)
        if (goes_on(c, ok) && !json_object_get(value, json_string_value(name))) {
            char what[256];
            snprintf(what, sizeof what, "member \"%s\" is missing", json_string_value(name));
            ok = refuse(c, what);
        }
    return ok;
}

static bool check_members(struct check *c, const json_t *schema, const json_t *value)
{
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *others = json_object_get(schema, "additionalProperties");
    const char *key;
    json_t *member;
    bool ok = true;
    json_object_foreach ((json_t *)value, key, member) {
        const json_t *rule = json_object_get(properties, key);
        if (!rule && json_is_false(others)) {
            char what[256];
            snprintf(what, sizeof what, "member \"%s\" is not known", key);
            ok = refuse(c, what);
        }
        if (!rule && json_is_object(others))
            rule = others;
        if (rule)
            ok = check_below(c, key, 0, rule, member) && ok;
        if (!goes_on(c, ok))
            return false;
    }
    return ok;
}

static bool check_items(struct check *c, const json_t *rule, const json_t *value)
{
    size_t i;
    json_t *item;
    bool ok = true;
    if (!json_is_array(value))
        return true;
    json_array_foreach (value, i, item) {
        ok = check_below(c, NULL, i, rule, item) && ok;
        if (!goes_on(c, ok))
            return false;
    }
    return ok;
}

/* Bounds: the keyword, what it counts, and of which values. */
static bool check_limits(struct check *c, const char *keyword, const json_t *rule,
                         const json_t *value, bool *known)
{
    *known = true;
    if (strcmp(keyword, "minimum") == 0)
        return !json_is_number(value) ||
               check_bound(c, AT_LEAST, json_number_value(value), rule, "value");
    if (strcmp(keyword, "maximum") == 0)
        return !json_is_number(value) ||
               check_bound(c, AT_MOST, json_number_value(value), rule, "value");
    if (strcmp(keyword, "exclusiveMinimum") == 0)
        return !json_is_number(value) ||
               check_bound(c, ABOVE, json_number_value(value), rule, "value");
    if (strcmp(keyword, "minLength") == 0)
        return !json_is_string(value) ||
               check_bound(c, AT_LEAST, (double)text_length(value), rule, "length");
    if (strcmp(keyword, "maxLength") == 0)
        return !json_is_string(value) ||
               check_bound(c, AT_MOST, (double)text_length(value), rule, "length");
    if (strcmp(keyword, "minItems") == 0)
        return !json_is_array(value) ||
               check_bound(c, AT_LEAST, (double)json_array_size(value), rule, "number of items");
    if (strcmp(keyword, "maxItems") == 0)
        return !json_is_array(value) ||
               check_bound(c, AT_MOST, (double)json_array_size(value), rule, "number of items");
    if (strcmp(keyword, "maxProperties") == 0)
        return !json_is_object(value) ||
               check_bound(c, AT_MOST, (double)json_object_size(value), rule, "number of members");
    *known = false;
    return false;
}

static bool check_keyword(struct check *c, const char *keyword, const json_t *rule,
                          const json_t *schema, const json_t *value)
{
    static const char *const silent[] = {"$schema", "title", "description", "$defs"};
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
        if (strcmp(keyword, silent[i]) == 0)
            return true;
    if (strcmp(keyword, "type") == 0)
        return check_type(c, rule, value);
    if (strcmp(keyword, "enum") == 0)
        return check_enum(c, rule, value);
    if (strcmp(keyword, "const") == 0)
        return check_const(c, rule, value);
    if (strcmp(keyword, "anyOf") == 0)
        return check_any_of(c, rule, value);
    if (strcmp(keyword, "$ref") == 0)
        return check_ref(c, rule, value);
    if (strcmp(keyword, "pattern") == 0)
        return check_pattern(c, rule, value);
    if (strcmp(keyword, "required") == 0)
        return check_required(c, rule, value);
    if (strcmp(keyword, "items") == 0)
        return check_items(c, rule, value);
    if (strcmp(keyword, "additionalProperties") == 0)
        return !json_is_object(value) || check_members(c, schema, value);
    if (strcmp(keyword, "properties") == 0) /* once, with additionalProperties where both are */
        return json_object_get(schema, "additionalProperties") || !json_is_object(value) ||
               check_members(c, schema, value);
    bool known;
    bool ok = check_limits(c, keyword, rule, value, &known);
    return known ? ok
                 : hp_fail(c->err, HP_INTERNAL, "schema uses \"%s\", which is not supported",
                           keyword);
}

static bool check_value(struct check *c, const json_t *schema, const json_t *value)
{
    const char *keyword;
    json_t *rule;
    if (c->depth >= MAX_DEPTH)
        return refuse(c, "nested too deeply");
    c->depth++;
    bool ok = true, right_type;
    /* The type first: what follows can then speak of the right kind of value. */
    const json_t *type = json_object_get(schema, "type");
    if (type)
        ok = check_type(c, type, value);
    right_type = ok;
    json_object_foreach ((json_t *)schema, keyword, rule)
        if (right_type && goes_on(c, ok) && strcmp(keyword, "type") != 0)
            ok = check_keyword(c, keyword, rule, schema, value) && ok;
    c->depth--;
    return ok;
}

bool hp_schema_check(const json_t *schema, const json_t *document, struct hp_error *err)
{
    struct check c = {.root = schema, .err = err};
    return check_value(&c, schema, document);
}

bool hp_schema_check_all(const json_t *schema, const json_t *document, json_t *mistakes,
                         struct hp_error *err)
{
    struct check c = {.root = schema, .err = err, .all = mistakes};
    return check_value(&c, schema, document) || err->code != HP_INTERNAL;
}
