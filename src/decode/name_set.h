/* Names that a model defines itself (functions of its graphs): collected, put in order once, then looked up. */
#ifndef BEZ_DECODE_NAME_SET_H
#define BEZ_DECODE_NAME_SET_H

#include "bezoar/base.h"

#define BEZ_NAME_SET_MOST 65536u

typedef struct bez_name_set {
  char **names;
  size_t n, room;
} bez_name_set; /* zero-initialise; bez_name_set_free */

/* False: memory is out, or there are too many: names that are missing count as not defined. */
bool bez_name_set_add(bez_name_set *set, const char *name);
void bez_name_set_sort(bez_name_set *set); /* once, before the first look-up */
bool bez_name_set_has(const bez_name_set *set, const char *name);
void bez_name_set_free(bez_name_set *set);

#endif
