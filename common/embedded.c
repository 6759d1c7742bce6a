#include "common/embedded.h"

#include <string.h>

const struct hp_embedded *hp_embedded_find(const struct hp_embedded *table, const char *name)
{
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}
