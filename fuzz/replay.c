/* Runs a fuzz target over files and folders of inputs, without the fuzzer: `replay_NAME fuzz/corpus/NAME`. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path) {
  FILE *f = fopen(path, "rb");
  if (!f) return perror(path), 1;
  uint8_t *bytes = NULL;
  size_t len = 0, cap = 0, got;
  do {
    if (len == cap) bytes = realloc(bytes, cap = cap ? cap * 2 : 4096);
    if (!bytes) abort();
    got = fread(bytes + len, 1, cap - len, f);
    len += got;
  } while (got > 0);
  fclose(f);
  bytes = realloc(bytes, len ? len : 1); /* flush against the end, so that sanitizers see a read past it */
  LLVMFuzzerTestOneInput(bytes, len);
  free(bytes);
  return 0;
}

static int replay_folder(const char *path, unsigned *count) {
  DIR *dir = opendir(path);
  if (!dir) return perror(path), 1;
  int failed = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    char file[4096];
    struct stat info;
    snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
    if (stat(file, &info) != 0 || !S_ISREG(info.st_mode)) continue;
    failed |= replay_file(file);
    ++*count;
  }
  closedir(dir);
  return failed;
}

int main(int argc, char **argv) {
  unsigned count = 0;
  int failed = 0;
  for (int i = 1; i < argc; i++) {
    struct stat info;
    if (stat(argv[i], &info) == 0 && S_ISREG(info.st_mode)) {
      failed |= replay_file(argv[i]);
      count++;
    } else {
      failed |= replay_folder(argv[i], &count);
    }
  }
  printf("%u inputs replayed\n", count);
  if (count == 0) fprintf(stderr, "no input: a corpus must hold one at least\n");
  return failed || count == 0;
}
