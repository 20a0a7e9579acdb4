/* Remote paths: the share of --memory that fetched bytes may take, and the options that concern the network. */
#include "format/remote.h"

#include "base/error.h"
#include "net/url.h"

bool bez_path_is_remote(const char *path) {
  return bez_url_kind_of(path) != BEZ_URL_NONE;
}

bez_status bez_remote_create(const bez_read_options *options, const char *const *paths, size_t n, bez_spool **out,
                             bez_error *err) {
  static const bez_read_options defaults = {0};
  const bez_read_options *o = options ? options : &defaults;
  bool any = false;
  *out = NULL;
  for (size_t i = 0; i < n; i++) any |= bez_path_is_remote(paths[i]);
  if (!any) return BEZ_OK;
  /* A quarter: the table made of the bytes needs the rest. */
  bez_spool_options plan = {.memory = (o->memory ? o->memory : (uint64_t)2 << 30) / 4,
                            .most = o->max_download,
                            .stall = o->net_timeout,
                            .progress = o->progress,
                            .progress_ctx = o->progress_ctx};
  return bez_spool_create(&plan, out, err);
}
