/* Chat records: an array of turns, [{"role": "user", "content": "…"}, …] or [{"from": "human", "value": "…"}, …], as a
 * prompt and a response. */
#ifndef BEZ_FORMAT_CHAT_H
#define BEZ_FORMAT_CHAT_H

#include "format/jsonscan.h"

typedef struct bez_chat {
  bez_buf prompt;    /* what others said before the last turn of the assistant, a line end between turns */
  bez_buf response;  /* what the assistant said, likewise; the last of several turns is the last */
  bool has_response; /* there is a turn of the assistant */
  bool duplicate;    /* a turn gives a key twice (the last counts) */
} bez_chat;

/* Whether an array under this key may hold turns: messages, conversations, conversation. */
bool bez_chat_key(const char *key, size_t len);
/* Reads the spelling of an array (checked before). False: its items are no turns, or it is empty; nothing is appended
 * then. Appends to both buffers, which do not move when each has room for `len` more bytes. scratch: as in
 * bez_jsonscan_string. */
bool bez_chat_read(const char *array, size_t len, bez_buf *scratch, bez_chat *out);

#endif
