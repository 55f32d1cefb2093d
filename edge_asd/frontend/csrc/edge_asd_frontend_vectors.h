/* Vector types of one instruction set, lane i holding frame i; included once for each set.
 * LANES, K(name) and TARGET are set by edge_asd_frontend_batch.c. */
#ifndef INLINE
#define INLINE static inline __attribute__((always_inline))
#endif

#define vector K(vector)     /* int32 lanes */
#define words K(words)       /* the same as uint32 */
#define shorts K(shorts)     /* the same as pairs of int16 */
#define longs K(longs)       /* half of the lanes as uint64 */
#define wide K(wide)         /* all lanes as uint64 */
#define complexes K(complexes)

typedef int32_t vector __attribute__((vector_size(4 * LANES), may_alias));
typedef uint32_t words __attribute__((vector_size(4 * LANES), may_alias));
typedef int16_t shorts __attribute__((vector_size(4 * LANES), may_alias));
typedef uint64_t longs __attribute__((vector_size(4 * LANES), may_alias));

typedef struct {
    longs half[2];
} wide;

typedef union {
    struct {
        vector re, im;
    };
    wide power;
} complexes;
