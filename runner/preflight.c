#include "runner/preflight.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json.h"
#include "runner/machine.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void warn(json_t *warnings, const char *text)
{
    json_array_append_new(warnings, json_string(text));
}

/* The governor of one CPU. */
static void check_governor(int cpu, json_t *warnings)
{
    HP_FREE char *path =
        hp_format("/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu < 0 ? 0 : cpu);
    HP_FREE char *governor = path ? rn_system_file(path) : NULL;
    if (governor && strcmp(governor, "performance") != 0)
        json_array_append_new(
            warnings,
            json_sprintf("the CPU frequency governor is %.32s, not performance", governor));
}

static void look_for_trouble(int cpu, json_t *warnings)
{
    double load = 0;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    HP_JSON json_t *turbo = rn_turbo_fact();
    HP_FREE char *smt = rn_system_file("/sys/devices/system/cpu/smt/active");
    HP_FREE char *aslr = rn_system_file("/proc/sys/kernel/randomize_va_space");
    check_governor(cpu, warnings);
    if (json_is_true(turbo))
        warn(warnings, "turbo is on, so the clock depends on temperature and neighbours");
    if (smt && smt[0] == '1')
        warn(warnings, "SMT is on: a neighbour on the same core slows what is measured");
    if (aslr && aslr[0] == '0')
        warn(warnings, "address randomisation is off, so page placement is not averaged out");
    if (cpus == 1)
        warn(warnings, "this machine has one CPU: the runner shares it with what it measures");
    if (getloadavg(&load, 1) == 1 && load > 0.5 * (double)cpus)
        json_array_append_new(
            warnings,
            json_sprintf("the machine was busy at the start: load %.1f on %ld CPUs", load, cpus));
}

bool rn_read_stat(const char *text, int cpu, double *total, double *steal)
{
    char name[32];
    double v[8] = {0};
    int n = snprintf(name, sizeof name, "cpu%d ", cpu);
    const char *line = strncmp(text, name, (size_t)n) == 0 ? text : NULL;
    for (const char *p = text; !line && (p = strchr(p, '\n')); p++)
        if (strncmp(p + 1, name, (size_t)n) == 0)
            line = p + 1;
    /* user nice system idle iowait irq softirq steal */
    if (!line || sscanf(line + n, "%lf %lf %lf %lf %lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3],
                        &v[4], &v[5], &v[6], &v[7]) != 8)
        return false;
    *total = 0;
    for (int i = 0; i < 8; i++)
        *total += v[i];
    *steal = v[7];
    return true;
}

void rn_watch_begin(struct rn_watch *watch, int cpu)
{
    HP_FREE char *text = rn_system_file("/proc/stat");
    *watch = (struct rn_watch){.cpu = cpu};
    watch->known = text && rn_read_stat(text, cpu, &watch->total, &watch->steal);
}

double rn_watch_end(const struct rn_watch *watch, json_t *warnings)
{
    HP_FREE char *text = rn_system_file("/proc/stat");
    double total, steal;
    if (!watch->known || !text || !rn_read_stat(text, watch->cpu, &total, &steal))
        return (double)NAN;
    double share = total > watch->total ? (steal - watch->steal) / (total - watch->total) : 0;
    if (share > 0.01)
        json_array_append_new(
            warnings, json_sprintf("other virtual machines took %.1f %% of CPU %d while measuring",
                                   100 * share, watch->cpu));
    return share;
}

double rn_temperature(void)
{
    double hottest = NAN;
    glob_t found = {0};
    glob("/sys/class/thermal/thermal_zone*/temp", 0, NULL, &found);
    glob("/sys/class/hwmon/hwmon*/temp*_input", GLOB_APPEND, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        HP_FREE char *text = rn_system_file(found.gl_pathv[i]);
        double degrees = text ? strtod(text, NULL) / 1000 : 0;
        if (degrees > 0 && degrees < 200)
            hottest = fmax(hottest, degrees);
    }
    globfree(&found);
    return hottest;
}

static double load_now(void)
{
    double load;
    return getloadavg(&load, 1) == 1 ? load : (double)NAN;
}

/* Of all ticks since the machine started. */
static double steal_so_far(int cpu)
{
    HP_FREE char *text = rn_system_file("/proc/stat");
    double total, steal;
    return text && rn_read_stat(text, cpu, &total, &steal) && total > 0 ? steal / total
                                                                        : (double)NAN;
}

json_t *rn_preflight(int cpu, json_t *warnings)
{
    HP_FREE char *governor =
        hp_format("/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu < 0 ? 0 : cpu);
    look_for_trouble(cpu, warnings);
    return json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cpu",
                     cpu < 0 ? json_null() : json_integer(cpu), "cpus",
                     (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "load", hp_json_real(load_now()),
                     "steal_since_boot", hp_json_real(steal_so_far(cpu < 0 ? 0 : cpu)), "governor",
                     rn_file_fact(governor ? governor : ""), "turbo", rn_turbo_fact(), "smt",
                     rn_file_fact("/sys/devices/system/cpu/smt/active"), "isolated",
                     rn_file_fact("/sys/devices/system/cpu/isolated"), "aslr",
                     rn_file_fact("/proc/sys/kernel/randomize_va_space"), "huge_pages",
                     rn_chosen_word("/sys/kernel/mm/transparent_hugepage/enabled"), "temperature_c",
                     hp_json_real(rn_temperature()));
}
