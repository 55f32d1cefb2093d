/* Chooses the widest vectors that the processor has; edge_asd_frontend_kernel.h is the arithmetic.
 *
 * The vectors are those of GCC and Clang (arithmetic, shifts and comparisons work lane by lane).
 * What they cannot say, 32 x 32 -> 64-bit products, is written for each instruction set below. */
#include "edge_asd_frontend_batch.h"

#include <string.h>

#include "edge_asd_frontend_ops.h"

#define LARGEST_LANES 16

#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (vector){__VA_ARGS__})
#endif

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>

#define LANES 8
#define K(name) name##_avx2
#define TARGET __attribute__((target("avx2")))
#define INTERLEAVE_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define INTERLEAVE_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#include "edge_asd_frontend_vectors.h"

/* The halves of a wide value are the even and the odd lanes. */
INLINE TARGET vector mul_avx2(vector a, vector w) {
    const __m256i round = _mm256_set1_epi64x((int64_t)1 << 31);
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32((__m256i)a, (__m256i)w), round);
    const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64((__m256i)a, 32), (__m256i)w), round);
    return (vector)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
}

INLINE TARGET vector mul_negated_avx2(vector a, vector w) {
    const __m256i round = _mm256_set1_epi64x((int64_t)1 << 31);
    const __m256i even = _mm256_sub_epi64(round, _mm256_mul_epi32((__m256i)a, (__m256i)w));
    const __m256i odd = _mm256_sub_epi64(round, _mm256_mul_epi32(_mm256_srli_epi64((__m256i)a, 32), (__m256i)w));
    return (vector)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
}

INLINE TARGET wide squares_avx2(vector a, vector b) {
    const __m256i a_odd = _mm256_srli_epi64((__m256i)a, 32), b_odd = _mm256_srli_epi64((__m256i)b, 32);
    wide sum;
    sum.half[0] = (longs)_mm256_mul_epi32((__m256i)a, (__m256i)a) + (longs)_mm256_mul_epi32((__m256i)b, (__m256i)b);
    sum.half[1] = (longs)_mm256_mul_epi32(a_odd, a_odd) + (longs)_mm256_mul_epi32(b_odd, b_odd);
    return sum;
}

INLINE TARGET longs weigh_avx2(longs p, vector w) { return (longs)_mm256_mul_epu32((__m256i)p, (__m256i)w); }

INLINE TARGET vector high_words_avx2(wide x) {
    return (vector)_mm256_blend_epi32((__m256i)(x.half[0] >> 32), (__m256i)x.half[1], 0xAA);
}

INLINE TARGET vector low_words_avx2(wide x) {
    return (vector)_mm256_blend_epi32((__m256i)x.half[0], (__m256i)(x.half[1] << 32), 0xAA);
}

INLINE TARGET vector lookup_avx2(const int32_t *table, vector index) {
    return (vector)_mm256_i32gather_epi32(table, (__m256i)index, 4);
}

#include "edge_asd_frontend_kernel.h"

#define LANES 16
#define K(name) name##_avx512
#define TARGET __attribute__((target("avx512f,avx512bw")))
#define INTERLEAVE_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define INTERLEAVE_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#include "edge_asd_frontend_vectors.h"

/* odd's high words, with even's moved between them */
INLINE TARGET vector highs_avx512(__m512i even, __m512i odd) {
    return (vector)_mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
}

INLINE TARGET vector mul_avx512(vector a, vector w) {
    const __m512i round = _mm512_set1_epi64((int64_t)1 << 31);
    const __m512i even = _mm512_add_epi64(_mm512_mul_epi32((__m512i)a, (__m512i)w), round);
    const __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64((__m512i)a, 32), (__m512i)w), round);
    return highs_avx512(even, odd);
}

INLINE TARGET vector mul_negated_avx512(vector a, vector w) {
    const __m512i round = _mm512_set1_epi64((int64_t)1 << 31);
    const __m512i even = _mm512_sub_epi64(round, _mm512_mul_epi32((__m512i)a, (__m512i)w));
    const __m512i odd = _mm512_sub_epi64(round, _mm512_mul_epi32(_mm512_srli_epi64((__m512i)a, 32), (__m512i)w));
    return highs_avx512(even, odd);
}

INLINE TARGET wide squares_avx512(vector a, vector b) {
    const __m512i a_odd = _mm512_srli_epi64((__m512i)a, 32), b_odd = _mm512_srli_epi64((__m512i)b, 32);
    wide sum;
    sum.half[0] = (longs)_mm512_mul_epi32((__m512i)a, (__m512i)a) + (longs)_mm512_mul_epi32((__m512i)b, (__m512i)b);
    sum.half[1] = (longs)_mm512_mul_epi32(a_odd, a_odd) + (longs)_mm512_mul_epi32(b_odd, b_odd);
    return sum;
}

INLINE TARGET longs weigh_avx512(longs p, vector w) { return (longs)_mm512_mul_epu32((__m512i)p, (__m512i)w); }

INLINE TARGET vector high_words_avx512(wide x) { return highs_avx512((__m512i)x.half[0], (__m512i)x.half[1]); }

