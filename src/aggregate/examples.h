/* How many examples the clients of an aggregation have, from a file. */
#ifndef BEZ_AGGREGATE_EXAMPLES_H
#define BEZ_AGGREGATE_EXAMPLES_H

#include "bezoar/aggregate.h"

/* Sets n_examples of every update (0 when called) by a JSON object {update: count}, where an update is called by its
 * path or its file name. BEZ_USAGE for a rule that uses no counts, names that are no update's or several updates',
 * counts that are not positive, and updates without a count. */
BEZ_MUST_USE bez_status bez_examples_read(const char *path, const char *rule, bez_update *updates, size_t n,
                                          bez_error *err);

#endif
