/* What a picture shows: its label, by its name. */
#ifndef BEZ_CONTENT_LABELS_H
#define BEZ_CONTENT_LABELS_H

#include "base/buf.h"

typedef struct bez_file_labels bez_file_labels;

/* path: a CSV or JSONL file with a column of names (file, path, filename, image …; relative to the data set) and one of
 * labels (label, class, target …). NULL: a picture's label is the last folder in its name that does more than divide
 * ("train/cat/1.png" is "cat"). A name without folders in the table stands for that name in any folder. BEZ_FORMAT: a
 * column is missing, or a name stands twice with different labels. */
BEZ_MUST_USE bez_status bez_file_labels_open(const char *path, bez_file_labels **out, bez_error *err);
void bez_file_labels_free(bez_file_labels *labels); /* NULL is fine */
/* The head of a FILE_ROW item (content/item.h) for the file of that name, behind what is in `out`. Any thread. */
BEZ_MUST_USE bez_status bez_file_labels_head(const bez_file_labels *labels, const char *name, bez_buf *out,
                                             bez_error *err);

#endif
