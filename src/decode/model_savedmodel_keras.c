/* What Keras says of the layers of a saved model: JSON within its objects, or keras_metadata.pb beside it. */
#include <string.h>

#include "decode/model_keras.h"
#include "decode/model_savedmodel.h"

enum { NODES = 1, USER_OBJECT = 4, USER_METADATA = 3 }; /* SavedObjectGraph, SavedObject, SavedUserObject */
enum { IDENTIFIER = 4, METADATA = 5 };                  /* keras: SavedMetadata.nodes, SavedObject */

static void read_json(const bez_model_input *in, struct bez_model_out *out, const bez_proto_field *f) {
  if (!f->len || f->bytes[0] != '{') return;
  json_t *doc = bez_keras_parse(in, out, f->bytes, f->len, "what Keras says of a layer");
  if (doc) bez_keras_examine(in, out, doc, f->bytes, f->len, true);
  json_decref(doc);
}

void bez_tf_objects(const bez_tf *tf, bez_cursor graph) {
  bez_proto_field f, user, metadata;
  while (bez_proto_next(&graph, &f))
    if (bez_proto_is(&f, NODES, BEZ_PROTO_BYTES) && bez_proto_find(bez_proto_inside(&f), USER_OBJECT, &user) &&
        bez_proto_find(bez_proto_inside(&user), USER_METADATA, &metadata))
      read_json(tf->in, tf->out, &metadata);
}

static int sniff(const bez_model_input *in) {
  const char *slash = strrchr(in->name, '/');
  bez_cursor c = {.data = in->bytes, .len = in->len};
  bez_proto_field f, identifier;
  if (!strcmp(slash ? slash + 1 : in->name, "keras_metadata.pb")) return 85;
  while (bez_proto_next(&c, &f))
    if (bez_proto_is(&f, NODES, BEZ_PROTO_BYTES) && bez_proto_find(bez_proto_inside(&f), IDENTIFIER, &identifier) &&
        identifier.len > 9 && memcmp(identifier.bytes, "_tf_keras", 9) == 0)
      return 85;
  return 0;
}

static void read_metadata(const bez_model_input *in, struct bez_model_out *out) {
  bez_cursor c = {.data = in->bytes, .len = in->len};
  bez_proto_field f, metadata;
  while (bez_proto_next(&c, &f))
    if (bez_proto_is(&f, NODES, BEZ_PROTO_BYTES) && bez_proto_find(bez_proto_inside(&f), METADATA, &metadata))
      read_json(in, out, &metadata);
  if (c.pos < c.len) bez_model_unread(out, in->part, "the metadata is broken at byte %zu", c.pos);
}

const bez_model_reader bez_model_reader_keras_metadata = {
    .name = "keras-metadata",
    .title = "Keras metadata of a saved model",
    .summary = "keras_metadata.pb beside saved_model.pb: configurations of layers, examined as in .keras files.",
    .sniff = sniff,
    .read = read_metadata};
