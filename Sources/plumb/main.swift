// The `plumb` program: the built-in stages.

import Commands

Plumb.main()
