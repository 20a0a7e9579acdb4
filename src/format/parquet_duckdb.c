/* Parquet through DuckDB's C interface (version 1.4 or later: the one that hands out Arrow batches), opened at run time
 * so that nothing is linked against it. The declarations below are those of the interface, by hand and by name. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "format/parquet.h"

/* Opaque handles are pointers; the result is a structure that is passed by value. */
typedef void *handle;
typedef struct duck_result {
  uint64_t deprecated[3];
  void *deprecated_columns, *deprecated_error, *internal;
} duck_result;

/* FUNCTION(return type, name behind "duckdb_", parameters) */
#define DUCK_FUNCTIONS                                                                                                 \
  FUNCTION(int, create_config, (handle * out))                                                                         \
  FUNCTION(int, set_config, (handle config, const char *name, const char *value))                                      \
  FUNCTION(void, destroy_config, (handle * config))                                                                    \
  FUNCTION(int, open_ext, (const char *path, handle *out, handle config, char **error))                                \
  FUNCTION(void, close, (handle * database))                                                                           \
  FUNCTION(int, connect, (handle database, handle * out))                                                              \
  FUNCTION(void, disconnect, (handle * connection))                                                                    \
  FUNCTION(int, prepare, (handle connection, const char *query, handle *out))                                          \
  FUNCTION(const char *, prepare_error, (handle statement))                                                            \
  FUNCTION(void, destroy_prepare, (handle * statement))                                                                \
  FUNCTION(int, bind_varchar, (handle statement, uint64_t index, const char *value))                                   \
  FUNCTION(int, pending_prepared_streaming, (handle statement, handle * out))                                          \
  FUNCTION(const char *, pending_error, (handle pending))                                                              \
  FUNCTION(int, execute_pending, (handle pending, duck_result * out))                                                  \
  FUNCTION(void, destroy_pending, (handle * pending))                                                                  \
  FUNCTION(const char *, result_error, (duck_result * result))                                                         \
  FUNCTION(void, destroy_result, (duck_result * result))                                                               \
  FUNCTION(uint64_t, column_count, (duck_result * result))                                                             \
  FUNCTION(const char *, column_name, (duck_result * result, uint64_t col))                                            \
  FUNCTION(handle, column_logical_type, (duck_result * result, uint64_t col))                                          \
  FUNCTION(void, destroy_logical_type, (handle * type))                                                                \
  FUNCTION(handle, result_get_arrow_options, (duck_result * result))                                                   \
  FUNCTION(void, destroy_arrow_options, (handle * options))                                                            \
  FUNCTION(handle, to_arrow_schema,                                                                                    \
           (handle options, handle * types, const char **names, uint64_t n, struct ArrowSchema *out))                  \
  FUNCTION(handle, fetch_chunk, (duck_result result))                                                                  \
  FUNCTION(handle, data_chunk_to_arrow, (handle options, handle chunk, struct ArrowArray * out))                       \
  FUNCTION(void, destroy_data_chunk, (handle * chunk))                                                                 \
  FUNCTION(bool, error_data_has_error, (handle error))                                                                 \
  FUNCTION(const char *, error_data_message, (handle error))                                                           \
  FUNCTION(void, destroy_error_data, (handle * error))                                                                 \
  FUNCTION(void, free, (void *memory))

typedef struct duck_api {
#define FUNCTION(type, name, parameters) type(*name) parameters;
  DUCK_FUNCTIONS
#undef FUNCTION
} duck_api;

typedef struct duck {
  duck_api api;
  handle database, connection, statement, options;
  duck_result result;
  bool has_result;
  char problem[BEZ_ERROR_TEXT];
} duck;

