/* Arrays that joblib.dump writes between the opcodes of a pickle, behind the BUILD of their wrapper
 * (joblib/numpy_pickle.py, NumpyArrayWrapper). */
#ifndef BEZ_DECODE_PICKLE_JOBLIB_H
#define BEZ_DECODE_PICKLE_JOBLIB_H

#include "decode/pickle_machine.h"

/* The top of the stack has just been given its state: skips the array that follows where it is a wrapper. An array of
 * objects is a stream of its own, and is followed. */
bool bez_pickle_joblib_array(bez_pickle_machine *m, const bez_pickle_value *state);

#endif
