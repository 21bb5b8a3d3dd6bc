"""What the server has ready off which workers are forked."""

import gc

gc.disable()

from sqlalchemy.orm import configure_mappers  # noqa: E402 # nothing that is imported is garbage

import app.jobs.engine  # noqa: E402, F401
import tests.jobs.made_up_jobs  # noqa: E402, F401

configure_mappers()
# Nor do workers look for some in it.
gc.freeze()
gc.enable()
