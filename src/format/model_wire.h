/* What goes between a scan and the helper that reads models (src/decode/). One machine, one build: plain structs. With
 * the request comes the file as a descriptor (base/spawn.h, bez_child_pass). */
#ifndef BEZ_FORMAT_MODEL_WIRE_H
#define BEZ_FORMAT_MODEL_WIRE_H

#include <stdint.h>

#define BEZ_MODEL_MAGIC 0x315a4d42u  /* "BMZ1": a request */
#define BEZ_MODEL_ANSWER 0x325a4d42u /* "BMZ2": its answer */

typedef struct bez_model_request {
  uint32_t magic, reserved;
  char name[512]; /* the file's own name, NUL-terminated: its extension breaks ties */
} bez_model_request;

/* What bez_model_save made of it follows. */
typedef struct bez_model_reply {
  uint32_t magic, failed; /* failed: memory was out */
  uint64_t bytes;
} bez_model_reply;

#endif
