/* Whether a file or folder is, byte by byte, what a rows tree says. */
#ifndef BEZ_CONTENT_COMPARE_H
#define BEZ_CONTENT_COMPARE_H

#include "content/tree.h"

/* path: of a data set of one file, or the folder. Files that the tree does not have make a difference, too. Leaves are
 * verified as they are read. */
BEZ_MUST_USE bez_status bez_tree_same(const bez_objects *objects, const bez_tree *rows, const char *path, bool *same,
                                      bez_error *err);

#endif
