"""A program that writes so many rows into a log folder."""

WRITER = """
import sys
from pathlib import Path
from app.lib.tracelog.recorder import Recorder
from app.lib.tracelog.redaction.redactor import Redactor
recorder = Recorder(Path(sys.argv[1]), Redactor(), max_bytes=60_000, fsync="no")
print("ready", flush=True)
for n in range(int(sys.argv[2])):
    recorder.write("api_logs", lambda: {"method": "GET", "endpoint": f"/{n}"})
recorder.close()
"""
