/* Readers of model files: hostile bytes in, parts and facts out (format/model.h). They are linked into the sandboxed
 * helper alone, so that no model is ever parsed anywhere else. One file per format that ends in one const struct, and
 * one row in model_readers.def. */
#ifndef BEZ_DECODE_MODEL_H
#define BEZ_DECODE_MODEL_H

#include "base/buf.h"
#include "format/model.h"

struct bez_model_out; /* what was seen so far: model_out.c */

typedef struct bez_model_input {
  const uint8_t *bytes;
  size_t len;
  const char *name; /* for its extension: it breaks ties, the content decides */
  uint32_t part;
  unsigned depth;
  bool numbers; /* it is read as raw numbers: only what can be no accident (BEZ_MODEL_SURE) is taken for more */
} bez_model_input;

#define BEZ_MODEL_SURE 95

typedef struct bez_model_reader {
  const char *name, *title;
  const char *summary; /* what is read, what is refused */
  /* Bytes that it reads may be another reader's as well, and are one thing all the same (a configuration as JSON). */
  bool shares;
  /* The name of the reader of what its files may have behind them, by their own format; NULL: of none. */
  const char *carries;
  /* 0: not mine; else how sure. Bytes that several readers know are read by each of them. */
  int (*sniff)(const bez_model_input *in);
  /* Puts down parts and facts; what cannot be read is said with bez_model_unread. */
  void (*read)(const bez_model_input *in, struct bez_model_out *out);
} bez_model_reader;

#define BEZ_MODEL_READER(symbol) extern const bez_model_reader symbol;
#include "decode/model_readers.def"
#undef BEZ_MODEL_READER

extern const bez_model_reader *const bez_model_readers[]; /* NULL-terminated, order of model_readers.def */

struct bez_model_out *bez_model_out_create(void); /* NULL: out of memory */
void bez_model_out_destroy(struct bez_model_out *out);

/* A part and everything in it. Returns its number. */
uint32_t bez_model_examine(struct bez_model_out *out, uint32_t parent, unsigned depth, const char *name, uint64_t at,
                           const uint8_t *bytes, size_t len);
/* The same of what loaders take for raw numbers: any few bytes come up in them. */
uint32_t bez_model_examine_numbers(struct bez_model_out *out, uint32_t parent, unsigned depth, const char *name,
                                   uint64_t at, const uint8_t *bytes, size_t len);
/* The name of the reader that knew a part; "": none did. */
const char *bez_model_kind_of(const struct bez_model_out *out, uint32_t part);
/* What lies beside the parts of an archive, for formats that keep their numbers in other entries than their names. */
typedef struct bez_model_folder {
  uint32_t part; /* the archive */
  /* False: no such entry. *bytes NULL: it is packed. */
  bool (*find)(const void *ctx, const char *name, const uint8_t **bytes, uint64_t *len);
  const void *ctx;
  const struct bez_model_folder *outer;
} bez_model_folder;
/* From now on, until it is left: sets outer. */
void bez_model_enter(struct bez_model_out *out, bez_model_folder *folder);
void bez_model_leave(struct bez_model_out *out, const bez_model_folder *folder);
/* An entry beside that part. */
bool bez_model_beside(const struct bez_model_out *out, uint32_t part, const char *name, const uint8_t **bytes,
                      uint64_t *len);
/* Facts that say the same are counted, not repeated. Strings may be NULL: "". */
void bez_model_tell(struct bez_model_out *out, const bez_model_fact *fact);
/* True, and counted: a fact with a module was told before; its text need not be made. */
bool bez_model_told(struct bez_model_out *out, const bez_model_fact *fact);
void bez_model_unread(struct bez_model_out *out, uint32_t part, const char *fmt, ...) BEZ_PRINTF(3, 4);
void bez_model_odd(struct bez_model_out *out, uint32_t part, uint64_t at, const char *which, const char *fmt, ...)
    BEZ_PRINTF(5, 6);
/* The format names code, or files to reach. kind: a row of audit/code_kinds.def ("keras-lambda"), which says how bad it
 * is; what: the code or path itself; the sentence says where it stands and what it would do. */
void bez_model_code(struct bez_model_out *out, uint32_t part, uint64_t at, const char *kind, const char *what,
                    const char *fmt, ...) BEZ_PRINTF(6, 7);
/* What the file says of itself: key and value (need not end in NUL). */
void bez_model_says(struct bez_model_out *out, uint32_t part, const char *key, const char *value, size_t len);
/* A tensor whose `bytes` bytes of numbers begin at data, anywhere in what is examined (NULL: in no memory; then file
 * and at say where, if anywhere). `at` is worked out from it; strings are copied. */
void bez_model_tensor_at(struct bez_model_out *out, const bez_model_tensor *tensor, const uint8_t *data);
/* False, and said: more would be unpacked from one file than is allowed (BEZ_MAX_UNPACKED). */
bool bez_model_may_unpack(struct bez_model_out *out, uint32_t part, uint64_t bytes);

/* Appends what was seen as bytes; BEZ_MEMORY where it did not fit. */
BEZ_MUST_USE bez_status bez_model_save(const struct bez_model_out *out, bez_buf *bytes, bez_error *err);

#endif
