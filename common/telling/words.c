#include "common/telling/words.h"

#include "common/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Decimals that show a percentage without pretending more than it holds. */
static int decimals(double percent)
{
    double size = fabs(percent);
    return size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2;
}

/* Nothing becomes less by all of itself: 99.85 % is not rounded to 100 %. */
bool words_percent(struct hp_buffer *out, double fraction)
{
    double percent = 100 * fraction;
    int places = decimals(percent);
    while (percent > -100 && places < 4 &&
           round(percent * pow(10, places)) <= -100 * pow(10, places))
        places++;
    return hp_buffer_printf(out, "%.*f %%", places, fabs(percent));
}

/* Ends of an interval keep one decimal more than the estimate. */
int words_decimals(double a, double b)
{
    double smaller = fmin(fabs(100 * a), fabs(100 * b));
    return smaller >= 0.995 ? 1 : 2;
}

/* 74112 → "74,112"; fractions keep four digits. */
bool words_number(struct hp_buffer *out, double value)
{
    char digits[64];
    if (value != floor(value) || fabs(value) >= 1e15)
        return hp_buffer_printf(out, "%.4g", value);
    snprintf(digits, sizeof digits, "%.0f", fabs(value));
    size_t n = strlen(digits);
    bool ok = value >= 0 || hp_buffer_append(out, "-", 1);
    for (size_t i = 0; ok && i < n; i++)
        ok = hp_buffer_append(out, &digits[i], 1) &&
             ((n - i - 1) % 3 != 0 || i + 1 == n || hp_buffer_append(out, ",", 1));
    return ok;
}

bool words_value(struct hp_buffer *out, const json_t *value)
{
    if (json_is_number(value))
        return words_number(out, json_number_value(value));
    if (json_is_string(value))
        return hp_buffer_printf(out, "%s", json_string_value(value));
    return hp_buffer_printf(out, "nothing");
}

/* "NAME from BASE to HEAD" */
bool words_move(struct hp_buffer *out, const char *name, const json_t *pair)
{
    return hp_buffer_printf(out, "%s from ", name) &&
           words_value(out, json_object_get(pair, "base")) && hp_buffer_printf(out, " to ") &&
           words_value(out, json_object_get(pair, "head"));
}
