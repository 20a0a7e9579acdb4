/* What the commands of `watch` share: options of fetching, and the answer as text. */
#ifndef BEZ_CLI_WATCH_SAY_H
#define BEZ_CLI_WATCH_SAY_H

#include "bezoar/watch.h"
#include "cli/vault_args.h"

#define BEZ_WATCH_OPTIONS                                                                                              \
  {"name", 0, BEZ_ARG_TEXT, .value = "NAME",                                                                           \
   .help = "The list's name in the vault. Default: its file's name, or the only list."},                               \
      {"url-column", 0, BEZ_ARG_TEXT, .value = "COL", .help = "Column of the addresses. Default: url, in any case."},  \
      {"sha256-column", 0, BEZ_ARG_TEXT, .value = "COL",                                                               \
       .help = "Column of SHA-256 digests. Default: sha256, where there is one."},                                     \
      {"md5-column", 0, BEZ_ARG_TEXT, .value = "COL",                                                                  \
       .help = "Column of MD5 digests. Default: md5, where there is one."},                                            \
      {"sha512-column", 0, BEZ_ARG_TEXT, .value = "COL",                                                               \
       .help = "Column of SHA-512 digests. Default: sha512, where there is one."},                                     \
      {"delay", 0, BEZ_ARG_TIME, .value = "TIME",                                                                      \
       .help =                                                                                                         \
           "Hold new content back until it has stood unchanged for so long. Default: delay of the vault's policy."},   \
      {"per-host", 0, BEZ_ARG_REAL, .value = "N", .fallback = "2", .help = "Requests per second to one host."},        \
      {"connections", 0, BEZ_ARG_NUMBER, .value = "N", .fallback = "16", .help = "Requests at a time."},               \
      {"timeout", 0, BEZ_ARG_TIME, .value = "TIME", .fallback = "60s", .help = "For one answer as a whole."},          \
      {"max-size", 0, BEZ_ARG_SIZE, .value = "SIZE", .fallback = "64M", .help = "Largest answer that is taken."},      \
      {"retries",       0,                                                                                             \
       BEZ_ARG_NUMBER,  .value = "N",                                                                                  \
       .fallback = "1", .help = "Further attempts where a failure may pass."},                                         \
      {"redirects", 0, BEZ_ARG_FLAG, .fallback = "true",                                                               \
       .help = "Follow answers that lead elsewhere (five at most, never to what is less private)."},                   \
      {"user-agent", 0, BEZ_ARG_TEXT, .value = "TEXT",                                                                 \
       .help = "Who asks. A server may show a checker one thing and a loader another: give the loader's."},            \
      {"seed",          0,                                                                                             \
       BEZ_ARG_NUMBER,  .value = "N",                                                                                  \
       .fallback = "0", .help = "Of order and times; 0: drawn from the clock."},                                       \
      BEZ_VAULT_OPTIONS, BEZ_VAULT_KEY_OPTIONS, BEZ_VAULT_PROGRESS_OPTION

BEZ_MUST_USE bez_status bez_watch_plan(const bez_args *args, bez_progress *progress, bez_watch_options *out,
                                       bez_error *err);
void bez_watch_say(bez_buf *out, const json_t *answer);

#endif
