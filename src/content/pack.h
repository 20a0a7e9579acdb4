/* Inside the store of objects: packs as files. Layout: docs/vault/format.md.
 *
 *   "BZPACK1\n"
 *   blocks: le32 stored, le32 raw, le32 codec, the stored bytes
 *   directory: a record per block (56 bytes), per object ascending by id (48), per referred stretch (32); paths
 *   SHA-256 of every page of the directory
 *   footer (80 bytes)
 */
#ifndef BEZ_CONTENT_PACK_H
#define BEZ_CONTENT_PACK_H

#include "content/object.h"

#define BEZ_PACK_MAGIC "BZPACK1\n"
#define BEZ_PACK_END "BZPKEND1"
enum {
  BEZ_PACK_MAGIC_BYTES = 8,
  BEZ_PACK_HEAD = 12, /* before a block's stored bytes */
  BEZ_PACK_BLOCK = 56,
  BEZ_PACK_OBJECT = 48,
  BEZ_PACK_REFER = 32,
  BEZ_PACK_PAGE = 16384, /* of a directory: what is checked at once */
  BEZ_PACK_FOOTER = 80
};
#define BEZ_PACK_REFERRED UINT32_MAX     /* the block of an object whose bytes lie in another file */
#define BEZ_PACK_PART_OBJECTS (1u << 19) /* a pack in the making goes on in a new file behind so many objects … */
#define BEZ_PACK_PART_BYTES (2ull << 30) /* … or bytes */
#define BEZ_PACK_SUFFIX ".pack"

typedef enum bez_codec { BEZ_CODEC_RAW = 0, BEZ_CODEC_ZSTD = 1 } bez_codec;

typedef struct bez_block_record {
  uint64_t offset; /* of the block's header */
  uint32_t stored, raw, codec;
  uint8_t sha256[32]; /* of header and stored bytes */
} bez_block_record;

typedef struct bez_object_record {
  bez_id id;
  uint32_t block, offset, len; /* in the block's raw bytes; of a referred one offset is its referred record's number */
  uint32_t kind;
} bez_object_record;

typedef struct bez_refer_record {
  uint64_t offset, len; /* in the file */
  uint32_t path;        /* place in the table of paths */
  uint32_t block, frame_offset, frame_len;
} bez_refer_record;

/* The numbers of a footer. */
typedef struct bez_pack_shape {
  uint64_t blocks, objects, refers, paths_len, dir_offset;
} bez_pack_shape;

uint64_t bez_pack_dir_len(const bez_pack_shape *shape);
uint64_t bez_pack_pages(const bez_pack_shape *shape);

/* pack_record.c: records as bytes. */
void bez_put_block_record(bez_buf *out, const bez_block_record *record);
void bez_put_object_record(bez_buf *out, const bez_object_record *record);
void bez_put_refer_record(bez_buf *out, const bez_refer_record *record);
void bez_get_block_record(const uint8_t *bytes, bez_block_record *out);
void bez_get_object_record(const uint8_t *bytes, bez_object_record *out);
void bez_get_refer_record(const uint8_t *bytes, bez_refer_record *out);
/* The footer up to its digest. */
void bez_put_footer(bez_buf *out, const bez_pack_shape *shape);
/* false: these 48 bytes are none, or numbers that no file of this size can have. */
BEZ_MUST_USE bool bez_get_footer(const uint8_t *bytes, uint64_t file_size, bez_pack_shape *out);

/* pack_file.c: one pack, its directory mapped and checked page by page as it is read. Thread safe once open. */
typedef struct bez_pack_file bez_pack_file;
struct bez_pack_file {
  char *path;
  uint64_t size;
  uint64_t number; /* told by the caller, never used twice in a store: names its blocks in the cache */
  bez_pack_shape shape;
  uint8_t name[32]; /* the footer's digest */
  const uint8_t *map;
  size_t map_len;
  const uint8_t *dir, *digests; /* in the map */
  _Atomic uint8_t *checked;     /* per page: 1 it is what its digest says, 2 it is not */
  int fd;                       /* kept open where the store has few packs; -1: opened for each read */
  bool seen;                    /* of the store, while it looks what is there */
};
/* BEZ_FORMAT: no pack, or its footer or list of page digests is damaged. check_name: the file must be called after its
 * digest. */
