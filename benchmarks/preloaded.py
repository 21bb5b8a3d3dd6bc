"""What the server has read off which processes of benchmarks are forked."""

import gc

gc.disable()

import app.jobs.engine  # noqa: E402, F401 # nothing that is imported is garbage
import benchmarks.delivery  # noqa: E402, F401

gc.freeze()
gc.enable()
