/* Threads. One pool for the process; one operation at a time, each with as many of the pool's threads as it asks for. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "kernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Pauses before a thread sleeps: some 60 microseconds, longer than what lies between two operations of a forward pass. */
enum { MAX_THREADS = 256, SPINS = 3000 };

static pthread_mutex_t operation_mutex = PTHREAD_MUTEX_INITIALIZER; /* held for the length of an operation */
static int started; /* pool threads made so far; guarded by operation_mutex */

/* The gate of the current operation: its number, odd while it is open, and below it how many pool threads have joined. Only
   the thread that holds operation_mutex opens and closes it. A thread that has not joined by then is not waited for, so
   that one without a processor holds nobody up. */
enum { JOINED_BITS = 16 };
static _Atomic uint64_t gate;
static atomic_uint finished; /* of those that joined */
static atomic_int places;    /* how many may join */
static atomic_size_t next_task;
static size_t task_count;
static void (*task_body)(void *, size_t);
static void *task_context;

static pthread_mutex_t sleep_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static pthread_cond_t all_finished = PTHREAD_COND_INITIALIZER;
static atomic_int sleepers;     /* pool threads that wait for `opened` */
static atomic_int owner_sleeps; /* whether the operation's owner waits for `all_finished` */

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

static void pause_briefly(void) {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static uint64_t number_of(uint64_t state) { return state >> JOINED_BITS; }

/* Whether `state` is an open operation other than number `seen`. */
static int is_news(uint64_t state, uint64_t seen) { return number_of(state) % 2 == 1 && number_of(state) != seen; }

/* The gate once an operation newer than `seen` is open. */
static uint64_t wait_for_news(uint64_t seen) {
  uint64_t state = atomic_load(&gate);
  for (int spin = 0; !is_news(state, seen) && spin < SPINS; spin++) {
    pause_briefly();
    state = atomic_load(&gate);
  }
  if (is_news(state, seen)) return state;
  pthread_mutex_lock(&sleep_mutex);
  atomic_fetch_add(&sleepers, 1); /* before the look at the gate: who opens it looks at `sleepers` afterwards */
  while (!is_news(state = atomic_load(&gate), seen)) pthread_cond_wait(&opened, &sleep_mutex);
  atomic_fetch_sub(&sleepers, 1);
  pthread_mutex_unlock(&sleep_mutex);
  return state;
}

static void *pool_thread(void *unused) {
  (void)unused;
  uint64_t seen = 0;
  for (;;) {
    uint64_t state = wait_for_news(seen);
    seen = number_of(state);
    int joined = 0;
    while (!joined && number_of(state) == seen && (int)(state & ((1u << JOINED_BITS) - 1)) < atomic_load(&places))
      joined = atomic_compare_exchange_weak(&gate, &state, state + 1);
    if (!joined) continue;
    run_tasks();
    atomic_fetch_add(&finished, 1);
    if (atomic_load(&owner_sleeps)) {
      pthread_mutex_lock(&sleep_mutex);
      pthread_cond_signal(&all_finished);
      pthread_mutex_unlock(&sleep_mutex);
    }
  }
  return NULL;
}

static void start_threads(int count) {
  while (started < count) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, pool_thread, NULL);
    pthread_attr_destroy(&attributes);
    if (failed) break; /* fewer threads, the same bits */
    started++;
  }
}

static void open_gate(int wanted) {
  atomic_store(&places, wanted);
  atomic_store(&finished, 0);
  atomic_store(&gate, (number_of(atomic_load(&gate)) + 1) << JOINED_BITS);
  if (atomic_load(&sleepers) == 0) return;
  pthread_mutex_lock(&sleep_mutex);
  pthread_cond_broadcast(&opened);
  pthread_mutex_unlock(&sleep_mutex);
}

/* Lets nobody in any more and waits for those that are inside. */
static void close_gate(void) {
  uint64_t state = atomic_fetch_add(&gate, (uint64_t)1 << JOINED_BITS);
  unsigned joined = (unsigned)(state & ((1u << JOINED_BITS) - 1));
  for (int spin = 0; atomic_load(&finished) < joined && spin < SPINS; spin++) pause_briefly();
  if (atomic_load(&finished) >= joined) return;
  pthread_mutex_lock(&sleep_mutex);
  atomic_store(&owner_sleeps, 1); /* before the look at `finished`: who finishes looks here afterwards */
  while (atomic_load(&finished) < joined) pthread_cond_wait(&all_finished, &sleep_mutex);
  atomic_store(&owner_sleeps, 0);
  pthread_mutex_unlock(&sleep_mutex);
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
  if (inside) abort(); /* a programmer's error: another task may hold it */
  if (bytes > capacity) {
    free(scratch);
    capacity = bytes + bytes / 4;
    scratch = aligned_alloc(64, (capacity + 63) / 64 * 64);
    if (!scratch) abort(); /* out of memory: the worker dies, its stage fails */
  }
  return scratch;
}

void parallel_for(int threads, size_t tasks, void (*body)(void *, size_t), void *context) {
  if (inside) {
    for (size_t task = 0; task < tasks; task++) body(context, task);
    return;
  }
  operation_begin();
  if (threads > MAX_THREADS) threads = MAX_THREADS;
  task_body = body;
  task_context = context;
  task_count = tasks;
  atomic_store(&next_task, 0);
  if (threads > 1 && tasks > 1) {
    start_threads(threads - 1);
    open_gate(threads - 1);
    run_tasks();
    close_gate();
  } else {
    run_tasks();
  }
  operation_end();
}

typedef struct {
  size_t n, chunk;
  void (*body)(void *, size_t, size_t);
  void *context;
} ranges;

static void range_task(void *context, size_t task) {
  const ranges *all = context;
  all->body(all->context, task * all->chunk, min_size(all->n, (task + 1) * all->chunk));
}

void parallel_ranges(int threads, size_t n, size_t chunk, void (*body)(void *, size_t, size_t), void *context) {
  ranges all = {n, chunk, body, context};
  parallel_for(threads, ceil_div(n, chunk), range_task, &all);
}

void *thread_memory(size_t bytes) {
  static _Thread_local void *memory;
  static _Thread_local size_t capacity;
  if (bytes > capacity) {
    free(memory);
    capacity = ceil_div(bytes, LINE) * LINE;
    memory = aligned_alloc(LINE, capacity);
    if (!memory) abort(); /* out of memory: the worker dies, its stage fails */
  }
  return memory;
}
