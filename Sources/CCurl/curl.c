#include "CCurl.h"

int ccurl_open(void) { return 1; }
const char *ccurl_problem(void) { return "not built yet"; }
