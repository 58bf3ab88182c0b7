/* The choice of instruction set. */
#define _DEFAULT_SOURCE /* syscall */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernels.h"
#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

enum { PATHS = PK_AMX + 1 };

static atomic_int selected = -1;

const char *pk_isa_name(pk_isa isa) {
  static const char *const names[PATHS] = {"portable", "avx2", "avx512", "avx512bf16", "amx"};
  return names[isa];
}

#if defined(__x86_64__)
/* Whether there are tiles for bf16, the system saves them, and lets this process use them. CPUID's leaves of tile sizes are
   not asked: they read zero on some virtual machines whose tiles work. */
static int find_amx(void) {
#if defined(__linux__)
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  if (!(d & 1u << 22) || !(d & 1u << 24)) return 0; /* AMX-BF16, AMX-TILE */
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 27)) return 0; /* OSXSAVE: XGETBV may be used */
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if ((low & 0x60000) != 0x60000) return 0; /* XTILECFG, XTILEDATA */
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18 };
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA) == 0;
#else
  return 0;
#endif
}

static int dots_available(void) {
  static atomic_int known = -1;
  if (atomic_load(&known) < 0) atomic_store(&known, __builtin_cpu_supports("avx512bf16") && dots_as_defined());
  return atomic_load(&known);
}

static int amx_available(void) {
  static atomic_int known = -1; /* the permission is the process's: asked for once, and again does no harm */
  if (atomic_load(&known) < 0) atomic_store(&known, find_amx());
  return atomic_load(&known);
}
#endif

int pk_isa_available(pk_isa isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (isa == PK_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == PK_AVX512) return avx512;
  if (isa == PK_AVX512BF16) return avx512 && dots_available();
  if (isa == PK_AMX) return avx512 && amx_available();
#endif
  return isa == PK_PORTABLE;
}

int pk_select_isa(pk_isa isa) {
  if (!pk_isa_available(isa)) return 0;
  atomic_store(&selected, (int)isa);
  return 1;
}

/* The path that PLUMB_ISA names, or the best. A name that cannot be had ends the process: who forces a path wants no other. */
static pk_isa first_choice(void) {
  const char *wanted = getenv("PLUMB_ISA");
  char offered[64] = "";
  for (int isa = PATHS - 1; isa >= PK_PORTABLE; isa--) {
    if (!pk_isa_available((pk_isa)isa)) continue;
    if (!wanted || strcmp(wanted, pk_isa_name((pk_isa)isa)) == 0) return (pk_isa)isa;
    strcat(strcat(offered, " "), pk_isa_name((pk_isa)isa));
  }
  fprintf(stderr, "error: `PLUMB_ISA=%s` is not supported by this machine; supported:%s\n", wanted, offered);
  exit(2);
}

pk_isa pk_selected_isa(void) {
  int isa = atomic_load(&selected);
  if (isa >= 0) return (pk_isa)isa;
  pk_isa first = first_choice();
  pk_select_isa(first);
  return first;
}

const kernel_table *selected_kernels(void) {
  switch (pk_selected_isa()) {
#if defined(__x86_64__)
  case PK_AVX2: return &kernels_avx2;
  case PK_AVX512: return &kernels_avx512;
  case PK_AVX512BF16: return &kernels_avx512bf16;
  case PK_AMX: return &kernels_amx;
#endif
  default: return &kernels_portable;
  }
}
