/* Watching what lies behind URLs: data that is listed by its address may be exchanged after it was listed (split view),
 * or shortly before it is (front-running). Carlini et al., "Poisoning Web-Scale Training Datasets is Practical", IEEE
 * S&P 2024. A list is kept with a digest per URL; checking asks for every URL again and compares. */
#ifndef BEZOAR_WATCH_H
#define BEZOAR_WATCH_H

#include "bezoar/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Names of a list's columns; NULL: those that img2dataset writes and reads, by name ("url", "sha256", "sha512", "md5",
 * in any case). A column that is named must be there. Digests are hexadecimal; an empty cell is none. A column "phash"
 * (16 hexadecimal digits: math/phash.h) says what a picture looks like. */
typedef struct bez_watch_columns {
  const char *url, *sha256, *sha512, *md5;
} bez_watch_columns;

/* Zero-initialise for the defaults. Strings are borrowed for the call. */
typedef struct bez_watch_options {
  bez_watch_columns columns;
  const char *name;   /* of the list in the vault; NULL: the file's own name for adding, the only list for checking */
  const char *source; /* whose contributions the key has to be trusted with; "" or NULL: not asked */
  bool fetch;         /* adding: ask for all URLs, also for those that have a digest */
  bool correct;       /* adding: take over digests of URLs that the list has, whatever the delay */
  bool adopt;         /* checking: what has been there unchanged for longer than the delay becomes what is listed */
  double delay;       /* seconds for which new content is held back; below 0: as the policy says */
  double window;      /* seconds over which the requests are spread at random; 0: at once */
  double per_host;    /* requests per second to one host, 0: 2 */
  uint64_t seed;      /* of order and times; 0: drawn */
  uint64_t max_bytes; /* of one answer, 0: 64 MiB */
  double timeout;     /* seconds for one answer as a whole, 0: 60 */
  unsigned retries;   /* after failures that may pass */
  unsigned threads;   /* requests at a time, 0: 16 */
  unsigned near;      /* bits of the perceptual hash that may differ, 1 … 32; 0: 10 */
  bool no_redirects;  /* an answer that leads elsewhere is not followed */
  const char *agent;  /* User-Agent, NULL: Bezoar's own: who shows visitors different things goes by it */
  const char *output; /* folder for exact.csv, near.csv, different.csv, unchecked.csv, held.csv; NULL none */
  bez_progress_fn progress;
  void *progress_ctx;
} bez_watch_options;

/* What was found; the JSON holds the same and more. */
typedef struct bez_watch_result {
  uint64_t n_urls, exact, near, different, unchecked, gone, held, pages, first;
} bez_watch_result;

/* Reads a list (CSV, JSONL, Parquet, Arrow) and keeps it in the vault, signed. URLs without a digest are asked now; a
 * page that says "not found", or that repeats at several URLs, is not taken for content. A list of that name that is
 * there is replaced in what the new one says (rows that are gone are gone). With `correct`, only digests of URLs that
 * it has are taken over. Refused (BEZ_USAGE) where the key may not contribute to the source. */
BEZ_API BEZ_MUST_USE bez_status bez_watch_add(bez_vault *vault, const char *path, const bez_vault_who *who,
                                              const bez_watch_options *options, bez_watch_result *result, char **json,
                                              bez_error *err);
/* Asks for every URL of a list of the vault and records what was found; what is new of it (digests of what had none,
 * since when other content is there) is kept where `who` may contribute, else told and not kept. who NULL: nobody. */
BEZ_API BEZ_MUST_USE bez_status bez_watch_verify(bez_vault *vault, const bez_vault_who *who,
                                                 const bez_watch_options *options, bez_watch_result *result,
                                                 char **json, bez_error *err);
/* The same for a list that is in no vault: nothing is kept. */
BEZ_API BEZ_MUST_USE bez_status bez_watch_verify_file(const char *path, const bez_watch_options *options,
                                                      bez_watch_result *result, char **json, bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
