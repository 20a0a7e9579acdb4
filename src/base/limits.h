/* Every ceiling on what hostile input can make us do, in one place. */
#ifndef BEZ_BASE_LIMITS_H
#define BEZ_BASE_LIMITS_H

#define BEZ_MAX_COLUMNS 16384u        /* columns of a table */
#define BEZ_MAX_NAME 4096u            /* bytes of a column name */
#define BEZ_MAX_CELL (64u << 20)      /* bytes of one cell */
#define BEZ_MAX_RECORD (256u << 20)   /* bytes of one CSV record or JSONL line */
#define BEZ_MAX_FILES 4000000u        /* files in one data set: a folder of pictures has one per row */
#define BEZ_MAX_ROWS (1ull << 40)     /* rows of one data set */
#define BEZ_MAX_DICT (1u << 22)       /* distinct values kept per column before it is truncated */
#define BEZ_MAX_DICT_VALUE 1024u      /* bytes of one dictionary value: a longer cell makes the column text */
#define BEZ_MAX_JSON_DEPTH 64u        /* nesting of any JSON document */
#define BEZ_MAX_JSON_BYTES (1u << 30) /* a whole JSON document held in memory (reports, answer keys) */
#define BEZ_MAX_YAML_BYTES (4u << 20) /* a configuration or suppression file */
#define BEZ_MAX_YAML_DEPTH 16u
#define BEZ_MAX_ZIP_ENTRIES 65536u
#define BEZ_MAX_RATIO 2000u /* decompressed : compressed, checked after BEZ_RATIO_FLOOR bytes */
#define BEZ_RATIO_FLOOR (64u << 20)
#define BEZ_MAX_NPY_HEADER (1u << 20)
#define BEZ_MAX_TENSOR_HEADER 100000000u /* bytes of a safetensors header: as the official loader has it */
#define BEZ_MAX_TENSOR_DIMS 32u
#define BEZ_MAX_IMAGE_SIDE 16384u           /* pixels */
#define BEZ_MAX_IMAGE_BYTES (256ull << 20)  /* of one picture, unpacked */
#define BEZ_MAX_PICTURE_FILE (256ull << 20) /* a PNG, JPEG … as it lies on disk */
#define BEZ_PICTURE_SIDE 256u               /* picture files are kept no larger than this */
#define BEZ_MAX_VECTOR 65536u               /* numbers of an embedding */
#define BEZ_MAX_CLASSES 1000u               /* distinct labels before label checks are off */
#define BEZ_MAX_SAVED (1u << 30)            /* saved summary state */
#define BEZ_MAX_CHUNK (1u << 30)            /* one chunk of a saved state, unpacked */
#define BEZ_MAX_TILE_ROWS (1u << 22)        /* rows of one saved tile */
#define BEZ_MAX_PICKLE_STACK (4u << 20)     /* values of the abstract pickle machine, 16 bytes each */
#define BEZ_MAX_PICKLE_MEMO (16u << 20)
#define BEZ_MAX_PICKLE_BYTES (96u << 20) /* of its containers; beyond them contents are not remembered */
#define BEZ_MAX_PICKLE_DEPTH 8u          /* pickles within pickles */
#define BEZ_MAX_PICKLE_OBJECTS 100000u   /* arrays of objects in one joblib file */
#define BEZ_MAX_MODEL_FILES (1u << 18)   /* in one folder */
#define BEZ_MAX_FOLDER_DEPTH 32u
#define BEZ_MAX_MODEL_PARTS 65536u      /* files within one model file */
#define BEZ_MAX_MODEL_BATCH 64u         /* small files that are read at once */
#define BEZ_MAX_MODEL_SMALL (64u << 10) /* bytes of one */
#define BEZ_MAX_MODEL_FACTS 65536u
#define BEZ_MAX_MODEL_ODD 1000u /* oddities that are told */
#define BEZ_MAX_MODEL_TENSORS (1u << 20)
#define BEZ_MAX_MODEL_DIMS 8u             /* of a tensor */
#define BEZ_MAX_MODEL_ABOUT (64u << 10)   /* bytes of what a model says of itself, each */
#define BEZ_MAX_MODEL_DEPTH 8u            /* archives within archives */
#define BEZ_MAX_UNPACKED (512u << 20)     /* bytes unpacked from one model file */
#define BEZ_MAX_MODEL_ANSWER (256u << 20) /* what is seen in one model, as bytes */
#define BEZ_MAX_BANK_BYTES (256u << 20)   /* a reference bank of adapters */
#define BEZ_MAX_BANK_ROWS 200000u         /* … and the adapters in it */
#define BEZ_MAX_EXAMINED_TIMES 4u         /* bytes of a model, by parts that share them */
#define BEZ_BOMB_RATIO 200u               /* unpacked : packed of a part of a model … */
#define BEZ_BOMB_FLOOR (16u << 20)        /* … once that much has come out */
#define BEZ_MAX_BUNDLE (16u << 20)        /* bytes of a signature bundle */
#define BEZ_MAX_KNOWN (1u << 20)          /* digests in a list of known ones */
#define BEZ_MAX_KNOWN_BYTES (256u << 20)
#define BEZ_MAX_OBJECT (288u << 20) /* bytes of one object of a vault: a record with what lies around it */
#define BEZ_MAX_SHARDS 65536u
#define BEZ_MAX_THREADS 256u
#define BEZ_MAX_FINDINGS 5000u /* findings of one rule in one report */

#endif
