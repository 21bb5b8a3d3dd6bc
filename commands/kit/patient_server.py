"""uvicorn's server, which wakes once a second."""

import asyncio
from contextlib import suppress
from types import FrameType
from typing import Final

import uvicorn

_TICK_SECONDS: Final = 1.0


class PatientServer(uvicorn.Server):
    """uvicorn's own looks ten times a second whether it is to end; here a signal says so."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._is_to_end = asyncio.Event()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_to_end.wait(), _TICK_SECONDS)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        asyncio.get_running_loop().call_soon_threadsafe(self._is_to_end.set)
