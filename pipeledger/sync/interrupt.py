"""Cancelling from outside: SIGTERM and Ctrl-C end a sync in good order.

Work in a thread is let finish (a commit takes well under a second), the page in hand is
landed, each stream leaves a checkpoint ``cancelled``, the lock goes free.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def cancel_on_signals() -> Iterator[None]:
    """Cancel the present task on SIGTERM or SIGINT while the block runs.

    The task then sees CancelledError; the caller maps it to the exit code 130. Where the
    platform or the thread allows no handlers nothing is changed.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    caught = (signal.SIGTERM, signal.SIGINT)
    set_here = []
    if task is not None:
        for one in caught:
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(one, task.cancel)
                set_here.append(one)
    try:
        yield
    finally:
        for one in set_here:
            loop.remove_signal_handler(one)


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work in a thread; a cancel waits for its end, then goes on.

    Otherwise the thread would write on while what it writes with is being closed. So
    CancelledError from here means that the work is done; if it failed, its own error comes.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        error = running.exception()
        if error is not None:
            raise error from None
        raise
