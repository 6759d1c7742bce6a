#include "analysis/modes.h"

#include <math.h>

/*
 * From simulations on series for tuning: quiet series whose modes stay for 2 to 12 points are
 * flagged in 15 instead of 30 of a hundred, and real steps there and back are found as before.
 */
static const size_t least_visits = 3, least_stay = 3, longer = 5;
static const double most_between = 0.08;

enum place { AT_BEFORE, AT_AFTER, NOWHERE };

/* A stay is a run of points at one level, points at neither left out. */
struct stays {
    size_t number[2]; /* of those long enough to be visits, without the step's own */
    size_t points;    /* in them */
    size_t longest;   /* of the step's own two */
};

static enum place place_of(double x, double before, double after)
{
    double near = fabs(after - before) / 3;
    return fabs(x - before) <= near ? AT_BEFORE : fabs(x - after) <= near ? AT_AFTER : NOWHERE;
}

static void end_stay(struct stays *s, enum place place, size_t length, bool own)
{
    if (own) {
        s->longest = length > s->longest ? length : s->longest;
    } else if (length >= least_stay) {
        s->number[place]++;
        s->points += length;
    }
}

bool an_are_modes(const double *value, size_t n, size_t at, double before, double after)
{
    size_t from = at > AN_MODES_REACH ? at - AN_MODES_REACH : 0;
    size_t to = n - at > AN_MODES_REACH ? at + AN_MODES_REACH : n;
    double middle = before + (after - before) / 2, half = fabs(after - before) / 6;
    size_t seen = 0, between = 0, length = 0, last_left = from;
    struct stays stays = {0};
    /* The step's own two: the one that holds the last point before it that is at a level, and the
     * one that holds the first from it on. */
    for (size_t i = from; i < at; i++)
        last_left = place_of(value[i], before, after) != NOWHERE ? i : last_left;
    enum place now = NOWHERE;
    bool own = false, right_told = false;
    for (size_t i = from; i < to; i++) {
        enum place place = place_of(value[i], before, after);
        if (place == NOWHERE) {
            between += fabs(value[i] - middle) <= half;
            continue;
        }
        if (place != now && length > 0)
            end_stay(&stays, now, length, own);
        if (place != now) {
            length = 0;
            own = false;
        }
        now = place;
        length++;
        seen++;
        own = own || i == last_left || (i >= at && !right_told);
        right_told = right_told || i >= at;
    }
    if (length > 0)
        end_stay(&stays, now, length, own);
    size_t visits = stays.number[AT_BEFORE] + stays.number[AT_AFTER];
    return stays.number[AT_BEFORE] >= least_visits && stays.number[AT_AFTER] >= least_visits &&
           (double)between <= most_between * (double)seen &&
           stays.longest * visits < longer * stays.points;
}
