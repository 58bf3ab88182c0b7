/* The blocks of a GGUF file: what lies in them, and packing them for products without a step between. How they lie in packed
   panels: kernels.h, `integer_format`. Source: ggml's `block_*` (ggml-common.h) and gguf's `quants.py`. */
#include <string.h>
#include "kernels.h"

enum { MOST_TERMS = 256 };

size_t pk_file_terms(pk_type type) { return (size_t)(format_of(type).terms * format_of(type).group); }

size_t pk_file_bytes(pk_type type) {
  switch (type) {
  case PK_Q8_0: return 34;
  case PK_Q4_0: return 18;
  case PK_Q4_1: return 20;
  case PK_Q5_0: return 22;
  case PK_Q5_1: return 24;
  case PK_Q4_K: return 144;
  case PK_Q5_K: return 176;
  case PK_Q6_K: return 210;
  default: return 0;
  }
}

/* Of a panel. */
static size_t panel_size(pk_type type, size_t k) {
  integer_format f = format_of(type);
  size_t blocks = k / (size_t)f.terms;
  return blocks / (size_t)f.group * (size_t)f.halves * PANEL * sizeof(uint16_t) +
         blocks * PANEL * (size_t)(f.bytes + f.terms * f.bits / 8);
}

size_t pk_packed_file_bytes(pk_type type, size_t columns, size_t k) { return ceil_div(columns, PANEL) * panel_size(type, k); }

/* A block of a file: its integers before the offset is subtracted, and what scales them. */
typedef struct {
  uint8_t integers[MOST_TERMS];
  uint16_t halves[2];
  int8_t bytes[2][MOST_TERMS / 16];
} file_block;

