#ifndef CEILING_H
#define CEILING_H

/* What the machine allows, measured the way the kernels would use it: best of what its registers and memory do. */

#include <stddef.h>

/* Operations a second (multiply and add are two) of independent fp32 fused multiply-adds in registers, `threads` at once, in the
   widest vectors that the machine and PLUMB_ISA allow. */
double ceiling_fma(int threads);

/* The same of products of bf16: on tiles (TDPBF16PS, of numbers that are not zero, which cost a processor some of its clock), in
   vectors (VDPBF16PS), or fp32's, the best that the machine and PLUMB_ISA allow. */
double ceiling_bf16(int threads);

/* Bytes a second read from `bytes` of memory by `threads` at once, each its own part. */
double ceiling_read(size_t bytes, int threads);

#endif
