/* Findings of the embedding detectors. */
#ifndef BEZ_DETECT_EMBEDDING_REPORT_H
#define BEZ_DETECT_EMBEDDING_REPORT_H

#include "detect/embedding_classes.h"

/* classes: space->n_classes, as the method left them. A warning for each class whose split is clear, else one note with
 * the rows of highest score. */
BEZ_MUST_USE bez_status bez_embedding_report(const bez_detect_input *in, const bez_space *space,
                                             const bez_embedding_method *method, const bez_embedding_class *classes,
                                             bez_report *report, bez_error *err);

#endif
