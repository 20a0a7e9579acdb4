/* Status codes, the caller-owned error, and version of libbezoar.
 *
 * Every fallible function returns a bez_status (must be used) and fills a bez_error that the caller owns.
 * The library never exits, aborts or prints. All functions are safe to call from several threads as long as
 * each call has its own bez_error and no handle is used by two threads at once, unless stated otherwise. */
#ifndef BEZOAR_BASE_H
#define BEZOAR_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BEZ_MUST_USE __attribute__((warn_unused_result))
#define BEZ_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define BEZ_API __attribute__((visibility("default")))
#else
#define BEZ_MUST_USE
#define BEZ_PRINTF(fmt, first)
#define BEZ_API
#endif

#define BEZ_VERSION_MAJOR 0
#define BEZ_VERSION_MINOR 1
#define BEZ_VERSION_PATCH 0
#define BEZ_VERSION_STRING "0.1.0"

typedef enum bez_status {
  BEZ_OK = 0,
  BEZ_USAGE,       /* the caller's arguments are wrong */
  BEZ_IO,          /* the operating system refused a read or a write */
  BEZ_FORMAT,      /* the input's bytes are malformed */
  BEZ_LIMIT,       /* a stated ceiling (base/limits.h, --memory, --max-time) would be passed */
  BEZ_MEMORY,      /* an allocation failed */
  BEZ_UNSUPPORTED, /* well formed, but nothing here can examine it */
  BEZ_CANCELLED,   /* the caller asked to stop */
  BEZ_INTERNAL     /* a bug in Bezoar */
} bez_status;

#define BEZ_ERROR_TEXT 512

/* Where something went wrong. Zero-initialise it; it owns nothing and needs no release. */
typedef struct bez_error {
  bez_status code;
  int64_t offset;               /* byte offset in the subject, -1 where unknown */
  int64_t line;                 /* 1-based line in the subject, -1 where unknown */
  char subject[BEZ_ERROR_TEXT]; /* file, column, option …; may be empty */
  char message[BEZ_ERROR_TEXT]; /* what, in one sentence without a final full stop */
} bez_error;

/* "0.1.0"; static storage. */
BEZ_API const char *bez_version(void);

/* "usage error", "input/output error", …; static storage, never NULL. */
BEZ_API const char *bez_status_text(bez_status status);

/* Called during long work, from the calling thread. done/total are in the unit named (rows, bytes);
 * total is 0 while unknown. Return false to cancel: the running call then returns BEZ_CANCELLED. */
typedef bool (*bez_progress_fn)(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total);

#ifdef __cplusplus
}
#endif
#endif
