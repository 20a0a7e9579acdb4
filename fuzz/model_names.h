/* Names under which model files are fuzzed and tried: the first byte of an input chooses one; extensions break ties
 * between readers. Append only: inputs that are kept depend on the order. */
#ifndef MODEL_NAMES_H
#define MODEL_NAMES_H

static const char *const model_names[] = {
    "model.pkl",         "data",           "model.pt",        "x.joblib",
    "model.safetensors", "model.gguf",     "model.onnx",      "saved_model.pb",
    "model.tflite",      "model.keras",    "model.h5",        "chat_template.jinja",
    "config.json",       "config.yaml",    "modeling_own.py", "model.npy",
    "keras_metadata.pb", "fingerprint.pb", "graph.pbtxt",     "variables.index",
    "README.md",         "MLmodel"};

#define MODEL_NAMES (sizeof model_names / sizeof *model_names)

#endif
