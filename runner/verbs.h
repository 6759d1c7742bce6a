/* The verbs of hakperf-runner; each returns the program's exit code. */
#ifndef RN_VERBS_H
#define RN_VERBS_H

#include "common/options.h"

int rn_work_verb(const struct hp_values *values);
int rn_measure_verb(const struct hp_values *values);
int rn_spool_list_verb(const struct hp_values *values);
int rn_doctor_verb(const struct hp_values *values);

#endif
