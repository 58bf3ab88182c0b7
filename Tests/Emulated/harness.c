/* Every kernel of CKernels.h on every path this processor offers, with 1 and 3 threads: one line `kernel shape hash` for each
   shape. Fails where a path, a number of threads or the definition in plain loops gives other bits. The lines are the same on
   every machine; Tests/Emulated/run compares them. Reads nothing, so that it can be the only program of an emulated one. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/reboot.h>
#endif
#include "CKernels.h"
#include "harness.h"

static int failures;
_Thread_local int threads = 1;

/* ---- paths ---- */

enum { PATHS = PK_AMX + 1 };
static pk_isa paths[PATHS];
static int path_count;

static void find_paths(void) {
  for (int isa = 0; isa < PATHS; isa++)
    if (pk_isa_available((pk_isa)isa)) paths[path_count++] = (pk_isa)isa;
}

void on_every_path(const char *kernel, const int *shape, int dimensions, hash_function body, hash_function definition) {
  char name[96];
  int length = snprintf(name, sizeof name, "%s ", kernel);
  for (int i = 0; i < dimensions; i++)
    length += snprintf(name + length, sizeof name - (size_t)length, i ? "x%d" : "%d", shape[i]);
  uint64_t expected = 0;
  pk_select_isa(PK_PORTABLE);
  threads = 1;
  if (definition) expected = definition(shape);
  for (int path = 0; path < path_count; path++)
    for (threads = 1; threads <= 3; threads += 2) {
      pk_select_isa(paths[path]);
      uint64_t found = body(shape);
      if (!definition && path == 0 && threads == 1) expected = found;
      if (found == expected) continue;
      failures++;
      printf("DIFFERS %s on %s with %d threads: %016llx, expected %016llx\n", name, pk_isa_name(paths[path]), threads,
             (unsigned long long)found, (unsigned long long)expected);
    }
  printf("%s %016llx\n", name, (unsigned long long)expected);
}

/* ---- operands ---- */

uint64_t random_word(uint64_t seed, uint64_t index) {
  uint64_t z = seed * 0xd1342543de82ef95ull + (index + 1) * 0x9e3779b97f4a7c15ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return z ^ z >> 31;
}

/* A float from sign, exponent of two and 23 bits. */
static float compose(int negative, int exponent, uint32_t fraction) {
  uint32_t bits = (uint32_t)negative << 31 | (uint32_t)(exponent + 127) << 23 | (fraction & 0x7fffff);
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

void fill(float *x, size_t n, uint64_t seed, operands kind) {
  for (size_t i = 0; i < n; i++) {
    uint64_t r = random_word(seed, i);
    int negative = (int)(r & 1);
    uint32_t fraction = (uint32_t)(r >> 8), place = (uint32_t)(r >> 40) % 61;
    switch (kind) {
    case SMALL: x[i] = compose(negative, -60 - (int)((r >> 32) % 8), fraction & 0x7f0000); break;
    case LEAST:
      x[i] = compose(negative, -126 + (int)((r >> 32) % 3), fraction);
      if (place % 2) x[i] = -0.0f;
      break;
    default: x[i] = compose(negative, -(int)((r >> 32) % 12), fraction);
    }
    if (place == 23) x[i] = 0;
    if (place == 29) x[i] = -0.0f;
    if (place == 31) x[i] = compose(negative, -127, fraction); /* subnormal */
    if (place == 37 && kind != SMALL && kind != LEAST) x[i] *= 1000;
    if (kind == SPECIAL && place == 41) x[i] = negative ? -__builtin_inff() : __builtin_inff();
    if (kind == SPECIAL && place == 43) x[i] = __builtin_nanf("");
  }
}

float *floats(size_t n) {
  float *x = aligned_alloc(4, n * sizeof(float) + 4 * (n == 0));
  if (!x) abort();
  return x;
}

float *filled(size_t n, uint64_t seed, operands kind) {
  float *x = floats(n);
  fill(x, n, seed, kind);
  return x;
}

void *stored(const float *x, size_t n, pk_type type) {
  void *out = malloc(n * (type == PK_BF16 ? 2 : 4) + (n == 0));
  if (!out) abort();
  pk_store(threads, x, out, type, n);
  return out;
}

/* ---- hashes: FNV-1a by words; every NaN counts as one ---- */

static uint64_t mixed(uint64_t hash, uint32_t word) { return (hash ^ word) * 0x100000001b3ull; }

uint64_t hash_floats(uint64_t hash, const float *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, 4);
    hash = mixed(hash, (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits);
  }
  return hash;
}

uint64_t hash_typed(uint64_t hash, const void *x, pk_type type, size_t n) {
  if (type == PK_F32) return hash_floats(hash, x, n);
  const uint16_t *half = x;
  for (size_t i = 0; i < n; i++) hash = mixed(hash, (half[i] & 0x7fff) > 0x7f80 ? 0x7fc0 : half[i]);
  return hash;
}

/* ---- operations called from several threads at once, each with another number of the pool's threads ---- */

enum { CALLERS = 3, CALLS = 40 };

static void *call_often(void *context) {
  static const int shape[] = {9, 33, 70, 1, 0, 0};
  uint64_t *result = context;
  *result = HASH_START;
  for (int i = 0; i < CALLS; i++) {
    threads = 1 + i % 3;
    *result = *result * 31 + product(shape);
  }
  return NULL;
}

static void from_several_threads(void) {
  uint64_t results[CALLERS];
  pthread_t callers[CALLERS];
  pk_select_isa(paths[path_count - 1]);
  for (int i = 0; i < CALLERS; i++)
    if (pthread_create(&callers[i], NULL, call_often, &results[i])) abort();
  for (int i = 0; i < CALLERS; i++) pthread_join(callers[i], NULL);
  for (int i = 1; i < CALLERS; i++)
    if (results[i] != results[0]) {
      failures++;
      printf("DIFFERS product from thread %d of %d\n", i + 1, CALLERS);
    }
  printf("product-from-threads %d %016llx\n", CALLERS, (unsigned long long)results[0]);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  find_paths();
  printf("# paths");
  for (int i = 0; i < path_count; i++) printf(" %s", pk_isa_name(paths[i]));
  printf("\n");
  products();
  rows();
  attentions();
  vocabularies();
  scalars();
  from_several_threads();
  printf("# %s\n", failures ? "FAILED" : "all paths agree");
  fflush(stdout);
#if defined(__linux__)
  if (getpid() == 1) { /* the only program of an emulated machine */
    sleep(1);
    reboot(RB_POWER_OFF);
  }
#endif
  return failures != 0;
}
