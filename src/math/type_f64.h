/* What kernels over doubles have in common, whatever the instruction set. Included once for each of them, so without a
 * guard; type_end.h, which their bodies end with, takes it back. */
#define REAL double
#define INT int64_t
#define NAME(x) f64_##x
#define LANES 8u /* sums and counts of a row kept side by side: the same for every instruction set */
#define MOST DBL_MAX
#define TOTAL bez_lanes_f64 /* the sum of LANES sums, of LANES counts (math/lanes.h) */
#define COUNT bez_lanes_i64
#define PAIR bez_distance_pair_f64 /* the careful squared distance of two rows (math/distance.h) */
#define SQUARE_LOW 1e-280          /* the range in which a tile's squared distance is as precise as it should be */
#define SQUARE_HIGH 1e300
