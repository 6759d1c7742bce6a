/*
 * What perf needs to see the kernel: CAP_PERFMON, and CAP_SYSLOG for the names of its functions. A
 * runner that has them, because it was started as root or by a unit that grants them, keeps both
 * out of use and lends them to perf alone; what perf runs must shed them (rn_shed_words). Those
 * capabilities belong to a thread: all of this is for the main thread, before there are others.
 */
#ifndef RN_PRIVILEGE_H
#define RN_PRIVILEGE_H

#include <stdbool.h>

/* Before root is given up. */
void rn_privilege_keep(void);

/* After: nothing but the two is left, none of them in force, and no program inherits them. */
void rn_privilege_settle(void);

/* From here on programs that this thread starts have them. False where there is nothing to lend;
 * then nothing changed. Ended by rn_privilege_take_back. */
bool rn_privilege_lend(void);
void rn_privilege_take_back(void);

/* The words before a command that must run without them; ends with NULL. */
extern const char *const rn_shed_words[];

#endif
