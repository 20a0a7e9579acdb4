/* The labels of pictures as classes 0, 1, …: those that are frequent enough to be judged. */
#ifndef BEZ_DETECT_PICTURE_CLASSES_H
#define BEZ_DETECT_PICTURE_CLASSES_H

#include "detect/detector.h"
#include "fit/picture_labels.h"

#define BEZ_PICTURE_CLASSES 256u   /* the most frequent labels; rows of others are not judged */
#define BEZ_PICTURE_CLASS_ROWS 10u /* a label of fewer rows is not judged */

typedef struct bez_picture_classes {
  uint32_t n, n_rows;
  uint32_t n_left;  /* labels that are not judged */
  uint32_t *code;   /* label code per class, ascending */
  uint32_t *count;  /* rows per class */
  uint32_t *of_row; /* class per row; BEZ_PICTURE_NONE */
} bez_picture_classes;

/* A label column and pictures must be there. *out: one of the caller's own (bez_shared_picture_classes shares one). */
BEZ_MUST_USE bez_status bez_picture_classes_make(const bez_detect_input *in, bez_picture_classes **out, bez_error *err);
void bez_picture_classes_destroy(bez_picture_classes *classes); /* NULL is fine */

/* Says in the report which labels were left out. */
void bez_picture_classes_tell(const bez_picture_classes *classes, bez_report *report, const char *what);

#endif
