// libcurl, opened at run time.
#ifndef CCURL_H
#define CCURL_H
/// 0 when libcurl is there; else what the loader said is in ccurl_problem().
int ccurl_open(void);
const char *ccurl_problem(void);
#endif
