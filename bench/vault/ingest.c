/* Where the time of `vault add` goes, within one process: the whole of ingest with its parts one by one.
 *
 *   ingest DATA [CHANGED] [--threads N] [--jsonl|--csv]   first commit, then the changed file on top of it
 *   ingest --rates DATA                                   each step alone, one thread, MB/s of the file's bytes
 *
 * Stores lie in a folder below TMPDIR that is removed again. Built beside the tests; under callgrind use a small file.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include <zstd.h>

#include "content/ingest.h"
#include "crypto/sha256.h"

static const bez_sipkey key = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int fail(const bez_error *err) {
  (void)fprintf(stderr, "%s: %s\n", err->subject, err->message);
  return 1;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at) {
  (void)info, (void)type, (void)at;
  return remove(path);
}

typedef struct stores {
  char folder[300];
  bez_objects *objects, *sorted;
} stores;

static bez_status open_stores(stores *s, bez_error *err) {
  char path[400];
  const char *base = getenv("TMPDIR");
  (void)snprintf(s->folder, sizeof s->folder, "%s/bezoar-ingest-XXXXXX", base ? base : "/var/tmp");
  if (!mkdtemp(s->folder)) return BEZ_IO;
  (void)snprintf(path, sizeof path, "%s/objects", s->folder);
  bez_status st = bez_objects_open(path, true, &s->objects, err);
  (void)snprintf(path, sizeof path, "%s/sorted", s->folder);
  return st == BEZ_OK ? bez_objects_open(path, true, &s->sorted, err) : st;
}

static bez_status add(stores *s, const char *path, const bez_ingest_options *options, bez_ingest_result *r,
                      bez_error *err) {
  bez_pack *pack = NULL, *sorted = NULL;
  uint64_t bytes = 0, sorted_bytes = 0;
  double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  bez_status st = bez_pack_begin(s->objects, &pack, err);
  if (st == BEZ_OK) st = bez_pack_begin(s->sorted, &sorted, err);
  if (st == BEZ_OK) st = bez_ingest(s->objects, pack, s->sorted, sorted, path, options, r, err);
  if (st != BEZ_OK) return st;
  double read_wall = now(CLOCK_MONOTONIC) - wall;
  st = bez_pack_finish(pack, &bytes, err);
  if (st == BEZ_OK) st = bez_pack_finish(sorted, &sorted_bytes, err);
  wall = now(CLOCK_MONOTONIC) - wall;
  cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  struct rusage usage;
  (void)getrusage(RUSAGE_SELF, &usage);
  (void)printf("%s: %.2f s wall (%.2f before fsync), %.2f s CPU, %.0f MB/s; %llu rows, leaves %llu fresh %llu known; "
               "new bytes %.1f MB + sorted %.1f MB; resident %ld MB\n",
               path, wall, read_wall, cpu, (double)r->bytes / wall / 1e6, (unsigned long long)r->rows.top.rows,
               (unsigned long long)r->fresh_leaves, (unsigned long long)r->known_leaves, (double)bytes / 1e6,
               (double)sorted_bytes / 1e6, usage.ru_maxrss / 1024);
  return st;
}

static int whole(const char *first, const char *second, const bez_ingest_options *given) {
  stores s = {0};
  bez_error err = {0};
  bez_ingest_result one, two;
  bez_ingest_options options = *given;
  bez_status st = open_stores(&s, &err);
  if (st == BEZ_OK) st = add(&s, first, &options, &one, &err);
  if (st == BEZ_OK && second) {
    options.parent = &one.rows;
    options.parent_sorted = &one.sorted;
    st = add(&s, second, &options, &two, &err);
  }
  bez_objects_close(s.objects);
  bez_objects_close(s.sorted);
  (void)nftw(s.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  return st == BEZ_OK ? 0 : fail(&err);
}

/* ---- rates ---- */

typedef struct sample {
  char *bytes;
  size_t len;
  bez_span *rows;
  size_t n;
  bez_form_use use;
} sample;

static void tell(const char *what, const sample *s, double since) {
  double seconds = now(CLOCK_PROCESS_CPUTIME_ID) - since;
  (void)printf("%-12s %8.0f MB/s %8.0f ns/row\n", what, (double)s->len / seconds / 1e6, seconds / (double)s->n * 1e9);
}