static bool load(void *library, duck_api *api) {
  bool all = true;
  void *symbol;
#define FUNCTION(type, name, parameters)                                                                               \
  symbol = dlsym(library, "duckdb_" #name);                                                                            \
  memcpy(&api->name, &symbol, sizeof symbol);                                                                          \
  all = all && symbol;
  DUCK_FUNCTIONS
#undef FUNCTION
  return all;
}

static bool fail(duck *d, const char *why) {
  if (!d->problem[0]) snprintf(d->problem, sizeof d->problem, "%s", why && *why ? why : "DuckDB gave no reason");
  d->problem[strcspn(d->problem, "\r\n")] = 0;
  return false;
}

/* An error object: consumed. */
static bool check(duck *d, handle error) {
  bool failed = error && d->api.error_data_has_error(error);
  if (failed) fail(d, d->api.error_data_message(error));
  if (error) d->api.destroy_error_data(&error);
  return !failed;
}

/* A database in memory that loads no extension and keeps its configuration. */
static bool open_database(duck *d) {
  static const char *const settings[][2] = {{"autoinstall_known_extensions", "false"},
                                            {"autoload_known_extensions", "false"},
                                            {"allow_unsigned_extensions", "false"},
                                            {"lock_configuration", "true"}};
  handle config = NULL;
  char *why = NULL;
  if (d->api.create_config(&config) != 0) return fail(d, "cannot configure DuckDB");
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    (void)d->api.set_config(config, settings[i][0], settings[i][1]);
  int failed = d->api.open_ext(NULL, &d->database, config, &why);
  d->api.destroy_config(&config);
  if (failed) fail(d, why);
  if (why) d->api.free(why);
  if (failed) return false;
  return d->api.connect(d->database, &d->connection) == 0 || fail(d, "cannot connect to DuckDB");
}

#define FROM_FILE " FROM read_parquet($1, hive_partitioning = false)"

static void end_query(duck *d) {
  if (d->options) d->api.destroy_arrow_options(&d->options);
  if (d->has_result) d->api.destroy_result(&d->result);
  if (d->statement) d->api.destroy_prepare(&d->statement);
  d->options = d->statement = NULL;
  d->has_result = false;
}

static bool start_query(duck *d, const char *query, const char *path) {
  handle pending = NULL;
  if (d->api.prepare(d->connection, query, &d->statement) != 0) return fail(d, d->api.prepare_error(d->statement));
  if (d->api.bind_varchar(d->statement, 1, path) != 0) return fail(d, "cannot name the file to DuckDB");
  bool good = d->api.pending_prepared_streaming(d->statement, &pending) == 0;
  if (!good) fail(d, pending ? d->api.pending_error(pending) : NULL);
  if (good) {
    good = d->api.execute_pending(pending, &d->result) == 0;
    d->has_result = true;
    if (!good) fail(d, d->api.result_error(&d->result));
  }
  if (pending) d->api.destroy_pending(&pending);
  if (good) d->options = d->api.result_get_arrow_options(&d->result);
  return good;
}

/* Whether the column, or a field below it, is wanted: "a" for "a.b". */
static bool wanted(const bez_parquet_file *file, const char *column) {
  size_t len = strlen(column);
  for (size_t i = 0; i < file->n_columns; i++)
    if (!strncmp(file->columns[i], column, len) && (!file->columns[i][len] || file->columns[i][len] == '.'))
      return true;
  return false;
}

/* SELECT with the wanted columns of those there are; with none of them, all. */
static void put_query(duck *d, const bez_parquet_file *file, bez_buf *out) {
  uint64_t n = d->api.column_count(&d->result), found = 0;
  bez_buf_puts(out, "SELECT ");
  for (uint64_t i = 0; i < n; i++) {
    const char *name = d->api.column_name(&d->result, i);
    if (!name || !wanted(file, name)) continue;
    bez_buf_puts(out, found++ ? ", \"" : "\"");
    for (; *name; name++) {
      if (*name == '"') bez_buf_putc(out, '"');
      bez_buf_putc(out, *name);
    }
    bez_buf_putc(out, '"');
  }
  bez_buf_puts(out, found ? FROM_FILE : "*" FROM_FILE);
}

static bool select_columns(duck *d, const bez_parquet_file *file) {
  if (!file->n_columns) return start_query(d, "SELECT *" FROM_FILE, file->at);
  if (!start_query(d, "SELECT *" FROM_FILE " LIMIT 0", file->at)) return false;
  bez_buf query = {0};
  put_query(d, file, &query);
  end_query(d);
  bool good = query.failed == BEZ_OK ? start_query(d, query.data, file->at) : fail(d, "memory is out");
  bez_buf_free(&query);
  return good;
}

static int stream_schema(struct ArrowArrayStream *s, struct ArrowSchema *out) {
  duck *d = s->private_data;
  uint64_t n = d->api.column_count(&d->result);
  handle *types = calloc(n + 1, sizeof *types);
  const char **names = calloc(n + 1, sizeof *names);
  bool good = types && names;
  *out = (struct ArrowSchema){0};
  for (uint64_t i = 0; good && i < n; i++) {
    names[i] = d->api.column_name(&d->result, i);
    types[i] = d->api.column_logical_type(&d->result, i);
  }
  good = good ? check(d, d->api.to_arrow_schema(d->options, types, names, n, out)) : fail(d, "memory is out");
  for (uint64_t i = 0; types && i < n; i++)
    if (types[i]) d->api.destroy_logical_type(&types[i]);
  free(types);
  free(names);
  return good ? 0 : EIO;
}

static int stream_next(struct ArrowArrayStream *s, struct ArrowArray *out) {
  duck *d = s->private_data;
  *out = (struct ArrowArray){0};
  handle chunk = d->api.fetch_chunk(d->result);
  if (!chunk) {
    const char *why = d->api.result_error(&d->result);
    if (!why || !*why) return 0; /* the end */
    fail(d, why);
    return EIO;
  }
  bool good = check(d, d->api.data_chunk_to_arrow(d->options, chunk, out));
  d->api.destroy_data_chunk(&chunk);
  return good ? 0 : EIO;
}

static const char *stream_error(struct ArrowArrayStream *s) {
  return ((duck *)s->private_data)->problem;
}

/* The library stays loaded: its threads may still be on their way out. */
static void stream_release(struct ArrowArrayStream *s) {
  duck *d = s->private_data;
  end_query(d);
  if (d->connection) d->api.disconnect(&d->connection);
  if (d->database) d->api.close(&d->database);
  free(d);
  s->release = NULL;
}

/* The library that was named, or the system's. NULL: none. */
static bez_status open_library(bool named_only, void **library, bez_error *err) {
  const char *named = getenv("BEZOAR_DUCKDB");
  *library = NULL;
  if (named && *named) {
    *library = dlopen(named, RTLD_NOW | RTLD_LOCAL);
    return *library ? BEZ_OK : bez_fail(err, BEZ_UNSUPPORTED, "BEZOAR_DUCKDB", "%s", dlerror());
  }
  if (!named_only) *library = dlopen("libduckdb.so", RTLD_NOW | RTLD_LOCAL);
  return BEZ_OK;
}

bez_status bez_parquet_duckdb(const bez_parquet_file *file, bool named_only, struct ArrowArrayStream *out,
                              bez_error *err) {
  void *library = NULL;
  const char *path = file->path;
  out->release = NULL;
  bez_status st = open_library(named_only, &library, err);
  if (st != BEZ_OK || !library) return st;
  duck *d = calloc(1, sizeof *d);
  if (!d) return bez_fail_memory(err, sizeof *d);
  *out = (struct ArrowArrayStream){stream_schema, stream_next, stream_error, stream_release, d};
  if (!load(library, &d->api)) {
    free(d);
    out->release = NULL;
    return bez_fail(err, BEZ_UNSUPPORTED, "libduckdb", "is older than version 1.4");
  }
  /* read_parquet takes patterns: a path that looks like one would name other files. */
  if (strpbrk(file->at, "*?["))
    st = bez_fail(err, BEZ_UNSUPPORTED, path, "DuckDB takes *, ? and [ in a path as a pattern");
  else if (!open_database(d) || !select_columns(d, file))
    st = bez_fail(err, BEZ_FORMAT, path, "%s", d->problem);
  if (st != BEZ_OK) stream_release(out);
  return st;
}
