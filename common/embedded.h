/*
 * Files that a program carries inside itself: wire schemas, SQL, migrations, the page. The tables
 * are made at build time by common/embed.sh and end with a row whose name is NULL.
 */
#ifndef HP_COMMON_EMBEDDED_H
#define HP_COMMON_EMBEDDED_H

#include <stddef.h>

struct hp_embedded {
    const char *name; /* relative to the folder it came from */
    const char *data; /* followed by a NUL byte, so that text is a C string */
    size_t size;      /* without that byte */
};

/* The row of that name, NULL if there is none. */
const struct hp_embedded *hp_embedded_find(const struct hp_embedded *table, const char *name);

#endif
