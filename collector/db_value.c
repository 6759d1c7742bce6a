/* Numbers as parameters, and the fields of a result. */
#include "collector/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *db_int(char buffer[DB_TEXT], int64_t value)
{
    snprintf(buffer, DB_TEXT, "%lld", (long long)value);
    return buffer;
}

const char *db_real(char buffer[DB_TEXT], double value)
{
    if (!isfinite(value))
        return NULL;
    snprintf(buffer, DB_TEXT, "%.17g", value);
    return buffer;
}

const char *db_text(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

int64_t db_get_int(const PGresult *result, int row, int column)
{
    const char *text = db_text(result, row, column);
    return text ? strtoll(text, NULL, 10) : 0;
}

double db_get_real(const PGresult *result, int row, int column)
{
    const char *text = db_text(result, row, column);
    return text ? strtod(text, NULL) : NAN;
}

bool db_get_bool(const PGresult *result, int row, int column)
{
    const char *text = db_text(result, row, column);
    return text && text[0] == 't';
}
