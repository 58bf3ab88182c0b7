/* Element functions, and random numbers. */
#include <string.h>
#include "harness.h"

/* shape: steps through the bits of a float */
static uint64_t functions(const int *shape) {
  uint64_t hash = HASH_START;
  for (uint64_t bits = 0; bits <= 0xffffffffull; bits += (uint64_t)shape[0]) {
    uint32_t word = (uint32_t)bits;
    float x, found[2];
    memcpy(&x, &word, 4);
    if ((word & 0x7f800000) == 0) continue; /* subnormals belong to the caller's mode, outside operations */
    found[0] = pk_exp(x);
    found[1] = pk_log(x);
    hash = hash_floats(hash, found, 2);
  }
  return hash;
}

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
  on_every_path("exp-log", (int[]){400009}, 1, functions, NULL);
  on_every_path("philox", (int[]){100}, 1, philox, NULL);
}
