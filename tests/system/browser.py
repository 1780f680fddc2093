"""A headless Chromium that a test drives over the DevTools protocol: its own process, profile and tab."""

import base64
import contextlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from lbd_process import DEADLINE, until
from websockets.sync.client import connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """A tab. `problems` holds what its console complained of: a violated policy, an exception, a failed request."""

    def __init__(self) -> None:
        program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
        if program is None:
            pytest.skip("no Chromium here")
        self.problems: list[str] = []
        self._number = 0
        self._session = ""
        with contextlib.ExitStack() as stack:
            self._start(program, stack)
            self._stack = stack.pop_all()

    def _start(self, program: str, stack: contextlib.ExitStack) -> None:
        directory = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="lbd-test-browser-", ignore_cleanup_errors=True))
        self._process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
             "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
             f"--user-data-dir={directory}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(self._end)
        port = Path(directory, "DevToolsActivePort")
        address = until(lambda: port.exists() and port.read_text().split(), "the browser listens")
        self._socket = stack.enter_context(connect(f"ws://127.0.0.1:{address[0]}{address[1]}", max_size=None))
        targets = self._call("Target.getTargets")["targetInfos"]
        target = next(found["targetId"] for found in targets if found["type"] == "page")
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command to the tab, and its result."""
        return self._call(method, self._session, **parameters)

    def go(self, url: str) -> None:
        """Load a page."""
        self.call("Page.navigate", url=url)
        self.until(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until the expression is true; its value."""
        return until(lambda: self.run(script), script)

    def text(self) -> str:
        """The visible text of the page's main part."""
        return str(self.run("document.querySelector('main').innerText"))

    def click(self, selector: str) -> None:
        """As a mouse or the space bar does."""
        assert self.run(f"!!document.querySelector({json.dumps(selector)})"), f"there is no {selector}"
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def type(self, selector: str, text: str) -> None:
        """Into a field."""
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def look(self, width: int, dark: bool = False, scripts: bool = True) -> None:
        """How wide the window is, which colours are wished, and whether scripts run (from the next page on)."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                  mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def picture(self, file: Path) -> None:
        """The whole page as a PNG file."""
        found = self.call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        file.write_bytes(base64.b64decode(found["data"]))

    def _call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters,
                                      **({"sessionId": session} if session else {})}))
        while True:
            message = json.loads(self._socket.recv(DEADLINE))
            if message.get("id") == self._number:
                assert "error" not in message, (method, message["error"])
                return dict(message["result"])
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        facts = message.get("params", {})
        if message.get("method") == "Log.entryAdded" and facts["entry"]["level"] == "error":
            self.problems.append(f"{facts['entry']['text']} {facts['entry'].get('url', '')}")
        elif message.get("method") == "Runtime.exceptionThrown":
            self.problems.append(str(facts["exceptionDetails"]))
