# -*- coding: utf-8 -*-
"""The one door for people: `python3 manage.py` lists what it can do.

Any Python, however old, must be able to read this file, to be told that it is too old.
"""

import os
import sys

if sys.version_info < (3, 11):
    _version = ".".join(str(part) for part in sys.version_info[:3])
    if (os.environ.get("LC_ALL") or os.environ.get("LANG") or "").startswith("ja"):
        sys.exit(
            "Python 3.11 以降が必要です（これは " + _version + " です）。"
            "https://www.python.org/ から入れて、もう一度実行してください。"
        )
    sys.exit(
        "Python 3.11 or newer is needed, and this is "
        + _version
        + ". Get it from https://www.python.org/ and run this again with it."
    )

from commands.kit.door import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
