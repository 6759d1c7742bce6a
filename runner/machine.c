#include "runner/machine.h"

#include "common/cleanup.h"
#include "common/hash.h"
#include "common/io.h"
#include "common/json.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define SYSTEM_FILE_LIMIT (4u << 20)
#define MEMORY_STEP_MIB 512
#define FACT_LIMIT 200

char *rn_system_file(const char *path)
{
    struct hp_buffer text = {0};
    struct hp_error ignored;
    if (!hp_file_read(path, SYSTEM_FILE_LIMIT, &text, &ignored) || text.size == 0) {
        hp_buffer_clear(&text);
        return NULL;
    }
    if (text.data[text.size - 1] == '\n')
        text.data[--text.size] = '\0';
    return text.data;
}

static json_t *text_fact(const char *text)
{
    size_t n = text ? strcspn(text, "\n") : 0;
    return n ? hp_json_bytes(text, n < FACT_LIMIT ? n : FACT_LIMIT) : json_null();
}

json_t *rn_file_fact(const char *path)
{
    HP_FREE char *text = rn_system_file(path);
    return text_fact(text);
}

/* "key<tabs>: value" of /proc/cpuinfo, its first appearance. */
static const char *cpuinfo_value(const char *cpuinfo, const char *key)
{
    size_t n = strlen(key);
    for (const char *p = cpuinfo; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
        const char *colon = strncmp(p, key, n) == 0 ? strchr(p, ':') : NULL;
        if (colon && (p[n] == '\t' || p[n] == ' ' || p[n] == ':'))
            return colon[1] == ' ' ? colon + 2 : colon + 1;
    }
    return NULL;
}

json_t *rn_chosen_word(const char *path)
{
    HP_FREE char *text = rn_system_file(path);
    char *open = text ? strchr(text, '[') : NULL;
    char *close = open ? strchr(open, ']') : NULL;
    return close ? hp_json_bytes(open + 1, (size_t)(close - open - 1)) : json_null();
}

/* Rounded, because the kernel's figure differs by some MiB from one start to the next. */
static json_int_t memory_mib(void)
{
    int64_t mib = (int64_t)sysconf(_SC_PHYS_PAGES) * (sysconf(_SC_PAGESIZE) / 1024) / 1024;
    return (mib + MEMORY_STEP_MIB - 1) / MEMORY_STEP_MIB * MEMORY_STEP_MIB;
}

json_t *rn_turbo_fact(void)
{
    HP_FREE char *off = rn_system_file("/sys/devices/system/cpu/intel_pstate/no_turbo");
    HP_FREE char *boost = rn_system_file("/sys/devices/system/cpu/cpufreq/boost");
    if (off)
        return json_boolean(off[0] == '0');
    return boost ? json_boolean(boost[0] == '1') : json_null();
}

static json_t *hypervisor_fact(const char *cpuinfo)
{
    const char *flags = cpuinfo_value(cpuinfo, "flags");
    const char *end = flags ? strchr(flags, '\n') : NULL;
    if (!flags)
        return json_null();
    const char *found = strstr(flags, " hypervisor");
    return json_boolean(found && (!end || found < end));
}

static json_t *facts(void)
{
    HP_FREE char *cpuinfo = rn_system_file("/proc/cpuinfo");
    struct utsname name;
    json_t *all = json_object();
    if (!all || uname(&name) != 0)
        return all;
    json_object_set_new(all, "cpu_model", text_fact(cpuinfo_value(cpuinfo, "model name")));
    json_object_set_new(all, "cpus", json_integer(sysconf(_SC_NPROCESSORS_CONF)));
    json_object_set_new(all, "microcode", text_fact(cpuinfo_value(cpuinfo, "microcode")));
    json_object_set_new(all, "hypervisor", hypervisor_fact(cpuinfo));
    json_object_set_new(all, "memory_mib", json_integer(memory_mib()));
    json_object_set_new(all, "kernel", text_fact(name.release));
    json_object_set_new(all, "architecture", text_fact(name.machine));
    json_object_set_new(all, "libc", text_fact(gnu_get_libc_version()));
    json_object_set_new(all, "governor",
                        rn_file_fact("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
    json_object_set_new(all, "turbo", rn_turbo_fact());
    json_object_set_new(all, "smt", rn_file_fact("/sys/devices/system/cpu/smt/active"));
    json_object_set_new(all, "aslr", rn_file_fact("/proc/sys/kernel/randomize_va_space"));
    json_object_set_new(all, "huge_pages",
                        rn_chosen_word("/sys/kernel/mm/transparent_hugepage/enabled"));
    return all;
}

json_t *rn_machine(void)
{
    char hash[HP_HASH_TEXT];
    struct hp_error ignored;
    json_t *all = facts();
    if (!all || !hp_hash_json(all, hash, &ignored)) {
        json_decref(all);
        return NULL;
    }
    return json_pack("{s:s, s:o}", "fingerprint", hash, "facts", all);
}

int rn_choose_cpu(int wanted, struct hp_error *err)
{
    cpu_set_t allowed;
    int chosen = -1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        hp_fail_errno(err, "cannot tell which CPUs may be used");
        return -1;
    }
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET((size_t)i, &allowed) && (wanted < 0 || wanted == i))
            chosen = i;
    if (chosen < 0)
        hp_fail(err, HP_USAGE, "CPU %d is not one that this process may use", wanted);
    return chosen;
}

void rn_step_aside(int cpu, cpu_set_t *before)
{
    CPU_ZERO(before);
    if (sched_getaffinity(0, sizeof *before, before) != 0)
        return;
    cpu_set_t others = *before;
    CPU_CLR((size_t)cpu, &others);
    if (CPU_COUNT(&others) > 0)
        sched_setaffinity(0, sizeof others, &others);
}

void rn_step_back(const cpu_set_t *before)
{
    if (CPU_COUNT(before) > 0)
        sched_setaffinity(0, sizeof *before, before);
}
