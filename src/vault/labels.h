/* What a picture shows: its label, by its name. */
#ifndef BEZ_VAULT_LABELS_H
#define BEZ_VAULT_LABELS_H

#include "base/buf.h"

typedef struct bez_labels bez_labels;

/* path: a CSV or JSONL file with a column of names (file, path, filename, image …; relative to the data set) and one of
 * labels (label, class, target …). NULL: a picture's label is the last folder in its name that does more than divide
 * ("train/cat/1.png" is "cat"). BEZ_FORMAT: a column is missing, or a name stands twice with different labels. */
BEZ_MUST_USE bez_status bez_labels_open(const char *path, bez_labels **out, bez_error *err);
void bez_labels_free(bez_labels *labels); /* NULL is fine */
/* The head of a FILE_ROW item (vault/item.h) for the file of that name, behind what is in `out`. Any thread. */
BEZ_MUST_USE bez_status bez_labels_head(const bez_labels *labels, const char *name, bez_buf *out, bez_error *err);
/* How many names of the labels file no head was made for is not known here: names it holds, 0 without a file. */
size_t bez_labels_count(const bez_labels *labels);

#endif
