/* Object headers of HDF5, versions 1 and 2: blocks of messages that lead on to others. */
#include <string.h>

#include "decode/model_hdf5.h"

#define MOST_BLOCKS 64u

typedef struct block {
  uint64_t at, len;
} block;

typedef struct header {
  unsigned version;
  bool ordered; /* messages of version 2 carry when they were made */
  block blocks[MOST_BLOCKS];
  unsigned n;
} header;

bool bez_h5_spend(bez_h5 *h, uint64_t bytes) {
  if (bytes <= h->budget) {
    h->budget -= bytes;
    return true;
  }
  h->budget = 0;
  bez_model_unread(h->out, h->in->part, "its structure shares so many bytes, or is so large, that it was not followed");
  return false;
}

uint64_t bez_h5_offset(const bez_h5 *h, const bez_cursor *c) {
  return (uint64_t)(c->data + c->pos - h->in->bytes);
}

bool bez_h5_at(bez_h5 *h, uint64_t address, uint64_t len, bez_cursor *out) {
  const uint64_t size = h->in->len - h->base;
  if (address > size || len > size - address) {
    bez_model_unread(h->out, h->in->part, "an address beyond the end of the file");
    return false;
  }
  *out = (bez_cursor){.data = h->in->bytes + h->base + address, .len = (size_t)len};
  return bez_h5_spend(h, len);
}

bool bez_h5_from(bez_h5 *h, uint64_t address, bez_cursor *out) {
  const uint64_t size = h->in->len - h->base;
  bez_cursor start;
  if (!bez_h5_at(h, address, 0, &start)) return false;
  *out = (bez_cursor){.data = start.data, .len = (size_t)(size - address)};
  return bez_h5_spend(h, 32);
}

static bool is_signed(bez_cursor *c, const char *signature) {
  const uint8_t *p;
  return bez_cursor_take(c, 4, &p) && memcmp(p, signature, 4) == 0;
}

static bool sized(bez_cursor *c, unsigned bytes, uint64_t *out) {
  uint8_t byte;
  *out = 0;
  for (unsigned i = 0; i < bytes; i++) {
    if (!bez_cursor_u8(c, &byte)) return false;
    *out |= (uint64_t)byte << (8 * i);
  }
  return true;
}

/* The first block of an object header. */
static bool open_header(bez_h5 *h, uint64_t address, header *head) {
  bez_cursor c;
  uint8_t version, flags;
  uint32_t size;
  uint64_t len;
  if (!bez_h5_from(h, address, &c) || !bez_cursor_u8(&c, &version)) return false;
  if (version == 1) {
    head->version = 1;
    if (!bez_cursor_skip(&c, 7) || !bez_cursor_le32(&c, &size) || !bez_cursor_skip(&c, 4)) return false;
    head->blocks[head->n++] = (block){address + c.pos, size};
    return true;
  }
  c.pos = 0;
  if (!is_signed(&c, "OHDR") || !bez_cursor_u8(&c, &version) || version != 2 || !bez_cursor_u8(&c, &flags))
    return false;
  head->version = 2;
  head->ordered = flags & 4;
  if (!bez_cursor_skip(&c, (flags & 0x20 ? 16u : 0u) + (flags & 0x10 ? 4u : 0u)) || !sized(&c, 1u << (flags & 3), &len))
    return false;
  head->blocks[head->n++] = (block){address + c.pos, len};
  return true;
}

static bool next_message(const header *head, bez_cursor *c, bez_h5_message *m) {
  uint16_t type = 0, size;
  uint8_t byte, flags;
  const uint8_t *data;
  bez_cursor ahead = *c;
  if (head->version == 1) {
    if (!bez_cursor_le16(&ahead, &type)) return false;
  } else {
    if (!bez_cursor_u8(&ahead, &byte)) return false;
    type = byte;
  }
  if (!bez_cursor_le16(&ahead, &size) || !bez_cursor_u8(&ahead, &flags)) return false;
  if (!bez_cursor_skip(&ahead, head->version == 1 ? 3u : head->ordered ? 2u : 0u)) return false;
  if (!bez_cursor_take(&ahead, size, &data)) return false;
  *m = (bez_h5_message){.type = type, .shared = flags & 2, .data = {.data = data, .len = size}};
  *c = ahead;
  return true;
}

/* Where the header goes on. */
static bool follow(const header *head, bez_cursor where, block *next) {
  if (!bez_cursor_le64(&where, &next->at) || !bez_cursor_le64(&where, &next->len)) return false;
  if (head->version == 1) return true;
  if (next->len < 8) return false; /* version 2: a signature in front, a check sum behind */
  next->at += 4;
  next->len -= 8;
  return true;
}

void bez_h5_messages(bez_h5 *h, uint64_t address, void (*take)(void *ctx, const bez_h5_message *m), void *ctx) {
  header head = {0};
  bez_h5_message m;
  bez_cursor c;
  bool good = open_header(h, address, &head);
  for (unsigned i = 0; good && i < head.n; i++) {
    good = bez_h5_at(h, head.blocks[i].at, head.blocks[i].len, &c);
    while (good && next_message(&head, &c, &m)) {
      if (m.type != BEZ_H5_CONTINUATION)
        take(ctx, &m);
      else
        good = head.n < MOST_BLOCKS && follow(&head, m.data, &head.blocks[head.n++]);
    }
  }
  if (!good) bez_model_unread(h->out, h->in->part, "an object's header is broken or of an unknown form");
}
