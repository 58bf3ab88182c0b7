/* Threads and the choice of instruction set. One pool for the process; one operation at a time. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "kernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { MAX_THREADS = 256, SPINS = 4000 };

static pthread_mutex_t operation_mutex = PTHREAD_MUTEX_INITIALIZER; /* held for the length of an operation */
static pthread_mutex_t wake_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static atomic_int thread_count = 1;
static int started;                 /* pool threads made so far; guarded by operation_mutex */
static atomic_uint generation;      /* bumped for each operation given to the pool */
static atomic_int working;          /* pool threads not yet done with it */
static atomic_size_t next_task;
static size_t task_count;
static int helpers;                 /* pool threads that take part in the current operation */
static void (*task_body)(void *, size_t);
static void *task_context;
static _Thread_local int inside;    /* this thread is running a task */
static _Thread_local int holding;   /* this thread holds operation_mutex */

/* Subnormals read as zero and are written as zero, as AMX does it; restored afterwards. */
static uint64_t subnormals_off(void) {
#if defined(__x86_64__)
  unsigned old = _mm_getcsr();
  _mm_setcsr(old | 0x8040);
  return old;
#elif defined(__aarch64__)
  uint64_t old;
  __asm__ volatile("mrs %0, fpcr" : "=r"(old));
  __asm__ volatile("msr fpcr, %0" : : "r"(old | (1ull << 24)));
  return old;
#else
  return 0;
#endif
}

static void subnormals_restore(uint64_t old) {
#if defined(__x86_64__)
  _mm_setcsr((unsigned)old);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(old));
#endif
}

static void run_tasks(void) {
  uint64_t old = subnormals_off();
  inside = 1;
  for (;;) {
    size_t task = atomic_fetch_add_explicit(&next_task, 1, memory_order_relaxed);
    if (task >= task_count) break;
    task_body(task_context, task);
  }
  inside = 0;
  subnormals_restore(old);
}

static void *pool_thread(void *argument) {
  /* The index, and the generation at which this thread was made: the next one is its first work. */
  int index = (int)((uintptr_t)argument & 0xffff);
  unsigned seen = (unsigned)((uintptr_t)argument >> 16);
  for (;;) {
    unsigned now = atomic_load_explicit(&generation, memory_order_acquire);
    for (int spin = 0; now == seen && spin < SPINS; spin++) {
#if defined(__x86_64__)
      _mm_pause();
#endif
      now = atomic_load_explicit(&generation, memory_order_acquire);
    }
    if (now == seen) {
      pthread_mutex_lock(&wake_mutex);
      while ((now = atomic_load(&generation)) == seen) pthread_cond_wait(&wake, &wake_mutex);
      pthread_mutex_unlock(&wake_mutex);
    }
    seen = now;
    if (index < helpers) run_tasks();
    atomic_fetch_sub_explicit(&working, 1, memory_order_release);
  }
  return NULL;
}

void operation_begin(void) {
  if (inside) return;
  if (holding++ == 0) pthread_mutex_lock(&operation_mutex);
}

void operation_end(void) {
  if (!inside && --holding == 0) pthread_mutex_unlock(&operation_mutex);
}

void *operation_scratch(size_t bytes) {
  static void *scratch;
  static size_t capacity;
  if (bytes > capacity) {
    free(scratch);
    capacity = bytes + bytes / 4;
    scratch = aligned_alloc(64, (capacity + 63) / 64 * 64);
    if (!scratch) abort(); /* out of memory: the worker dies, its stage fails */
  }
  return scratch;
}

void parallel_for(size_t tasks, void (*body)(void *, size_t), void *context) {
  if (inside) {
    for (size_t task = 0; task < tasks; task++) body(context, task);
    return;
  }
  operation_begin();
  int threads = atomic_load(&thread_count);
  task_body = body;
  task_context = context;
  task_count = tasks;
  atomic_store(&next_task, 0);
  if (threads > 1 && tasks > 1) {
    while (started < threads - 1) {
      pthread_t thread;
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
      uintptr_t argument = (uintptr_t)atomic_load(&generation) << 16 | (uintptr_t)started;
      int failed = pthread_create(&thread, &attributes, pool_thread, (void *)argument);
      pthread_attr_destroy(&attributes);
      if (failed) break; /* fewer threads, the same bits */
      started++;
    }
    helpers = threads - 1;
    atomic_store(&working, started);
    pthread_mutex_lock(&wake_mutex);
    atomic_fetch_add_explicit(&generation, 1, memory_order_release);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&wake_mutex);
    run_tasks();
    for (int spin = 0; atomic_load_explicit(&working, memory_order_acquire) > 0; spin++) {
      if (spin > SPINS) sched_yield();
#if defined(__x86_64__)
      _mm_pause();
#endif
    }
  } else {
    run_tasks();
  }
  operation_end();
}

void pk_set_threads(int threads) {
  if (threads < 1) threads = 1;
  if (threads > MAX_THREADS) threads = MAX_THREADS;
  atomic_store(&thread_count, threads);
}

int pk_threads(void) { return atomic_load(&thread_count); }

/* ---- instruction sets ---- */

static atomic_int selected = -1;

const char *pk_isa_name(pk_isa isa) {
  static const char *const names[] = {"portable", "avx2", "avx512"};
  return names[isa];
}

int pk_isa_available(pk_isa isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (isa == PK_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == PK_AVX512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
  return isa == PK_PORTABLE;
}

int pk_select_isa(pk_isa isa) {
  if (!pk_isa_available(isa)) return 0;
  atomic_store(&selected, (int)isa);
  return 1;
}

pk_isa pk_selected_isa(void) {
  int isa = atomic_load(&selected);
  if (isa >= 0) return (pk_isa)isa;
  const char *wanted = getenv("PLUMB_ISA");
  for (int candidate = PK_AVX512; candidate >= PK_PORTABLE; candidate--) {
    if (wanted && strcmp(wanted, pk_isa_name((pk_isa)candidate)) != 0) continue;
    if (pk_select_isa((pk_isa)candidate)) return (pk_isa)candidate;
  }
  pk_select_isa(PK_PORTABLE);
  return PK_PORTABLE;
}

const kernel_table *selected_kernels(void) {
  switch (pk_selected_isa()) {
#if defined(__x86_64__)
  case PK_AVX2: return &kernels_avx2;
  case PK_AVX512: return &kernels_avx512;
#endif
  default: return &kernels_portable;
  }
}
