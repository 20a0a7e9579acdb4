/* Findings of the embedding detectors. */
#ifndef BEZ_DETECT_EMBEDDING_REPORT_H
#define BEZ_DETECT_EMBEDDING_REPORT_H

#include "detect/embedding_classes.h"

BEZ_MUST_USE bez_status bez_embedding_report(const bez_detect_input *in, const bez_space *space,
                                             const bez_embedding_method *method, const bez_embedding_class *classes,
                                             bez_report *report, bez_error *err);

#endif
