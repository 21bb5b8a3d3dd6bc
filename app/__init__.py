"""The app."""

import sys

# For a command line of its own, and for error pages that nobody sees, these would read rich and
# pygments, which others bring along: 8 MB, and a tenth of a second of each start.
for _name in ("httpx._main", "mako.ext.pygmentplugin"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type] # not to be had, says importlib
