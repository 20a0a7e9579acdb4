/* What a pickle would do, told without doing it: an abstract run of the pickle machine (CPython's Modules/_pickle.c and
 * Lib/pickletools.py, protocols 0 to 5). Stack, memo and marks are followed as the loaders follow them; what is
 * imported becomes a name, what is called becomes an expression, and nothing is ever imported or called.
 *
 * Whatever happened before a stream breaks has happened: events come as they would be carried out, and the stream's end
 * says how far it could be followed. Not thread safe per run; runs share nothing. */
#ifndef BEZ_DECODE_PICKLE_H
#define BEZ_DECODE_PICKLE_H

#include "base/buf.h"

#define BEZ_PICKLE_TEXT 400u /* bytes of an expression, about */

typedef enum bez_pickle_what {
  BEZ_PICKLE_IMPORT,    /* a global is looked up: its module is imported, its attribute fetched */
  BEZ_PICKLE_CALL,      /* something is called, or an instance made */
  BEZ_PICKLE_STATE,     /* the state of something that is no fresh instance is set: a class, module or function */
  BEZ_PICKLE_EXTENSION, /* a code of the extension registry: what it stands for cannot be known */
  BEZ_PICKLE_NESTED,    /* bytes that are a pickle themselves: text is "", bytes and len are set */
  BEZ_PICKLE_ITEM,      /* arguments, which may hold something, is put into target: under key, or as its state (NULL) */
  BEZ_PICKLE_PERSISTENT, /* target is looked up by the loader: a storage of a torch file */
  BEZ_PICKLE_END         /* the stream is whole: target is what it gives */
} bez_pickle_what;

struct bez_pickle_value;

typedef struct bez_pickle_event {
  bez_pickle_what what;
  uint64_t at;               /* offset of the opcode */
  const char *opcode;        /* "REDUCE" */
  const char *module, *name; /* of what is imported or called; NULL where only running could tell */
  bool known;                /* a call whose result could be worked out without running anything */
  const uint8_t *bytes;      /* of a nested pickle, borrowed */
  size_t len;
  const struct bez_pickle_value *target, *arguments; /* for bez_pickle_write_event */
  const struct bez_pickle_value *key;                /* of an item: in a list its number */
} bez_pickle_event; /* valid for the call; what values point to (pickle_value.h) until the run ends */

/* The event as Python would be written, printable ASCII and about BEZ_PICKLE_TEXT bytes at most: os.system('id').
 * Appends. */
void bez_pickle_write_event(bez_buf *out, const bez_pickle_event *event);

/* The first argument where it is a constant string; NULL. Not NUL-terminated. */
const char *bez_pickle_first_string(const bez_pickle_event *event, size_t *len);

/* False: stop here (the stream's end says so). */
typedef bool (*bez_pickle_fn)(void *ctx, const bez_pickle_event *event);

typedef struct bez_pickle_end {
  uint64_t used; /* offset behind the last opcode that was followed */
  uint64_t opcodes;
  uint64_t raw;       /* bytes of arrays between the opcodes (joblib) */
  unsigned objects;   /* arrays of objects among them, each a stream of its own */
  bool stopped;       /* a STOP was reached: the stream is whole */
  bool limit;         /* it failed at a ceiling of ours */
  bool crowded;       /* more containers than are remembered: items of some were not told */
  bool frames_differ; /* an opcode crosses the end of its frame: readers disagree over such a stream */
  uint8_t protocol;
  char why[160]; /* of a stream that is not whole */
} bez_pickle_end;

/* Follows one stream from `at` on. joblib: arrays stand between the opcodes, as joblib.load reads them. */
void bez_pickle_run(const uint8_t *bytes, size_t len, size_t at, bool joblib, bez_pickle_fn fn, void *ctx,
                    bez_pickle_end *end);

/* Bytes that begin like a pickle of protocol 2 or later. */
bool bez_pickle_magic(const uint8_t *bytes, size_t len);

#endif
