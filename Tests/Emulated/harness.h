/* What the harness's files share: operands, hashes, and running a kernel on every path. */
#ifndef HARNESS_H
#define HARNESS_H

#include <stddef.h>
#include <stdint.h>
#include "CKernels.h"

/* Kinds of operands.
   ORDINARY: of varied size, with some zeros and subnormals.
   SMALL: products of two are subnormal or a little more, so that chains end in either zero. They have 8 bits, so that no
     product falls within half a unit under the least normal number, where x86 rounds first and flushes then, and ARM flushes.
   LEAST: the least normal numbers and -0, to which sums of such products are added.
   SPECIAL: with infinities and NaN. */
typedef enum { ORDINARY = 0, SMALL = 1, SPECIAL = 2, LEAST = 3 } operands;

/* How many threads the kernels that this thread calls work on. */
extern _Thread_local int threads;

uint64_t random_word(uint64_t seed, uint64_t index);
void fill(float *x, size_t n, uint64_t seed, operands kind);
/* Memory of exactly n floats, so that a sanitizer sees every step outside. */
float *floats(size_t n);
float *filled(size_t n, uint64_t seed, operands kind);
void *stored(const float *x, size_t n, pk_type type);

#define HASH_START 0xcbf29ce484222325ull
uint64_t hash_floats(uint64_t hash, const float *x, size_t n);
uint64_t hash_typed(uint64_t hash, const void *x, pk_type type, size_t n);

/* Computes a kernel for one shape and hashes all it wrote. */
typedef uint64_t (*hash_function)(const int *shape);
/* Runs `body` on every path with 1 and 3 threads, compares with `definition` (or with the portable path where that is NULL)
   and prints the line. */
void on_every_path(const char *kernel, const int *shape, int dimensions, hash_function body, hash_function definition);

uint64_t product(const int *shape);
void products(void);
void rows(void);
void attentions(void);
void vocabularies(void);
void scalars(void);

#endif
