"""Every setting and every default, in frozen objects that check themselves when they are made, whoever makes them.

The command line is parsed into them; the library, the workers of a cluster and child processes hold the same ones.
Standard library only, so that ``--help`` is instant.
"""

# What another module imports from here is named there: a list of it would only repeat all names.
from syncnet.settings.cuts import *  # noqa: F403
from syncnet.settings.over_time import *  # noqa: F403
from syncnet.settings.repair import *  # noqa: F403
from syncnet.settings.request import *  # noqa: F403
from syncnet.settings.run import *  # noqa: F403
from syncnet.settings.scoring import *  # noqa: F403
