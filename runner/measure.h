/*
 * One workload from the first sample to its part of the result document: pairs, checks of their
 * validity, the passes beside them.
 */
#ifndef RN_MEASURE_H
#define RN_MEASURE_H

#include "runner/execute.h"

/*
 * The workload's object of the result document, owned by the caller; a workload that failed is a
 * result too. NULL with err if the run was cancelled or this machine failed. Sentences about poor
 * data are appended to `warnings`. `has_base` false: paired with the control.
 */
json_t *rn_measure_workload(const struct rn_workload *workload, bool has_base, json_t *warnings,
                            struct hp_error *err);

#endif
