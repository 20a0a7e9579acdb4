/* Remote paths of a data set: fetched into a spool, then read like files. */
#ifndef BEZ_FORMAT_REMOTE_H
#define BEZ_FORMAT_REMOTE_H

#include "bezoar/format.h"
#include "net/spool.h"

/* The message of BEZ_USAGE when --exclude leaves nothing. */
#define BEZ_ALL_EXCLUDED "every file is excluded"
#define BEZ_NO_DATA "the folder holds no data file"

/* A spool when one of the paths is a URL, else NULL. It may serve several openings of the same paths: what has been
 * listed and fetched is not asked for again. */
BEZ_MUST_USE bez_status bez_remote_create(const bez_read_options *options, const char *const *paths, size_t n,
                                          bez_spool **out, bez_error *err);

/* One name that the spool has fetched, or a local path. */
BEZ_MUST_USE bez_status bez_table_open_fetched(const bez_spool *spool, const char *name,
                                               const bez_read_options *options, bez_table **out, bez_error *err);

#endif
