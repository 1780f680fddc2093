"""`lbd demo-server`: one small HTTP server to put behind lbd."""

import argparse
import asyncio
import signal

import uvloop
from aiohttp import web

from lbd.cli.argument_types import kind, number
from lbd.cli.demo_app import Behaviour, DemoApp
from lbd.errors import LbdError
from lbd.schema import units as u

GRACE = 1.0  # seconds that running answers get at the end

def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the address of the server and the options of its behaviour."""
    where = parser.add_argument_group("where")
    where.add_argument("--port", type=number(u.integer(0, 65535)), required=True, metavar="PORT",
                       help="port to listen on; 0 takes a free one")
    where.add_argument("--host", default="127.0.0.1", metavar="HOST", help="address to listen on (127.0.0.1)")
    how = parser.add_argument_group("how it answers")
    how.add_argument("--name", metavar="NAME", help='what it calls itself in its answers ("server-PORT")')
    how.add_argument("--delay", type=kind(u.DURATION), default=0.0, metavar="TIME",
                     help='wait before an answer ("20ms")')
    how.add_argument("--jitter", type=kind(u.DURATION), default=0.0, metavar="TIME",
                     help="lengthen or shorten the wait by up to this much")
    how.add_argument("--error-rate", type=kind(u.PERCENT), default=0.0, metavar="SHARE",
                     help='share of answers that are a 500 ("5%%")')
    how.add_argument("--body-size", type=kind(u.SIZE), default=0, metavar="SIZE",
                     help='least length of an answer\'s body ("1KiB")')
    parser.epilog = ("/healthz says 200, or 503 after POST /_demo/health?state=fail (and 200 after state=recover).\n"
                     "POST /_demo/delay?delay=80ms&jitter=5ms, /_demo/errors?rate=5%25 and /_demo/body?size=1KiB\n"
                     "change how it answers. /ws is a WebSocket that sends every message back.")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    behaviour = Behaviour(args.name or "", args.delay, args.jitter, args.error_rate, args.body_size)
    uvloop.run(serve(behaviour, args.host, args.port))
    return 0


async def serve(behaviour: Behaviour, host: str, port: int) -> None:
    """Listen, say where in one line on stdout, and end after a signal; raises `LbdError` if it cannot listen."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for end in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(end, stop.set)
    runner = web.ServerRunner(DemoApp(behaviour).server(), shutdown_timeout=GRACE)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        port = runner.addresses[0][1]
        behaviour.name = behaviour.name or f"server-{port}"
        shown = f"[{host}]" if ":" in host else host
        print(f"{behaviour.name}: listening on http://{shown}:{port}", flush=True)
        await stop.wait()
    except (OSError, OverflowError) as error:
        raise LbdError(f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}") from None
    finally:
        await runner.cleanup()
