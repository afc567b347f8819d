"""The broker made of files: kombu's filesystem transport, in which a message is either there or not.

kombu's own makes a file first and fills it then. A worker that looks in between reads nothing, and ends. It also takes
messages away by way of the system's folder for temporary files, which may be another disk and takes a copy. And it
gives every queue its turn: here the first queue comes first, so that sign-outs do not wait for readings.
"""

import logging
import os
from pathlib import Path
from queue import Empty
from time import monotonic_ns
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads
from kombu.utils.scheduling import FairCycle

logger = logging.getLogger(__name__)


class InOrder(FairCycle):
    """Each time from the first queue that holds something."""

    def get(self, callback: object, **kwargs: object) -> object:
        self.pos = 0
        return super().get(callback, **kwargs)


class Channel(filesystem.Channel):
    def _reset_cycle(self) -> None:
        self._cycle = InOrder(self._get_and_deliver, self._active_queues, Empty)

    def _put(self, queue: str, payload: dict, **kwargs: object) -> None:
        folder = Path(self.data_folder_out)
        name = f"{monotonic_ns():020}_{uuid4()}.{queue}.msg"
        _appear(folder / name, dumps(payload))

    def _get(self, queue: str) -> dict:
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            mine = folder / f".{name}"
            try:
                (folder / name).rename(mine)
            except FileNotFoundError:  # another worker was faster
                continue
            payload = mine.read_bytes()
            mine.unlink()
            try:
                return loads(payload)
            except ValueError:  # what a power cut leaves
                logger.warning("A message was unreadable and is dropped; the sweeper finds what it was about.")
        raise Empty

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        table = self._exchange_file(exchange)
        if not table.exists():
            _appear(table, "[]")
        super()._queue_bind(exchange, routing_key, pattern, queue)  # which reads it and writes it under a lock


class Transport(filesystem.Transport):
    Channel = Channel


def _appear(path: Path, text: str) -> None:
    """Make a file that has its content from its first moment; one that is there already stays as it is."""
    draft = path.with_name(f".{uuid4()}.new")
    draft.write_text(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
