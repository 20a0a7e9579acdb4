/* Digests that somebody knows to be good: what --known names. JSON, {"SHA-256": {"name": …} or "name", …} or
 * [{"sha256": …, "name": …}, …]; a JSON report of an earlier scan; or the lines that sha256sum prints. */
#ifndef BEZ_AUDIT_KNOWN_LIST_H
#define BEZ_AUDIT_KNOWN_LIST_H

#include "base/arena.h"
#include "bezoar/base.h"

typedef struct bez_known {
  char sha256[65];  /* lower case */
  const char *name; /* "" where the list names none; without a leading "./" */
} bez_known;

typedef struct bez_known_list {
  bez_arena arena;
  bez_known *items;          /* by digest, ascending, then by name */
  const bez_known **by_name; /* those with names, ascending */
  size_t n, n_named, room;
} bez_known_list; /* zero-initialise; release with bez_known_free */

/* Hostile bytes: BEZ_FORMAT with line or entry, BEZ_LIMIT above BEZ_MAX_KNOWN entries. subject names it in errors. */
BEZ_MUST_USE bez_status bez_known_parse(const char *bytes, size_t len, const char *subject, bez_known_list *out,
                                        bez_error *err);
BEZ_MUST_USE bez_status bez_known_read(const char *path, bez_known_list *out, bez_error *err);
void bez_known_free(bez_known_list *list);

/* The first entry with the digest; with the name. NULL: there is none. */
const bez_known *bez_known_find(const bez_known_list *list, const char *sha256);
const bez_known *bez_known_named(const bez_known_list *list, const char *name);
/* Whether the list has this digest under this name: a good file under another's name is not what was listed. */
bool bez_known_pair(const bez_known_list *list, const char *name, const char *sha256);

#endif
