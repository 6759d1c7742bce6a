#include "counters.h"

atomic_ullong counters[COUNTER_COUNT];

const char *const counter_names[COUNTER_COUNT] = {
#define COUNTER(id, name) name,
#include "counters.def"
#undef COUNTER
};
