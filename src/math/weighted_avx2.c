/* The same loops for this instruction set; the bits are those of the plain kernels. */
#include "math/weighted.h"

#if defined(__x86_64__)
#define KERNELS bez_weighted_avx2
#include "math/weighted_body.h"
#endif
