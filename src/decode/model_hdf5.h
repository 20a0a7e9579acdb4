/* Between the files that read HDF5 (HDF5 File Format Specification 3.0): a reader of our own for what h5py and Keras
 * write. Whatever else the format can do (dense groups, shared messages, other sizes of addresses) is said to be
 * unread. */
#ifndef BEZ_DECODE_MODEL_HDF5_H
#define BEZ_DECODE_MODEL_HDF5_H

#include "base/cursor.h"
#include "decode/model.h"

#define BEZ_H5_UNDEFINED UINT64_MAX /* an address that leads nowhere */

typedef struct bez_h5 {
  const bez_model_input *in;
  struct bez_model_out *out;
  uint64_t base;   /* addresses count from here */
  uint64_t budget; /* bytes of structure that may still be looked at: objects may share them, or hold themselves */
} bez_h5;

enum {
  BEZ_H5_DATASPACE = 1,
  BEZ_H5_LINK_INFO = 2,
  BEZ_H5_DATATYPE = 3,
  BEZ_H5_LINK = 6,
  BEZ_H5_EXTERNAL = 7,
  BEZ_H5_LAYOUT = 8,
  BEZ_H5_ATTRIBUTE = 0xc,
  BEZ_H5_CONTINUATION = 0x10,
  BEZ_H5_SYMBOLS = 0x11,
  BEZ_H5_ATTRIBUTE_INFO = 0x15
};

typedef struct bez_h5_message {
  unsigned type;
  bool shared; /* the message says where it stands instead */
  bez_cursor data;
} bez_h5_message;

/* A cursor over len bytes at an address; false, and said: they are not in the file, or the budget is spent. */
bool bez_h5_at(bez_h5 *h, uint64_t address, uint64_t len, bez_cursor *out);
/* As far as the file goes. */
bool bez_h5_from(bez_h5 *h, uint64_t address, bez_cursor *out);
bool bez_h5_spend(bez_h5 *h, uint64_t bytes);
uint64_t bez_h5_offset(const bez_h5 *h, const bez_cursor *c); /* in the file */
/* Every message of the object header at an address. */
void bez_h5_messages(bez_h5 *h, uint64_t address, void (*take)(void *ctx, const bez_h5_message *m), void *ctx);

/* What items are: name as tensors have it, "" if they are no numbers; *size of one. */
const char *bez_h5_type(bez_cursor datatype, uint32_t *size);
/* Dimensions; false: too many, or an unknown form. */
bool bez_h5_shape(bez_cursor dataspace, uint32_t *n_dims, uint64_t shape[BEZ_MAX_MODEL_DIMS]);
/* An attribute: of a model's configuration its text is examined. */
void bez_h5_attribute(bez_h5 *h, bez_cursor message);
/* A NUL-terminated name in the local heap at an address. */
bool bez_h5_name(bez_h5 *h, uint64_t heap, uint64_t offset, const char **name, size_t *len);
/* What a dataset or link names in another file. */
void bez_h5_elsewhere(bez_h5 *h, const bez_cursor *at, const char *file, size_t len, const char *role);

#endif
