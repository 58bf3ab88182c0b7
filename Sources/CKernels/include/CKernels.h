#ifndef CKERNELS_H
#define CKERNELS_H
/* The arithmetic of Plumb. See docs/arithmetic.md for what every function promises about its bits. */
#endif
