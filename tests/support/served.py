"""uvicorn with its own arguments, as a module that has read the app by the time it begins.

Its server wakes once a second, as that of `manage.py run` does.

What importing makes is never garbage, and looking for some is a fifth of it; commands and tests do
without as well.
"""

import gc
import importlib
import sys


def main(arguments: list[str]) -> None:
    """Serve what `arguments` name first."""
    gc.disable()
    importlib.import_module(arguments[0].partition(":")[0])
    uvicorn = importlib.import_module("uvicorn")
    patient = importlib.import_module("commands.kit.patient_server")
    importlib.import_module("uvicorn.main").Server = patient.PatientServer  # type: ignore[attr-defined]
    gc.freeze()
    gc.enable()
    uvicorn.main(arguments, prog_name="uvicorn")


if __name__ == "__main__":
    main(sys.argv[1:])
