/* hakperf changepoints: where the level of any series stepped and stayed. */
#include "analysis/changepoints.h"
#include "cli/figures.h"
#include "cli/series_file.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <math.h>
#include <string.h>

/* Takes the missing points out of value[n]; place[k] becomes the index of the k-th that is left.
 * Returns how many are left. */
static size_t leave_out_missing(double *value, size_t n, size_t *place)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(value[i]))
            continue;
        place[left] = i;
        value[left++] = value[i];
    }
    return left;
}

static json_t *as_json(size_t n, size_t missing, const struct an_changepoint *points, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("{s:I, s:o, s:o, s:o}", "index", (json_int_t)points[i].index, "before",
                            hp_json_real(points[i].before), "after", hp_json_real(points[i].after),
                            "change", hp_json_real(points[i].change)));
    return json_pack("{s:I, s:I, s:o}", "n", (json_int_t)n, "missing", (json_int_t)missing,
                     "changepoints", list);
}

static void print(const json_t *answer)
{
    size_t i;
    const json_t *point, *list = json_object_get(answer, "changepoints");
    CLI_TABLE struct cli_table *table = cli_table_new(">index|>before|>after|>change");
    json_array_foreach (list, i, point) {
        char text[CLI_FIGURE];
        cli_table_number(table, hp_json_int(point, "index", 0));
        cli_value_text(json_object_get(point, "before"), NULL, text);
        cli_table_cell(table, HP_PLAIN, text);
        cli_value_text(json_object_get(point, "after"), NULL, text);
        cli_table_cell(table, HP_PLAIN, text);
        cli_change_text(json_object_get(point, "change"), text);
        cli_table_cell(table, HP_BOLD, text);
    }
    size_t count = json_array_size(list);
    long long n = hp_json_int(answer, "n", 0), missing = hp_json_int(answer, "missing", 0);
    printf("%lld point%s", n, n == 1 ? "" : "s");
    if (missing > 0)
        printf(" (%lld missing)", missing);
    printf(", %zu change point%s\n", count, count == 1 ? "" : "s");
    cli_table_print(table, stdout, 2);
}

int cli_changepoints(const struct hp_values *values)
{
    struct hp_error err = {0};
    HP_FREE double *value = NULL;
    size_t n = 0, count = 0;
    const struct an_cp_params params = an_cp_standard(true);
    if (!cli_series_read(hp_arg(values, 0), &value, &n, &err))
        return cli_fail(values, &err);
    HP_FREE size_t *place = calloc(n + 1, sizeof *place);
    /* Two change points never share a point. */
    HP_FREE struct an_changepoint *points = calloc(n + 1, sizeof *points);
    size_t left = place ? leave_out_missing(value, n, place) : 0;
    if (!points || !place || !an_changepoints(value, NULL, left, &params, points, left, &count)) {
        hp_fail(&err, HP_SYSTEM, "out of memory");
        return cli_fail(values, &err);
    }
    for (size_t i = 0; i < count; i++)
        points[i].index = place[points[i].index];
    HP_JSON json_t *answer = as_json(n, n - left, points, count);
    if (hp_opt_flag(values, "json"))
        cli_print_json(answer);
    else
        print(answer);
    return HP_EXIT_OK;
}
