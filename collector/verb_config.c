/* hakperf-collector config show: what serve would use, in the form of its configuration file. */
#include "collector/verbs.h"
#include "common/cleanup.h"

#include <stdio.h>
#include <string.h>

/* A password in a connection string is not for the screen. */
static const char *shown(const char *name, const char *value)
{
    if (value && strstr(name, "database") &&
        (strstr(value, "password") || (strstr(value, "://") && strchr(value, '@') &&
                                       strchr(strstr(value, "://") + 3, ':') < strchr(value, '@') &&
                                       strchr(strstr(value, "://") + 3, ':'))))
        return "(set; it holds a password)";
    return value;
}

int verb_config_show(const struct hp_values *values)
{
    HP_JSON json_t *all = json_object();
    for (const struct hp_option *o = serve_options; o->name; o++) {
        const char *value = shown(o->name, hp_opt(values, o->name));
        const char *source = hp_opt_source(values, o->name);
        if (hp_opt_flag(values, "json"))
            json_object_set_new(all, o->name,
                                json_pack("{s:s?, s:s}", "value", value, "source", source));
        else if (value)
            printf("%-16s = %-24s # %s\n", o->name, value, source);
        else
            printf("# %-14s =%-25s # %s\n", o->name, "", source);
    }
    if (hp_opt_flag(values, "json")) {
        json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
    }
    return HP_EXIT_OK;
}
