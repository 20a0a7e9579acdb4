/* Sets of names (name_set.h). */
#include "decode/name_set.h"

#include <stdlib.h>
#include <string.h>

bool bez_name_set_add(bez_name_set *set, const char *name) {
  if (set->n == BEZ_NAME_SET_MOST) return false;
  if (set->n == set->room) {
    const size_t room = set->room ? 2 * set->room : 64;
    char **more = realloc(set->names, room * sizeof *more);
    if (!more) return false;
    set->names = more;
    set->room = room;
  }
  char *copy = strdup(name);
  if (!copy) return false;
  set->names[set->n++] = copy;
  return true;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

void bez_name_set_sort(bez_name_set *set) {
  if (set->n) qsort(set->names, set->n, sizeof *set->names, by_name);
}

bool bez_name_set_has(const bez_name_set *set, const char *name) {
  return set->n && bsearch(&name, set->names, set->n, sizeof *set->names, by_name);
}

void bez_name_set_free(bez_name_set *set) {
  for (size_t i = 0; i < set->n; i++) free(set->names[i]);
  free(set->names);
  *set = (bez_name_set){0};
}
