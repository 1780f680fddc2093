"""Strays: errors that nothing caught and the lines of libraries, as events of the daemon's log like all others."""

import asyncio
import logging
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from lbd.log.logger import logger

LONGEST = 200     # characters of a field
SAID_BY_LOOP = frozenset({"message", "exception", "source_traceback"})   # not fields of their own


class LibraryHandler(logging.Handler):
    """Takes what libraries log, of at least WARNING."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it as an event."""
        say = logger.error if record.levelno >= logging.ERROR else logger.warning
        say(record.getMessage(), by=record.name, **({"exc_info": record.exc_info} if record.exc_info else {}))


def gather(loop: asyncio.AbstractEventLoop) -> None:
    """Have all of this process logged; for the process's main thread, before the loop runs."""
    root = logging.getLogger()
    if not any(isinstance(handler, LibraryHandler) for handler in root.handlers):
        root.addHandler(LibraryHandler(logging.WARNING))
    loop.set_exception_handler(_in_loop)
    threading.excepthook = _in_thread
    sys.unraisablehook = _unraisable
    sys.excepthook = _at_the_end


def _in_loop(_loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Log the exception of a callback, or a complaint of the loop itself."""
    fields = {name: repr(value)[:LONGEST] for name, value in context.items() if name not in SAID_BY_LOOP}
    error = context.get("exception")
    logger.error(str(context.get("message") or "a callback broke"), **fields,
                 **({"exc_info": error} if error is not None else {}))


def _in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit:
        logger.error("a thread broke", thread=args.thread.name if args.thread is not None else "",
                     exc_info=(args.exc_type, args.exc_value, args.exc_traceback))


def _unraisable(about: "sys.UnraisableHookArgs") -> None:
    if _is_name(about):
        # Any client can ask for one, as often as it likes; its handshake fails, and that is counted.
        logger.debug("a TLS client asks for a host name that is none", name=repr(about.object)[:LONGEST])
        return
    logger.error(about.err_msg or "an error that could not be raised", object=repr(about.object)[:LONGEST],
                 exc_info=(about.exc_type, about.exc_value, about.exc_traceback))


def _is_name(about: "sys.UnraisableHookArgs") -> bool:
    """Whether this is the host name of a ClientHello that the ssl module could not make text of: it decodes the name
    before it calls `sni_callback`, and hands over the bytes."""
    error = about.exc_value
    return (isinstance(error, UnicodeDecodeError) and isinstance(about.object, bytes)
            and error.encoding == "ascii" and error.object == about.object)


def _at_the_end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    logger.error("the process ends by an error", exc_info=(kind, error, traceback))
