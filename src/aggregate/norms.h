/* Lengths of rows, and mixes that shorten them. */
#ifndef BEZ_AGGREGATE_NORMS_H
#define BEZ_AGGREGATE_NORMS_H

#include "aggregate/rows.h"

/* norm[i] = |row i|, for all bez_rows_count() rows less the extra ones. */
BEZ_MUST_USE bez_status bez_rows_norms(bez_update_rows *rows, double *norm, bez_error *err);

/* A diagonal mix that scales rows longer than tau down to it. */
void bez_mix_clip(bez_mix *mix, const double *norm, double tau);

#endif
