/* What lies in the vault's folder: nothing may be there that nothing accounts for. Files of the log and of the stores
 * are told by those who read them. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "vault/stage.h"
#include "vault/verify.h"

static bool is_one_of(const char *name, const char *const *names) {
  for (; *names; names++)
    if (!strcmp(name, *names)) return true;
  return false;
}

/* fits: whether a name belongs there. */
static bez_status check_folder(bez_verify *v, const char *below, bool (*fits)(const char *name), bez_error *err) {
  char path[4096];
  snprintf(path, sizeof path, "%s%s%s", v->folder, *below ? "/" : "", below);
  DIR *dir = opendir(path);
  if (!dir) return *below ? BEZ_OK : bez_fail_errno(err, path, "cannot open");
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    char file[4600];
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || fits(entry->d_name)) continue;
    snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
    bez_verify_tell(v, file, -1, 0, "does not belong to a vault", NULL, NULL);
  }
  closedir(dir);
  return BEZ_OK;
}

static bool fits_top(const char *name) {
  static const char *const names[] = {"config", "log", "objects", "index", "stage", "tmp", "lock", NULL};
  return is_one_of(name, names);
}

/* Names are digests; what a killed process left half-written has an ending of its own. */
static bool fits_stage(const char *name) {
  size_t len = strspn(name, "0123456789abcdef");
  if (len == 64 && (!name[64] || !strncmp(name + 64, ".partial-", 9))) return true;
  return !strcmp(name, "commit") || !strncmp(name, "commit.partial-", 15);
}

static void check_lock(bez_verify *v) {
  char path[4096];
  struct stat info;
  snprintf(path, sizeof path, "%s/lock", v->folder);
  if (stat(path, &info) == 0 && info.st_size)
    bez_verify_tell(v, path, 0, (uint64_t)info.st_size, "is not empty as it ought to be", NULL, NULL);
}

static bez_status check_stage(bez_verify *v, bez_error *err) {
  bez_stage stage = {0};
  bez_buf commit = {0};
  bool found = false;
  bez_error why = {.line = -1, .offset = -1};
  bez_status st = bez_stage_read(v->vault, &stage, &why);
  if (st == BEZ_OK) st = bez_stage_get_commit(v->vault, &commit, &found, &why);
  bez_stage_free(&stage);
  bez_buf_free(&commit);
  return st == BEZ_OK ? BEZ_OK : bez_verify_tell_error(v, st, &why, NULL, NULL, err);
}

bez_status bez_verify_files(bez_verify *v, bez_error *err) {
  bez_status st = check_folder(v, "", fits_top, err);
  if (st == BEZ_OK) st = check_folder(v, "stage", fits_stage, err);
  if (st == BEZ_OK && v->vault) st = check_stage(v, err);
  check_lock(v);
  return st;
}
