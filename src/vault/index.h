/* The index: what stands where in the log, in SQLite, so that finding a version or what a key did costs no walk. It can
 * be made again from the log, and is whenever it does not fit: the database is one file that is read whole, and a seal
 * beside it tells its SHA-256 and up to which entry of the log it goes.
 *
 * Tables:
 *   entries      i (index in the log), id, type, time, dataset, version, who (fingerprint of the first signature),
 *                source, void (why the entry has no effect; NULL: it has)
 *   submissions  i, id, dataset, batch, parent (commit id), run (entry id); empty blobs: none
 *   versions     dataset, version, commit_i, submission_i, commit_id, batch
 *   inputs       i (model or run), dataset, version
 *   stamps       dataset, path, version, stamp: files that are what a version says (content/stamp.h); not from the log
 */
#ifndef BEZ_VAULT_INDEX_H
#define BEZ_VAULT_INDEX_H

#include "ledger/entry.h"

typedef struct bez_index bez_index;

/* folder: ".bezoar/index". A database that is not there or does not fit its seal gives an empty index. */
BEZ_MUST_USE bez_status bez_index_open(const char *folder, bez_index **out, bez_error *err);
void bez_index_close(bez_index *index); /* NULL is fine */
/* Empties it. */
BEZ_MUST_USE bez_status bez_index_reset(bez_index *index, bez_error *err);
/* How many entries it knows, and the SHA-256 of the last one's bytes. */
uint64_t bez_index_size(const bez_index *index);
const uint8_t *bez_index_last(const bez_index *index);
/* Takes the next entry in; why: it has no effect. entry NULL: it is malformed. bytes_sha256: of the entry as the log
 * has it. */
BEZ_MUST_USE bez_status bez_index_take(bez_index *index, const bez_entry *entry, const char *why,
                                       const uint8_t bytes_sha256[32], bez_error *err);
/* A version that a commit made. */
typedef struct bez_index_version {
  const char *dataset;
  uint64_t version, commit_i, submission_i;
  const bez_id *commit_id;
  const uint8_t *batch; /* 16 bytes */
} bez_index_version;
BEZ_MUST_USE bez_status bez_index_add_version(bez_index *index, const bez_index_version *version, bez_error *err);
/* Writes database and seal where something changed. now: also where so little did that it could wait. */
BEZ_MUST_USE bez_status bez_index_save(bez_index *index, bool now, bez_error *err);

/* Queries. types: one letter per "?": t text (NULL: null), i int64_t, b blob (const void *, then size_t length). */
typedef struct bez_query {
  void *statement;
} bez_query; /* zero-initialise; bez_query_end */
BEZ_MUST_USE bez_status bez_query_begin(bez_index *index, bez_query *out, bez_error *err, const char *sql,
                                        const char *types, ...);
/* *more: there is a row. */
BEZ_MUST_USE bez_status bez_query_next(bez_query *query, bool *more, bez_error *err);
int64_t bez_query_int(const bez_query *query, int column);
const char *bez_query_text(const bez_query *query, int column); /* "" for null; until the next row */
const void *bez_query_blob(const bez_query *query, int column, size_t *len);
void bez_query_end(bez_query *query);
/* One statement that answers nothing; the index counts as changed. */
BEZ_MUST_USE bez_status bez_index_run(bez_index *index, bez_error *err, const char *sql, const char *types, ...);

#endif
