/* Saved states (.bez): what was read of a data set, as the builder keeps it before a table is made of it.
 *
 * A shard saves the tiles of its part; merging puts the parts of all shards into one file; reading a state hands the
 * tiles to a builder again, in the order of the rows, and finishing makes of them the very table that one process
 * would have made. So nothing that detectors see depends on how the data was cut. A state is hostile input.
 *
 *   "BEZSTATE", version, number of bodies (32 bits each), then per body:
 *     shard, number of shards (32 bits each), digest of the parameters (64 bits)
 *     index: raw and packed length, hash of the packed bytes (64 bits each), one zstd frame
 *     chunks of records: raw and packed length (32 bits each), hash (64 bits), one zstd frame; an empty one ends them
 *
 * All numbers are little endian. The index names parameters, columns, parts of files, remarks; the records are tiles
 * and pictures in the order of the parts. A value of a column stands in the tile that has it first, so that states are
 * written and read in one pass. */
#ifndef BEZ_FORMAT_STATE_H
#define BEZ_FORMAT_STATE_H

#include "base/arena.h"
#include "base/cursor.h"
#include "format/builder.h"

#define BEZ_STATE_VERSION 1u

typedef struct bez_state_pair {
  const char *key, *value;
} bez_state_pair;

typedef struct bez_state_remark {
  const char *rule, *path, *example;
  uint64_t count;
  int64_t line;
} bez_state_remark;

typedef struct bez_state_unread {
  const char *path, *why;
  bool requested;
} bez_state_unread;

typedef struct bez_state_head {
  bool join;
  uint32_t n;
  const char **names;
  uint32_t *column; /* of the body; BEZ_NO_COLUMN: not kept */
} bez_state_head;

/* What was read of one file; fields as in bez_table_file and bez_file_note. */
typedef struct bez_state_part {
  const char *path, *format;
  uint64_t bytes, digest;
  uint64_t raw_bytes; /* of the file as it lies on disk */
  char print[65];     /* SHA-256 over the part's stretch of it (bez_state_print) */
  uint32_t head;
  uint64_t first, end, units, begin, stop, plan_at, plan_of;
  uint64_t n_tiles, n_rows, n_views; /* views: pairs of small pictures (bez_image_views) */
  const bez_state_remark *remarks;
  uint32_t n_remarks;
} bez_state_part;

typedef struct bez_state_body {
  uint32_t shard, n_shards;
  uint64_t params_digest;
  uint64_t at, content, stop; /* offsets in the file: the body, its first chunk, its end */
  bez_state_pair *params;
  uint32_t n_params;
  uint64_t list_files, list_hash;   /* of the paths the data set was made of */
  uint32_t height, width, channels; /* of pictures; 0: none */
  bool facts;
  uint64_t n_labels; /* in --labels-file; 0: none */
  uint32_t n_columns;
  bez_state_head *heads;
  uint32_t n_heads;
  bez_state_part *parts;
  uint32_t n_parts;
  bez_state_remark *remarks; /* of the data set as a whole */
  uint32_t n_remarks;
  bez_state_unread *unread;
  uint32_t n_unread;
} bez_state_body;

typedef struct bez_state {
  bez_arena arena;
  const char *path;
  int fd;
  uint64_t size;
  bez_state_body *bodies; /* ascending shards, each once */
  uint32_t n_bodies;
} bez_state;

/* Reads the header and all indexes and checks that they fit together; not the content. *out is the caller's. */
BEZ_MUST_USE bez_status bez_state_open(const char *path, bez_state **out, bez_error *err);
void bez_state_close(bez_state *state); /* NULL is fine */
/* BEZ_USAGE where a shard is missing. */
BEZ_MUST_USE bez_status bez_state_complete(const bez_state *state, bez_error *err);

/* state_params.c: options that change what is read, as pairs. The digest of what pack wrote tells one set from
 * another. */
BEZ_MUST_USE bez_status bez_state_pack_params(const bez_read_options *options, bez_buf *out, uint32_t *n,
                                              bez_error *err);
/* Options that were not given become the state's; one that contradicts it is BEZ_USAGE. Lives as long as the state. */
BEZ_MUST_USE bez_status bez_state_adopt(bez_state *state, bez_read_options *options, bez_error *err);
/* What of the file at `path`, cut as [first, end) of units, tells it from another: SHA-256 over the SHA-256 of each
 * mebibyte; *raw_bytes: the size of the whole file. */
BEZ_MUST_USE bez_status bez_state_print(const char *path, uint64_t first, uint64_t end, uint64_t units,
                                        uint64_t *raw_bytes, char out[65], bez_error *err);

/* What saving adds to what the builder knows. */
typedef struct bez_state_note {
  const bez_read_options *options; /* as given; NULL: the builder's */
  uint64_t list_files, list_hash;
  const bez_state_unread *left_out; /* known to be unreadable before reading began */
  size_t n_left_out;
} bez_state_note;

/* state_out.c: everything the builder has taken in; it stays usable. */
BEZ_MUST_USE bez_status bez_state_save(const bez_builder *builder, const bez_state_note *note, const char *path,
                                       bez_error *err);

/* state_in.c: the records of a state, one after another. */
typedef struct bez_state_stream bez_state_stream;
BEZ_MUST_USE bez_status bez_state_stream_open(const bez_state *state, bez_state_stream **out, bez_error *err);
void bez_state_stream_close(bez_state_stream *stream);
void bez_state_stream_body(bez_state_stream *stream, uint32_t body);
/* The next record: `kind` is what is expected ('T' tile, 'P' pictures, 'V' views), and the cursor its payload, good
 * until the next call. */
BEZ_MUST_USE bez_status bez_state_next(bez_state_stream *stream, uint8_t kind, bez_cursor *out, bez_error *err);

/* state_replay.c: into a builder. */
typedef struct bez_replay bez_replay;
BEZ_MUST_USE bez_status bez_replay_create(const bez_state *state, bez_builder *builder, bez_replay **out,
                                          bez_error *err);
void bez_replay_destroy(bez_replay *replay);
/* The next file of the state (all its parts); NULL: there is none. */
const bez_state_part *bez_replay_peek(const bez_replay *replay);
/* Takes the next file into the builder, or passes over it. *taken: false when it was passed over, also because its
 * columns were planned otherwise. */
BEZ_MUST_USE bez_status bez_replay_file(bez_replay *replay, bool take, bool *taken, bez_error *err);
/* Whether the next file is still what it was. */
BEZ_MUST_USE bez_status bez_replay_unchanged(const bez_replay *replay, bool *same, bez_error *err);
/* What is said of the data set as a whole, when all files were taken. */
BEZ_MUST_USE bez_status bez_replay_rest(const bez_replay *replay, bez_error *err);

/* state_merge.c: the bodies of several states as one; they must be the shards of one data set, each once, all there. */
BEZ_MUST_USE bez_status bez_state_merge(const char *const *paths, size_t n, const char *out_path, uint64_t *n_rows,
                                        bez_error *err);

#endif