static uint16_t half_at(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

/* 32 integers of 4 bits: the lower halves of 16 bytes, then the upper ones. */
static void read_nibbles(const uint8_t *p, uint8_t *integers) {
  for (size_t i = 0; i < 16; i++) integers[i] = p[i] & 15;
  for (size_t i = 0; i < 16; i++) integers[16 + i] = p[i] >> 4;
}
static void add_fifth_bits(const uint8_t *p, uint8_t *integers) {
  for (size_t i = 0; i < 32; i++) integers[i] |= (uint8_t)((p[i / 8] >> i % 8 & 1) << 4);
}

/* Scales and minima of 6 bits, eight of each in 12 bytes; and the minima's half, to be added and not subtracted. */
static void read_scales_and_minima(const uint8_t *p, file_block *out) {
  out->halves[0] = half_at(p);
  out->halves[1] = half_at(p + 2) ^ 0x8000;
  const uint8_t *packed = p + 4;
  for (size_t i = 0; i < 4; i++) {
    out->bytes[0][i] = (int8_t)(packed[i] & 63);
    out->bytes[1][i] = (int8_t)(packed[4 + i] & 63);
    out->bytes[0][4 + i] = (int8_t)((packed[8 + i] & 15) | packed[i] >> 6 << 4);
    out->bytes[1][4 + i] = (int8_t)(packed[8 + i] >> 4 | packed[4 + i] >> 6 << 4);
  }
}
static void read_nibbles_of_k(const uint8_t *p, uint8_t *integers) {
  for (size_t pair = 0; pair < 4; pair++)
    for (size_t i = 0; i < 32; i++) {
      integers[pair * 64 + i] = p[pair * 32 + i] & 15;
      integers[pair * 64 + 32 + i] = p[pair * 32 + i] >> 4;
    }
}

static void read_block(pk_type type, const uint8_t *p, file_block *out) {
  out->halves[0] = half_at(p);
  out->halves[1] = half_at(p + 2);
  switch (type) {
  case PK_Q8_0: memcpy(out->integers, p + 2, 32); break;
  case PK_Q4_0: read_nibbles(p + 2, out->integers); break;
  case PK_Q4_1: read_nibbles(p + 4, out->integers); break;
  case PK_Q5_0:
    read_nibbles(p + 6, out->integers);
    add_fifth_bits(p + 2, out->integers);
    break;
  case PK_Q5_1:
    read_nibbles(p + 8, out->integers);
    add_fifth_bits(p + 4, out->integers);
    break;
  case PK_Q4_K:
    read_scales_and_minima(p, out);
    read_nibbles_of_k(p + 16, out->integers);
    break;
  case PK_Q5_K:
    read_scales_and_minima(p, out);
    read_nibbles_of_k(p + 48, out->integers);
    for (size_t group = 0; group < 8; group++)
      for (size_t i = 0; i < 32; i++) out->integers[group * 32 + i] |= (uint8_t)((p[16 + i] >> group & 1) << 4);
    break;
  case PK_Q6_K:
    out->halves[0] = half_at(p + 208);
    memcpy(out->bytes[0], p + 192, 16);
    for (size_t half = 0; half < 2; half++)
      for (size_t s = 0; s < 4; s++)
        for (size_t i = 0; i < 32; i++) {
          uint8_t low = (uint8_t)(p[half * 64 + s % 2 * 32 + i] >> s / 2 * 4 & 15);
          uint8_t high = (uint8_t)(p[128 + half * 32 + i] >> 2 * s & 3);
          out->integers[half * 128 + s * 32 + i] = (uint8_t)(low | high << 4);
        }
    break;
  default: break;
  }
}

/* The words of a block's integers. */
static void fill_words(integer_format f, const uint8_t *integers, uint32_t *words) {
  size_t held = 16 / (size_t)f.bits, pairs = (size_t)f.terms / 2, p = 0;
  memset(words, 0, 5 * sizeof *words);
#define word_pair(p) ((uint32_t)integers[2 * (p)] | (uint32_t)integers[2 * (p) + 1] << 16)
  for (; p < pairs && p / held < (size_t)(f.terms * f.bits / 32); p++) words[p / held] |= word_pair(p) << (size_t)f.bits * (p % held);
  if (f.bits == 5)
    for (size_t i = 0; i < 5; i++) words[i] |= (word_pair(15) >> i & 0x00010001u) << 15;
  if (f.bits == 6)
    for (size_t i = 0; i < 2; i++) {
      words[2 * i] |= (word_pair(6 + i) & 0x000f000fu) << 12;
      words[1] |= (word_pair(6 + i) & 0x00300030u) << (8 + 2 * i);
    }
#undef word_pair
}

typedef struct {
  pk_type type;
  const uint8_t *rows;
  const uint32_t *order;
  size_t first, end, k;
  char *packed;
} file_job;

static inline __attribute__((always_inline)) void pack_columns(const file_job *job, size_t panel, pk_type type) {
  const integer_format f = format_of(type);
  size_t first = job->first + panel * PANEL, live = min_size(PANEL, job->end - first), bytes = pk_file_bytes(type);
  size_t count = job->k / pk_file_terms(type), word_count = (size_t)(f.terms * f.bits / 32);
  char *out = job->packed + panel * panel_size(type, job->k);
  file_block columns[PANEL];
  memset(columns, 0, sizeof columns);
  for (size_t group = 0; group < count; group++) {
    for (size_t n = 0; n < live; n++) {
      size_t row = job->order ? job->order[first + n] : first + n;
      read_block(type, job->rows + (row * count + group) * bytes, &columns[n]);
    }
    for (int i = 0; i < f.halves; i++, out += PANEL * sizeof(uint16_t))
      for (size_t n = 0; n < PANEL; n++) memcpy(out + n * sizeof(uint16_t), &columns[n].halves[i], sizeof(uint16_t));
    for (size_t block = 0; block < (size_t)f.group; block++) {
      for (int i = 0; i < f.bytes; i++, out += PANEL)
        for (size_t n = 0; n < PANEL; n++) out[n] = (char)columns[n].bytes[i][block];
      for (size_t n = 0; n < PANEL; n++) {
        const uint8_t *integers = columns[n].integers + block * (size_t)f.terms;
        if (f.bits == 8) {
          for (size_t i = 0; i < (size_t)f.terms; i++) out[i * PANEL + n] = (char)integers[i];
        } else {
          uint32_t words[5];
          fill_words(f, integers, words);
          for (size_t i = 0; i < word_count; i++) memcpy(out + (i * PANEL + n) * sizeof(uint32_t), &words[i], sizeof(uint32_t));
        }
      }
      out += PANEL * f.terms * f.bits / 8;
    }
  }
}

static void pack_panel(void *context, size_t panel) {
  const file_job *job = context;
#define CASE(TYPE) case TYPE: pack_columns(job, panel, TYPE); break;
  switch (job->type) {
    CASE(PK_Q8_0) CASE(PK_Q4_0) CASE(PK_Q4_1) CASE(PK_Q5_0) CASE(PK_Q5_1) CASE(PK_Q4_K) CASE(PK_Q5_K) CASE(PK_Q6_K)
  default: break;
  }
#undef CASE
}

void pk_pack_file(int threads, pk_type type, const void *rows, const uint32_t *order, size_t first, size_t end, size_t k,
                  void *packed) {
  file_job job = {type, rows, order, first, end, k, packed};
  parallel_for(threads, ceil_div(end - first, PANEL), pack_panel, &job);
}