INLINE TARGET vector low_words_avx512(wide x) {
    return (vector)_mm512_mask_mov_epi32((__m512i)x.half[0], 0xAAAA, (__m512i)(x.half[1] << 32));
}

INLINE TARGET vector lookup_avx512(const int32_t *table, vector index) {
    return (vector)_mm512_i32gather_epi32((__m512i)index, table, 4);
}

#include "edge_asd_frontend_kernel.h"

#elif defined(__GNUC__) && defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)
#include <arm_neon.h>

#define LANES 4
#define K(name) name##_neon
#define TARGET
#define INTERLEAVE_LOW 0, 4, 1, 5
#define INTERLEAVE_HIGH 2, 6, 3, 7
#include "edge_asd_frontend_vectors.h"

/* The halves of a wide value are the first two and the last two lanes. */
INLINE vector mul_neon(vector a, vector w) {
    const int32x4_t x = (int32x4_t)a, y = (int32x4_t)w;
    const int32x2_t low = vrshrn_n_s64(vmull_s32(vget_low_s32(x), vget_low_s32(y)), 32);
    return (vector)vrshrn_high_n_s64(low, vmull_high_s32(x, y), 32);
}

INLINE vector mul_negated_neon(vector a, vector w) {
    const int32x4_t x = (int32x4_t)a, y = (int32x4_t)w;
    const int64x2_t round = vdupq_n_s64((int64_t)1 << 31);
    const int32x2_t low = vshrn_n_s64(vmlsl_s32(round, vget_low_s32(x), vget_low_s32(y)), 32);
    return (vector)vshrn_high_n_s64(low, vmlsl_high_s32(round, x, y), 32);
}

INLINE wide squares_neon(vector a, vector b) {
    const int32x4_t x = (int32x4_t)a, y = (int32x4_t)b;
    const int64x2_t low = vmull_s32(vget_low_s32(x), vget_low_s32(x));
    wide sum;
    sum.half[0] = (longs)vmlal_s32(low, vget_low_s32(y), vget_low_s32(y));
    sum.half[1] = (longs)vmlal_high_s32(vmull_high_s32(x, x), y, y);
    return sum;
}

INLINE longs weigh_neon(longs p, vector w) {
    return (longs)vmull_u32(vmovn_u64((uint64x2_t)p), vget_low_u32((uint32x4_t)w));
}

INLINE vector high_words_neon(wide x) { return (vector)vuzp2q_s32((int32x4_t)x.half[0], (int32x4_t)x.half[1]); }

INLINE vector low_words_neon(wide x) { return (vector)vuzp1q_s32((int32x4_t)x.half[0], (int32x4_t)x.half[1]); }

INLINE vector lookup_neon(const int32_t *table, vector index) {
    const vector result = {table[index[0]], table[index[1]], table[index[2]], table[index[3]]};
    return result;
}

#include "edge_asd_frontend_kernel.h"
#endif

bool edge_asd_frontend_batch_supports(edge_asd_instructions instructions) {
    switch (instructions) {
        case EDGE_ASD_PLAIN:
            return true;
#if defined(__GNUC__) && defined(__x86_64__)
        case EDGE_ASD_AVX2:
            return __builtin_cpu_supports("avx2") != 0;
        case EDGE_ASD_AVX512:
            return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
#elif defined(__GNUC__) && defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)
        case EDGE_ASD_NEON:
            return true;
#endif
        default:
            return false;
    }
}

/* 6 bytes a sample and lane, 4 a band and lane, the lookup table and room to align. */
size_t edge_asd_frontend_batch_size(const edge_asd_frontend_tables *t) {
    return LARGEST_LANES * (6U * t->n_fft + 4U * (t->n_mels + LARGEST_LANES)) + 256 + 64;
}

static void plain(const edge_asd_frontend_tables *t, const int16_t *pcm, size_t frames, int32_t *out, void *memory) {
    edge_asd_frontend *frontend = edge_asd_frontend_init(memory, EDGE_ASD_FRONTEND_BYTES(t->n_fft), t);
    size_t done = 0;
    while (done < frames) {
        bool ready = false;
        pcm += edge_asd_frontend_push(frontend, pcm, t->n_fft, out, &ready);
        if (ready) {
            out += t->n_mels;
            done++;
        }
    }
}

void edge_asd_frontend_batch(const edge_asd_frontend_tables *t, const int16_t *pcm, size_t frames, int32_t *out,
                             void *memory, edge_asd_instructions instructions) {
    memory = (void *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
    switch (instructions) {
#if defined(__GNUC__) && defined(__x86_64__)
        case EDGE_ASD_AVX2:
            batch_avx2(t, pcm, frames, out, memory);
            return;
        case EDGE_ASD_AVX512:
            batch_avx512(t, pcm, frames, out, memory);
            return;
#elif defined(__GNUC__) && defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)
        case EDGE_ASD_NEON:
            batch_neon(t, pcm, frames, out, memory);
            return;
#endif
        default:
            plain(t, pcm, frames, out, memory);
    }
}
