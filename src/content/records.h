/* Lists of records of a fixed width that may outgrow memory, and their order. */
#ifndef BEZ_CONTENT_RECORDS_H
#define BEZ_CONTENT_RECORDS_H

#include "base/store.h"

typedef struct bez_records {
  bez_store store;
  size_t width; /* bytes of a record */
  size_t n;
} bez_records; /* bez_records_init, then bez_records_free */

void bez_records_init(bez_records *records, size_t width, bez_budget *budget);
void bez_records_free(bez_records *records);
BEZ_MUST_USE bez_status bez_records_add(bez_records *records, const void *record, bez_error *err);
static inline void *bez_record(const bez_records *records, size_t at) {
  return (char *)records->store.data + at * records->width;
}
/* Ascending by their bytes, in place. Records must differ: equal ones may come in any order, which nobody can tell. */
void bez_records_sort(bez_records *records);

#endif
