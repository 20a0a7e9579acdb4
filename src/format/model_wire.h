/* What goes between a scan and the helper that reads models (src/decode/). One machine, one build: plain structs. With
 * the request for one file comes the file as a descriptor (base/spawn.h, bez_child_pass). A request for many small ones
 * has no name; behind it come, for each, the lengths of its name (NUL included) and of its bytes as le32, and both. */
#ifndef BEZ_FORMAT_MODEL_WIRE_H
#define BEZ_FORMAT_MODEL_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define BEZ_MODEL_MAGIC 0x315a4d42u  /* "BMZ1": a request */
#define BEZ_MODEL_ANSWER 0x325a4d42u /* "BMZ2": its answer */
#define BEZ_MODEL_BATCH 0x335a4d42u  /* "BMZ3": many small files */

typedef struct bez_model_request {
  uint32_t magic, count; /* of files: 1 or, in a batch, how many */
  uint64_t bytes;        /* that follow the batch's head */
  char name[512];        /* the file's own name, NUL-terminated: its extension breaks ties */
} bez_model_request;

#define BEZ_MODEL_HEAD offsetof(bez_model_request, name)

/* What bez_model_save made of it follows; in a batch, for each file, its length as le32 and that. */
typedef struct bez_model_reply {
  uint32_t magic, failed; /* failed: memory was out */
  uint64_t bytes;
} bez_model_reply;

#endif
