/* Where a checkout writes: one file, or a folder of files; beside the target first, renamed when whole. */
#ifndef BEZ_CONTENT_CHECKOUT_TARGET_H
#define BEZ_CONTENT_CHECKOUT_TARGET_H

#include "content/item.h"

typedef struct bez_target bez_target;
/* Whether so many bytes could be written there: BEZ_USAGE where a file is in the way that is not to be replaced,
 * BEZ_LIMIT where the disk has no room for them. */
BEZ_MUST_USE bez_status bez_target_check(const char *path, bool replace, uint64_t bytes, bez_error *err);
BEZ_MUST_USE bez_status bez_target_open(const char *path, bool folder, bez_target **out, bez_error *err);
/* Items in order; those that are no bytes of a file make the files. BEZ_FORMAT: a name that leads out of the
 * folder, or into a vault (".bezoar"). */
BEZ_MUST_USE bez_status bez_target_put(bez_target *target, const bez_item *item, bez_error *err);
BEZ_MUST_USE bez_status bez_target_commit(bez_target *target, bez_error *err); /* frees target, success or not */
void bez_target_abandon(bez_target *target);                                   /* NULL is fine; leaves nothing behind */

#endif
