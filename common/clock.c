#include "common/clock.h"

#include <stdio.h>
#include <time.h>

int64_t hp_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

double hp_monotonic_s(void)
{
    return (double)hp_monotonic_ns() * 1e-9;
}

void hp_time_now_text(char out[HP_TIME_TEXT])
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(out, HP_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + n, HP_TIME_TEXT - n, ".%03dZ", (int)(now.tv_nsec / 1000000));
}

void hp_sleep_ms(int milliseconds)
{
    struct timespec span = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
    nanosleep(&span, NULL);
}