BEZ_MUST_USE bez_status bez_pack_file_open(const char *path, uint64_t number, bool check_name, bez_pack_file **out,
                                           bez_error *err);
void bez_pack_file_close(bez_pack_file *file); /* NULL is fine */
typedef enum bez_found { BEZ_FOUND_NOT, BEZ_FOUND, BEZ_FOUND_DAMAGED } bez_found;
/* DAMAGED: a page of the directory that the search met is not what it was. */
bez_found bez_pack_file_find(const bez_pack_file *file, const bez_id *id, bez_object_record *out);
/* The same, as the record's number. */
bez_found bez_pack_file_number(const bez_pack_file *file, const bez_id *id, uint64_t *number);
/* Record number i; false: there is none, or its page is damaged. */
BEZ_MUST_USE bool bez_pack_file_block(const bez_pack_file *file, uint64_t i, bez_block_record *out);
BEZ_MUST_USE bool bez_pack_file_object(const bez_pack_file *file, uint64_t i, bez_object_record *out);
BEZ_MUST_USE bool bez_pack_file_refer(const bez_pack_file *file, uint64_t i, bez_refer_record *out);
/* Borrowed, not NUL-terminated. */
BEZ_MUST_USE bool bez_pack_file_path(const bez_pack_file *file, uint32_t place, const char **path, size_t *len);

/* block.c */
struct bez_block {
  bez_buf raw, stored; /* stored: header and bytes, once sealed */
  bez_object_record *objects;
  size_t n, cap;
  bez_block_record record; /* once sealed; its offset is the pack's to say */
  bool sealed;
  bez_packer *packer; /* of its own, where nobody lends one; owned */
};
void bez_block_clear(bez_block *block);
/* Stored bytes (header included, checked against the record's numbers) → raw bytes (room for record->raw). unpacker: a
 * ZSTD_DCtx. */
BEZ_MUST_USE bez_status bez_block_unpack(const char *path, const bez_block_record *record, const uint8_t *stored,
                                         void *unpacker, void *raw, bez_error *err);

/* block_cache.c: unpacked blocks, so that a walk does not unpack a block for every leaf in it. Thread safe. */
typedef struct bez_block_cache bez_block_cache;
BEZ_MUST_USE bez_status bez_block_cache_create(bez_block_cache **out, bez_error *err);
void bez_block_cache_free(bez_block_cache *cache); /* NULL is fine */
/* Where a block lies. fd -1: the file is opened at path for the read. */
typedef struct bez_block_place {
  const char *path;
  int fd;
  uint64_t number; /* of the pack */
  uint32_t block;
  bez_block_record record;
} bez_block_place;
/* Appends raw bytes [offset, offset + len) of a block to out. */
BEZ_MUST_USE bez_status bez_block_cache_read(bez_block_cache *cache, const bez_block_place *place, uint32_t offset,
                                             uint32_t len, bez_buf *out, bez_error *err);

/* refer.c: puts frame and the file's bytes together (content/item.h): appends the leaf to out. */
BEZ_MUST_USE bez_status bez_refer_read(const char *path, uint64_t offset, uint64_t len, const void *frame,
                                       size_t frame_len, bez_buf *out, bez_error *err);

/* object.c */
/* Appends to out the object that a record of an open pack names; what a file of the user's holds is checked here. */
BEZ_MUST_USE bez_status bez_pack_file_read(bez_block_cache *cache, const bez_pack_file *file,
                                           const bez_object_record *object, bez_buf *out, bez_error *err);
/* BEZ_FORMAT unless it is of that kind (0: any) and hashes to its id. */
BEZ_MUST_USE bez_status bez_object_check(const char *path, bez_object_kind kind, const bez_object_record *object,
                                         const bez_buf *bytes, bez_error *err);

#endif
