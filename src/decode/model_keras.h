/* Configurations of Keras models (keras.saving's JSON), wherever they stand: config.json of a .keras file, attributes
 * of an HDF5 file, metadata of a SavedModel. */
#ifndef BEZ_DECODE_MODEL_KERAS_H
#define BEZ_DECODE_MODEL_KERAS_H

#include "base/json.h"
#include "decode/model.h"

/* Parses as Python does: of a key that stands twice the last one counts, which is said. NULL, and said as unread:
 * it is no JSON. */
json_t *bez_keras_parse(const bez_model_input *in, struct bez_model_out *out, const uint8_t *text, size_t len,
                        const char *role);
/* What the configuration would load or call, put down; text is where it was parsed from, within in->bytes. revived: the
 * classes it names need not be supplied, for a saved model holds what they compute. */
void bez_keras_examine(const bez_model_input *in, struct bez_model_out *out, json_t *config, const uint8_t *text,
                       size_t len, bool revived);

#endif
