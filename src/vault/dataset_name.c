/* What a data set is called: its path relative to the folder that holds .bezoar. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "vault/work.h"

#define MOST_NAME 1024u

bez_status bez_dataset_name_check(const char *name, bez_error *err) {
  size_t len = strlen(name);
  if (!len || len > MOST_NAME || !bez_utf8_valid(name, len))
    return bez_fail(err, BEZ_USAGE, name, "no name for a data set (UTF-8, %u bytes at the most)", MOST_NAME);
  for (const char *p = name; *p; p++)
    if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '@')
      return bez_fail(err, BEZ_USAGE, name, "no name for a data set: \"@\" and control characters are not for names");
  if (!strncmp(name, ".bezoar", 7) && (!name[7] || name[7] == '/'))
    return bez_fail(err, BEZ_USAGE, name, "no name for a data set: .bezoar is the vault's own folder");
  for (const char *p = name; *p;) {
    size_t part = strcspn(p, "/");
    if (!part || (part == 1 && *p == '.') || (part == 2 && !strncmp(p, "..", 2)))
      return bez_fail(err, BEZ_USAGE, name, "no name for a data set: a relative path without \".\" and \"..\"");
    p += part;
    if (*p && !*++p) return bez_fail(err, BEZ_USAGE, name, "no name for a data set: it ends in \"/\"");
  }
  return BEZ_OK;
}

bez_status bez_dataset_name(const bez_vault *vault, const char *path, const char *given, char **name, char **absolute,
                            bez_error *err) {
  const size_t root = strlen(vault->folder) - strlen("/.bezoar");
  bez_status st = BEZ_OK;
  *name = NULL;
  *absolute = realpath(path, NULL);
  if (!*absolute) return bez_fail_errno(err, path, "cannot open");
  bool inside = !strncmp(*absolute, vault->folder, root) && (*absolute)[root] == '/';
  if (!strncmp(*absolute, vault->folder, strlen(vault->folder)) && strchr("/", (*absolute)[strlen(vault->folder)]))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "lies in the vault itself"));
  if (!given && !inside)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "lies outside %.*s: say what it is called with --name NAME", (int)root,
                     vault->folder));
  *name = strdup(given ? given : *absolute + root + 1);
  if (!*name) BEZ_TRY(bez_fail_memory(err, strlen(*absolute)));
  BEZ_TRY(bez_dataset_name_check(*name, err));
cleanup:
  if (st != BEZ_OK) {
    free(*name);
    free(*absolute);
    *name = *absolute = NULL;
  }
  return st;
}
