#include "common/judging/shipped.h"

#include "common/json.h"

#include <math.h>

struct hp_shipped hp_judge_shipped(const json_t *workload, const struct an_estimate *decided,
                                   double critical)
{
    struct hp_shipped out = {0};
    double ratio[HP_SHIPPED_MOST];
    const json_t *shipped = json_object_get(workload, "shipped");
    const json_t *first = json_object_get(shipped, "first");
    const json_t *second = json_object_get(shipped, "second");
    double margin = hp_json_number(json_object_get(workload, "plan"), "margin", AN_MARGIN);
    size_t n = 0, i;
    json_t *value;
    json_array_foreach (first, i, value) {
        double head = json_number_value(value), base = json_number_value(json_array_get(second, i));
        if (n < HP_SHIPPED_MOST && head > 0 && base > 0)
            ratio[n++] = log(head / base);
    }
    /* One layout a side: it is itself that is asked about, so nothing is added for it. */
    if (n == 0 || !an_estimate_pairs(ratio, NULL, n, critical, 0, &out.estimate) ||
        !isfinite(out.estimate.low) || !isfinite(out.estimate.high))
        return (struct hp_shipped){0};
    out.known = true;
    out.suspect = an_layout_suspect(&out.estimate, decided, log1p(margin));
    return out;
}
