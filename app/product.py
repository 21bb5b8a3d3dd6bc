"""What this product is called; `manage.py rename` changes it here and in every file beside."""

from typing import Final

NAME: Final = "PFXDGRSbase"
"""As people read it."""

SLUG: Final = "pfxdgrsbase"
"""As programs take it: cookies, packages and images begin with it or are called so."""
