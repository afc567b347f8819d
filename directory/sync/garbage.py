"""What Python does about objects that hold each other, while rows are made by the hundred thousand."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def of_this_work_only() -> Iterator[None]:
    """Look for circular garbage among what is made from here on, and leave what was there before alone until the end.

    Each look at everything holds all threads up for a tenth of a second, and many new objects bring on one a second.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