static bez_status cut_sample(sample *s, const char *path, bez_error *err) {
  FILE *f = fopen(path, "rb");
  s->bytes = f ? malloc(256u << 20) : NULL;
  if (!s->bytes) return BEZ_IO;
  s->len = fread(s->bytes, 1, 256u << 20, f);
  (void)fclose(f);
  bool csv = strstr(path, ".csv") != NULL;
  s->use.form = bez_form_named(csv ? "csv" : "jsonl");
  size_t head = s->len < (1u << 20) ? s->len : 1u << 20;
  bez_status st = s->use.form->open(path, s->bytes, head, false, &s->use.state, err);
  if (st != BEZ_OK) return st;
  s->rows = malloc(s->len / 2 * sizeof *s->rows);
  if (!s->rows) return BEZ_MEMORY;
  size_t used, at = 0, n;
  double since = now(CLOCK_PROCESS_CPUTIME_ID);
  do {
    st = s->use.form->cut(s->use.state, s->bytes + at, s->len - at, false, at, s->rows + s->n, 4096, &n, &used, err);
    for (size_t i = 0; i < n; i++) s->rows[s->n + i].begin += at;
    s->n += n;
    at += used;
  } while (st == BEZ_OK && n);
  s->len = at;
  tell("cut", s, since);
  return st;
}

static bez_status canonical_rate(const sample *s, bez_error *err) {
  bez_canonical *c;
  uint8_t out[32];
  bez_status st = bez_canonical_create(&c, err);
  double since = now(CLOCK_PROCESS_CPUTIME_ID);
  for (size_t i = 0; i < s->n && st == BEZ_OK; i++) {
    bez_item row = {.type = BEZ_ITEM_ROW, .body = s->bytes + s->rows[i].begin, .body_len = s->rows[i].len};
    st = s->use.form->canonical(s->use.state, &row, c, out, err);
  }
  tell("canonical", s, since);
  bez_canonical_free(c);
  return st;
}

static int rates(const char *path) {
  sample s = {0};
  bez_error err = {0};
  uint8_t out[32], sum = 0;
  bez_status st = cut_sample(&s, path, &err);
  if (st != BEZ_OK) return fail(&err);
  double since = now(CLOCK_PROCESS_CPUTIME_ID);
  for (size_t i = 0; i < s.n; i++) sum ^= (uint8_t)bez_siphash(key, s.bytes + s.rows[i].begin, s.rows[i].len);
  tell("keyed hash", &s, since);
  since = now(CLOCK_PROCESS_CPUTIME_ID);
  for (size_t i = 0; i < s.n; i++) {
    bez_sha256(s.bytes + s.rows[i].begin, s.rows[i].len, out);
    sum ^= *out;
  }
  tell("raw digest", &s, since);
  since = now(CLOCK_PROCESS_CPUTIME_ID);
  bez_sha256(s.bytes, s.len, out);
  tell("SHA-256", &s, since);
  st = canonical_rate(&s, &err);
  uint8_t zero[32] = {0};
  bez_item row = {.type = BEZ_ITEM_ROW};
  since = now(CLOCK_PROCESS_CPUTIME_ID);
  for (size_t i = 0; i < s.n; i++) bez_item_hash(&row, zero, out, out);
  tell("item hash", &s, since);
  for (int level = -3; level <= 3; level += level == -1 ? 2 : 1) {
    char packed[300000];
    size_t all = 0;
    since = now(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t at = 0; at + BEZ_BLOCK <= s.len; at += BEZ_BLOCK)
      all += ZSTD_compress(packed, sizeof packed, s.bytes + at, BEZ_BLOCK, level);
    char name[40];
    (void)snprintf(name, sizeof name, "zstd %d", level);
    tell(name, &s, since);
    (void)printf("%-12s %8.3f\n", "  of the size", (double)all / (double)s.len);
  }
  (void)printf("(%u)\n", sum);
  return st == BEZ_OK ? 0 : fail(&err);
}

int main(int argc, char **argv) {
  const char *paths[2] = {NULL, NULL};
  int n = 0;
  bool only_rates = false;
  bez_ingest_options options = {.key = key, .threads = 2};
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--threads") && i + 1 < argc)
      options.threads = (unsigned)strtoul(argv[++i], NULL, 10);
    else if (!strcmp(argv[i], "--form") && i + 1 < argc)
      options.form = argv[++i];
    else if (!strcmp(argv[i], "--by-reference"))
      options.by_reference = true;
    else if (!strcmp(argv[i], "--rates"))
      only_rates = true;
    else if (n < 2)
      paths[n++] = argv[i];
  }
  if (!n) {
    (void)fprintf(stderr, "usage: ingest [--rates] DATA [CHANGED] [--threads N] [--form NAME] [--by-reference]\n");
    return 2;
  }
  return only_rates ? rates(paths[0]) : whole(paths[0], paths[1], &options);
}
