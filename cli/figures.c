#include "cli/figures.h"

#include "common/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void dash(char out[CLI_FIGURE])
{
    snprintf(out, CLI_FIGURE, "-");
}

/* Percent without sign of zero: -0.001 % rounds to "+0.00", never to "-0.00". */
static void percent(double fraction, char *out, size_t room)
{
    double value = fraction * 100;
    int decimals = fabs(value) < 10 ? 2 : 1;
    if (fabs(value) < 0.005)
        value = 0;
    snprintf(out, room, "%+.*f", decimals, value);
}

void cli_change_text(const json_t *fraction, char out[CLI_FIGURE])
{
    char number[32];
    if (!json_is_number(fraction)) {
        dash(out);
        return;
    }
    percent(json_number_value(fraction), number, sizeof number);
    snprintf(out, CLI_FIGURE, "%s %%", number);
}

void cli_interval_text(const json_t *low, const json_t *high, char out[CLI_FIGURE])
{
    char from[20], to[20];
    if (!json_is_number(low) || !json_is_number(high)) {
        dash(out);
        return;
    }
    percent(json_number_value(low), from, sizeof from);
    percent(json_number_value(high), to, sizeof to);
    snprintf(out, CLI_FIGURE, "%s to %s %%", from, to);
}

void cli_share_text(const json_t *fraction, char out[CLI_FIGURE])
{
    if (!json_is_number(fraction))
        dash(out);
    else
        snprintf(out, CLI_FIGURE, "%.1f %%", json_number_value(fraction) * 100);
}

static bool is_rate(const char *unit)
{
    return unit && (strstr(unit, "/s") || strstr(unit, "/cpu-s"));
}

void cli_value_text(const json_t *value, const char *unit, char out[CLI_FIGURE])
{
    static const struct {
        double at;
        const char *letter;
    } scales[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
    if (!json_is_number(value)) {
        dash(out);
        return;
    }
    double v = json_number_value(value);
    bool rate = is_rate(unit);
    for (size_t i = 0; rate && i < sizeof scales / sizeof scales[0]; i++) {
        if (fabs(v) >= scales[i].at) {
            snprintf(out, CLI_FIGURE, "%.2f %s", v / scales[i].at, scales[i].letter);
            return;
        }
    }
    if (v == floor(v) && fabs(v) < 1e15)
        snprintf(out, CLI_FIGURE, "%.0f", v);
    else
        snprintf(out, CLI_FIGURE, "%.4g", v);
}

static bool is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

void cli_verdict_text(const char *verdict, const char *size, char out[CLI_FIGURE])
{
    if (!verdict)
        dash(out);
    else
        snprintf(out, CLI_FIGURE, "%.20s%s%.20s", verdict, size ? ", " : "", size ? size : "");
}

enum hp_colour cli_verdict_colour(const char *verdict, const char *size)
{
    if (is(verdict, "failed") || (is(verdict, "regressed") && !is(size, "small")))
        return HP_RED;
    if (is(verdict, "improved"))
        return HP_GREEN;
    if (is(verdict, "regressed") || is(verdict, "inconclusive"))
        return HP_YELLOW;
    return HP_PLAIN;
}

int cli_verdict_exit(const char *verdict, const char *size, bool strict)
{
    if (is(verdict, "regressed"))
        return is(size, "small") && !strict ? HP_EXIT_OK : HP_EXIT_REGRESSED;
    if (is(verdict, "improved") || is(verdict, "equivalent") || is(verdict, "identical"))
        return HP_EXIT_OK;
    return HP_EXIT_NO_ANSWER;
}

char *cli_clean(const char *text)
{
    char *copy = strdup(text ? text : "");
    for (unsigned char *p = (unsigned char *)copy; p && *p; p++) {
        /* U+0080 to U+009F are control characters too: 0xC2 followed by 0x80 to 0x9F. */
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
        else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
            p[0] = p[1] = '?';
    }
    return copy;
}

void cli_time_text(const char *time, char out[CLI_FIGURE])
{
    if (!time)
        dash(out);
    else if (strlen(time) >= 16 && time[10] == 'T')
        snprintf(out, CLI_FIGURE, "%.10s %.5s", time, time + 11);
    else
        snprintf(out, CLI_FIGURE, "%.40s", time);
}

void cli_left_text(const char *time, time_t now, char out[CLI_FIGURE])
{
    struct tm tm = {0};
    if (!time || !strptime(time, "%Y-%m-%dT%H:%M:%S", &tm)) {
        dash(out);
        return;
    }
    double left = difftime(timegm(&tm), now);
    if (left <= 0)
        snprintf(out, CLI_FIGURE, "now");
    else if (left < 100)
        snprintf(out, CLI_FIGURE, "%.0f s", left);
    else if (left < 100 * 60)
        snprintf(out, CLI_FIGURE, "%.0f min", left / 60);
    else if (left < 48 * 3600)
        snprintf(out, CLI_FIGURE, "%.1f h", left / 3600);
    else
        snprintf(out, CLI_FIGURE, "%.0f d", left / 86400);
}
