/* What taxonomy ids such as "ATLAS:AML.T0020" stand for. */
#ifndef BEZ_REPORT_TAXONOMY_H
#define BEZ_REPORT_TAXONOMY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bez_taxonomy {
  const char *prefix; /* "ATLAS" */
  const char *name, *version, *organization, *uri;
} bez_taxonomy;

extern const bez_taxonomy bez_taxonomies[];
extern const size_t bez_taxonomy_count;

typedef struct bez_taxon {
  const bez_taxonomy *taxonomy; /* NULL: an unknown prefix */
  const char *id;               /* not NUL-terminated */
  size_t len;
  const char *title; /* "" where not known */
} bez_taxon;

/* The next id of a space-separated list, or false at its end; *at starts at the list and moves on. */
bool bez_taxon_next(const char **at, bez_taxon *out);

#endif
