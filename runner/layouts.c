#include "runner/layouts.h"

#include "common/cleanup.h"
#include "common/json.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIT 64

unsigned rn_layout_offset(const char *function, unsigned layout)
{
    uint64_t x = 0xcbf29ce484222325u;
    for (const char *p = function; *p; p++)
        x = (x ^ (unsigned char)*p) * 0x100000001b3u;
    x += ((uint64_t)layout + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)(x ^ (x >> 31)) & (UNIT - 2);
}

static int by_address(const void *a, const void *b)
{
    const struct rn_function *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* One line of nm, "address size type name"; what is no function of a known size is passed over. */
static bool add_line(struct rn_functions *out, const char *line, size_t length)
{
    uint64_t address, size;
    char type;
    int at = 0;
    HP_FREE char *copy = hp_format("%.*s", (int)length, line);
    if (!copy)
        return false;
    if (sscanf(copy, "%" SCNx64 " %" SCNx64 " %c %n", &address, &size, &type, &at) != 3 || !at ||
        !strchr("tTWi", type) || size == 0 || copy[at] == '\0')
        return true;
    copy[at + (int)strcspn(copy + at, "@ ")] = '\0'; /* a version follows the name */
    if ((out->count & (out->count - 1)) == 0) {
        size_t room = out->count ? 2 * out->count : 1;
        struct rn_function *more = realloc(out->item, room * sizeof *more);
        if (!more)
            return false;
        out->item = more;
    }
    struct rn_function *function = &out->item[out->count];
    *function = (struct rn_function){address, size, hp_format("%s", copy + at)};
    out->count += function->name != NULL;
    return function->name != NULL;
}

bool rn_functions_parse(const char *nm, struct rn_functions *out)
{
    *out = (struct rn_functions){0};
    for (const char *p = nm; *p;) {
        size_t n = strcspn(p, "\n");
        if (!add_line(out, p, n))
            return false;
        p += n + (p[n] == '\n');
    }
    if (out->count > 1)
        qsort(out->item, out->count, sizeof *out->item, by_address);
    return true;
}

void rn_functions_clear(struct rn_functions *functions)
{
    for (size_t i = 0; i < functions->count; i++)
        free(functions->item[i].name);
    free(functions->item);
    *functions = (struct rn_functions){0};
}

/* The number of names that the item shares its address with, itself included. */
static size_t aliases(const struct rn_functions *functions, size_t first)
{
    size_t n = 1;
    while (first + n < functions->count &&
           functions->item[first + n].address == functions->item[first].address)
        n++;
    return n;
}

/* Names that mean something else in a script stay where the linker puts them. */
static bool is_plain(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_' && *p != '.' && *p != '$')
            return false;
    return true;
}

static bool has_cold_part(const struct rn_functions *functions, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < functions->count; i++) {
        const char *other = functions->item[i].name;
        if (strncmp(other, name, n) == 0 && strcmp(other + n, ".cold") == 0)
            return true;
    }
    return false;
}

/* The names that compilers give to the section of one function. Its cold part, NAME.cold, is a
 * piece of its own, in a section that carries the name of the whole. */
static bool add_sections(const struct rn_functions *functions, const char *name,
                         struct hp_buffer *out)
{
    size_t n = strlen(name);
    if (!is_plain(name))
        return true;
    if (n > 5 && strcmp(name + n - 5, ".cold") == 0)
        return hp_buffer_printf(out, " .text.unlikely.%.*s .text.split.%.*s", (int)n - 5, name,
                                (int)n - 5, name);
    return hp_buffer_printf(out, " .text.%s .text.hot.%s .text.startup.%s .text.exit.%s", name,
                            name, name, name) &&
           (has_cold_part(functions, name) || hp_buffer_printf(out, " .text.unlikely.%s", name));
}

bool rn_layout_script(const struct rn_functions *functions, unsigned layout, struct hp_buffer *out)
{
    bool ok =
        hp_buffer_printf(out, "SECTIONS\n{\n  .text.hakperf : ALIGN(%d) SUBALIGN(1)\n  {\n", UNIT);
    for (size_t i = 0, n; ok && i < functions->count; i += n) {
        n = aliases(functions, i);
        ok = hp_buffer_printf(out, "    . = ALIGN(%d); . += %u; *(", UNIT,
                              rn_layout_offset(functions->item[i].name, layout));
        for (size_t k = 0; ok && k < n; k++)
            ok = add_sections(functions, functions->item[i + k].name, out);
        ok = ok && hp_buffer_printf(out, " .text.hakperf.none)\n");
    }
    return ok && hp_buffer_printf(out, "  }\n}\nINSERT BEFORE .text;\n");
}

double rn_layout_share(const struct rn_functions *functions, unsigned layout)
{
    double all = 0, placed = 0;
    for (size_t i = 0, n; i < functions->count; i += n) {
        const struct rn_function *f = &functions->item[i];
        n = aliases(functions, i);
        all += (double)f->size;
        if (f->address % UNIT == rn_layout_offset(f->name, layout))
            placed += (double)f->size;
    }
    return all > 0 ? placed / all : 0;
}

const char *rn_layout_artifact(const json_t *recipe)
{
    const json_t *layouts = json_object_get(recipe, "layouts");
    const json_t *artifacts = json_object_get(recipe, "artifacts");
    const char *first = json_string_value(json_array_get(artifacts, 0));
    return json_is_object(layouts) ? hp_json_string(layouts, "artifact", first) : NULL;
}
