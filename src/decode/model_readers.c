/* The table of readers of models (model.h). */
#include "decode/model.h"

#define BEZ_MODEL_READER(symbol) &symbol,
const bez_model_reader *const bez_model_readers[] = {
#include "decode/model_readers.def"
    NULL};
#undef BEZ_MODEL_READER
