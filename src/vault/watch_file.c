/* Checking a list that is in no vault. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "vault/answer.h"
#include "vault/watch.h"

uint64_t bez_watch_seed(uint64_t wanted) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return wanted ? wanted : bez_mix64((uint64_t)t.tv_sec << 30 ^ (uint64_t)t.tv_nsec ^ (uint64_t)getpid() << 52) | 1;
}

void bez_watch_tell(const bez_watchlist *list, const bez_checked *checked, bool kept, bez_json *j,
                    bez_watch_result *result) {
  bez_watch_sum sum;
  bez_watch_count(checked, list->n, &sum);
  bez_watch_write(j, list, checked, &sum);
  *result = (bez_watch_result){.n_urls = list->n,
                               .exact = sum.exact,
                               .near = sum.near,
                               .different = sum.different,
                               .unchecked = sum.unchecked,
                               .gone = sum.gone,
                               .held = sum.held,
                               .pages = sum.pages,
                               .first = sum.first};
  bez_json_kbool(j, "ok", !sum.near && !sum.different && !sum.held && !sum.pages);
  bez_json_kbool(j, "complete", !sum.unchecked && (kept || !sum.first));
}

bez_status bez_watch_verify_file(const char *path, const bez_watch_options *options, bez_watch_result *result,
                                 char **json, bez_error *err) {
  bez_watchlist list = {0};
  bez_checked *checked = NULL;
  bez_buf text = {0};
  bez_watch_options o = *options;
  bez_status st;
  *json = NULL;
  *result = (bez_watch_result){0};
  o.seed = bez_watch_seed(o.seed);
  BEZ_TRY(bez_watchlist_read(path, &o.columns, &list, err));
  checked = calloc(list.n + 1, sizeof *checked);
  if (!checked) BEZ_TRY(bez_fail_memory(err, list.n * sizeof *checked));
  if (o.output) BEZ_TRY(bez_watch_folder(o.output, err));
  BEZ_TRY(bez_watch_check(&list, &o, NULL, checked, err));
  if (o.output) BEZ_TRY(bez_watch_write_lists(o.output, &list, checked, err));
  bez_json j = bez_json_make(&text, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "list", path);
  bez_watch_tell(&list, checked, false, &j, result);
  bez_json_close(&j, '}');
  BEZ_TRY(bez_answer(&text, json, err));
cleanup:
  bez_checked_free(checked, list.n);
  bez_watchlist_free(&list);
  bez_buf_free(&text);
  return st;
}
