/* Removing a folder of our own making. */
#include "content/sweep.h"

#include <ftw.h>
#include <stdio.h>

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place) {
  (void)info, (void)kind, (void)place;
  (void)remove(path);
  return 0;
}

void bez_remove_folder(const char *path) {
  (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
