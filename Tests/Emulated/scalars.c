/* Element functions, and random numbers. */
#include <stdlib.h>
#include <string.h>
#include "harness.h"

/* shape: step through the bits of a float, function (3: the logarithm, which has no version on lanes) */
static uint64_t functions_either(const int *shape, int plain) {
  float (*const alone[])(float) = {pk_exp, pk_tanh, pk_erf, pk_log};
  size_t n = (size_t)(0xffffffffull / (uint64_t)shape[0]);
  float *x = floats(n), *found = floats(n);
  for (size_t i = 0; i < n; i++) {
    uint32_t word = (uint32_t)(i * (uint64_t)shape[0]);
    if (i % 16 == 5) word &= 0x807fffff; /* a subnormal */
    memcpy(x + i, &word, 4);
  }
  if (plain || shape[1] == 3)
    for (size_t i = 0; i < n; i++) found[i] = alone[shape[1]](x[i]);
  else pk_map(threads, (pk_function)shape[1], x, found, n);
  uint64_t hash = hash_floats(HASH_START, found, n);
  free(x), free(found);
  return hash;
}
static uint64_t functions(const int *shape) { return functions_either(shape, 0); }
static uint64_t functions_alone(const int *shape) { return functions_either(shape, 1); }

static uint64_t philox(const int *shape) {
  uint64_t hash = HASH_START;
  for (uint32_t i = 0; i < (uint32_t)shape[0]; i++) {
    uint32_t counter[4] = {i, 1, ~i, 7}, key[2] = {i * 3, 5}, out[4];
    pk_philox(counter, key, out);
    for (int j = 0; j < 4; j++) hash = (hash ^ out[j]) * 0x100000001b3ull;
  }
  return hash;
}

void scalars(void) {
  for (int f = 0; f < 4; f++) on_every_path("function", (int[]){400009, f}, 2, functions, functions_alone);
  on_every_path("philox", (int[]){100}, 1, philox, NULL);
}
