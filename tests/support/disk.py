"""A disk that is small enough to fill."""

import subprocess
from pathlib import Path


class SmallDisk:
    """A file system of `size` (as `600k`) in memory at `folder`; root on Linux can make one."""

    def __init__(self, folder: Path, size: str) -> None:
        self.folder = folder
        self._filler = folder / "filler"
        folder.mkdir(parents=True, exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        try:
            self.is_there = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            self.is_there = False

    def fill(self) -> None:
        """Leave no room on it."""
        with self._filler.open("wb", buffering=0) as file:
            for size in (65_536, 4_096, 1):
                try:
                    while file.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)

    def protect(self) -> None:
        """Have nobody write to it any more."""
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)

    def remove(self) -> None:
        if self.is_there:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
            self.is_there = False
