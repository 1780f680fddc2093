"""How the admin interface answers: JSON with a newline, errors as `{"error": …, "problems": […]}`."""

import dataclasses
import json
from typing import Any

from aiohttp import web

from lbd.errors import ConfigError, LbdError


def answer(data: Any, status: int = 200) -> web.Response:
    """The data as JSON."""
    text = json.dumps(data, indent=2, default=str) + "\n"
    return web.Response(text=text, status=status, content_type="application/json")


def refusal(error: LbdError, status: int) -> web.Response:
    """Why something was not done."""
    if isinstance(error, ConfigError):
        problems = [dataclasses.asdict(problem) for problem in error.problems]
        count = len(problems)
        plural = "" if count == 1 else "s"
        return answer({"error": f"the configuration has {count} error{plural}", "problems": problems}, status)
    return answer({"error": str(error)}, status)
