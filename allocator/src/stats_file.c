/*
 * stats_file.c: the statistics file (HAKMEM_STATS_FILE), one JSON object, written at exit.
 *
 * Nothing here allocates: the text is put together in static memory, written to a temporary name
 * and renamed. The reader of the file finds all of it or nothing.
 */
#include "ace.h"
#include "counters.h"
#include "log.h"
#include "options.h"
#include "pool.h"
#include "standback.h"
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const stat_names[STAT_COUNT] = {
#define STAT(id, name) name,
#include "stats.def"
#undef STAT
};

static unsigned long long class_sum(unsigned class, enum stat_id id)
{
    return atomic_load_explicit(&class_stats[class][id], memory_order_relaxed);
}

static unsigned long long total(enum stat_total id)
{
    return atomic_load_explicit(&stat_totals[id], memory_order_relaxed);
}

static void add_string(struct text *t, const char *s)
{
    text_add(t, "\"");
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            text_add(t, "\\%c", c);
        else if (c < 0x20)
            text_add(t, "\\u00%x%x", c >> 4u, c & 15u);
        else
            text_add(t, "%c", c);
    }
    text_add(t, "\"");
}

static void add_config(struct text *t)
{
    text_add(t, "\"config\":{");
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_value *v = &option_values[id];
        text_add(t, "%s\"%s\":{\"value\":", id ? "," : "", option_rows[id].name);
        add_string(t, v->text);
        text_add(t, ",\"source\":\"%s\",\"ignored\":%s}",
                 v->from_environment ? "environment" : "default", v->ignored ? "true" : "false");
    }
    text_add(t, "},\n");
}

static unsigned long long tier_sum(unsigned from, unsigned to, enum stat_id id)
{
    unsigned long long sum = 0;
    for (unsigned c = from; c < to; c++)
        sum += class_sum(c, id);
    return sum;
}

static void add_counters(struct text *t)
{
    text_add(t, "\"counters\":{");
    for (unsigned id = 0; id < COUNTER_COUNT; id++)
        text_add(t, "\"%s\":%llu,", counter_names[id], counter_get(id));
    for (unsigned id = 0; id < STAT_COUNT; id++)
        text_add(t, "\"tiny.%s\":%llu,", stat_names[id], tier_sum(0, TINY_CLASSES, id));
    for (unsigned id = 0; id < STAT_COUNT; id++)
        text_add(t, "\"ace.%s\":%llu,", stat_names[id], tier_sum(TINY_CLASSES, CLASSES, id));
    text_add(t, "\"map.lookups\":%llu,", total(TOTAL_MAP_LOOKUPS));
    text_add(t, "\"legacy.allocs\":%llu,\"legacy.frees\":%llu,", total(TOTAL_LEGACY_ALLOCS),
             total(TOTAL_LEGACY_FREES));
    text_add(t, "\"big.allocs\":%llu,\"big.frees\":%llu},\n", total(TOTAL_BIG_ALLOCS),
             total(TOTAL_BIG_FREES));
}

static void add_classes(struct text *t)
{
    text_add(t, "\"classes\":[");
    for (unsigned c = 0; c < CLASSES; c++) {
        text_add(t, "%s{\"tier\":\"%s\",\"class\":%u,\"size\":%u", c ? ",\n" : "\n",
                 c < TINY_CLASSES ? "tiny" : "ace", c, size_classes[c].size);
        for (unsigned id = 0; id < STAT_COUNT; id++)
            text_add(t, ",\"%s\":%llu", stat_names[id], class_sum(c, id));
        text_add(t, ",\"free_blocks\":%llu}", pool_free_blocks(c));
    }
    text_add(t, "\n],\n");
}

static void add_failures(struct text *t)
{
    const char *separator = "\n";
    text_add(t, "\"ace_failures\":[");
    for (enum ace_cause cause = 0; cause < ACE_CAUSES; cause++)
        for (unsigned c = 0; c <= CLASSES; c++) {
            struct ace_failure f = ace_failure(cause, c);
            if (f.count == 0)
                continue;
            text_add(t, "%s{\"cause\":\"%s\",\"class\":", separator, ace_cause_names[cause]);
            if (c == CLASSES)
                text_add(t, "null");
            else
                text_add(t, "%u", c);
            text_add(t, ",\"size\":%zu,\"count\":%llu}", f.first_size, f.count);
            separator = ",\n";
        }
    text_add(t, "\n]");
}

/* The configured name with %p replaced. */
static void file_name(struct text *name, const char *pattern)
{
    for (const char *p = pattern; *p; p++)
        if (p[0] == '%' && p[1] == 'p') {
            text_add(name, "%d", (int)getpid());
            p++;
        } else {
            text_add(name, "%c", *p);
        }
}

static bool write_file(const char *name, int flags, const struct text *t)
{
    int fd = open(name, O_WRONLY | O_CLOEXEC | flags, 0644);
    if (fd < 0)
        return false;
    bool ok = true;
    for (size_t done = 0; ok && done < t->len;) {
        ssize_t n = write(fd, t->buf + done, t->len - done);
        ok = n > 0 || (n < 0 && errno == EINTR);
        done += n > 0 ? (size_t)n : 0;
    }
    return close(fd) == 0 && ok;
}

static void write_stats(void)
{
    static char buf[96 << 10];
    char name_buf[4096], temporary_buf[4096 + 32];
    if (!stats_on)
        return;
    int saved = errno;
    struct text t = {buf, sizeof buf, 0}, name = {name_buf, sizeof name_buf - 1, 0},
                temporary = {temporary_buf, sizeof temporary_buf - 1, 0};
    text_add(&t,
             "{\"format\":\"hakmem-stats-v1\",\"version\":\"%s\",\"pid\":%d,"
             "\"standing_back\":%s,\"standing_back_because\":",
             HAKMEM_VERSION, (int)getpid(), standback_on ? "true" : "false");
    if (standback_why)
        add_string(&t, standback_why);
    else
        text_add(&t, "null");
    text_add(&t, ",\n");
    add_config(&t);
    add_counters(&t);
    add_classes(&t);
    add_failures(&t);
    text_add(&t, "}\n");
    file_name(&name, option_values[OPT_STATS_FILE].text);
    name_buf[name.len] = '\0';
    text_add(&temporary, "%s.%d.tmp", name_buf, (int)getpid());
    temporary_buf[temporary.len] = '\0';
    struct stat there;
    bool ok;
    if (stat(name_buf, &there) == 0 && !S_ISREG(there.st_mode)) {
        /* A pipe or a device is written to, never replaced. */
        ok = write_file(name_buf, 0, &t);
    } else {
        ok = write_file(temporary_buf, O_CREAT | O_TRUNC, &t) &&
             rename(temporary_buf, name_buf) == 0;
        if (!ok)
            unlink(temporary_buf);
    }
    if (!ok)
        log_line("hakmem: cannot write the statistics to %s: error %d", name_buf, errno);
    errno = saved;
}

static __attribute__((destructor)) void write_at_exit(void)
{
    write_stats();
}
