"""A daemon that the admin interface can be tried on."""

import pytest
from aiohttp import ClientSession, UnixConnector, web

from lbd.errors import LbdError


class FakeRuntimeChanges:
    """Keeps what it is asked to do; `error` is raised instead."""

    unkept = lost = ""

    def __init__(self):
        self.error: LbdError | None = None
        self.asked = []
        self.changed = True

    def describe_backends(self):
        return {"app": self.describe_backend("app")}

    def describe_backend(self, name):
        self._do("backend", name)
        return {"servers": {"a": {"mode": "ready"}}}

    def describe_server(self, backend, server):
        self._do("server", backend, server)
        return {"backend": backend, "name": server, "mode": "drain"}

    def describe_overrides(self):
        return [{"backend": "app", "server": "a"}]

    async def override(self, backend, server, wishes, who):
        self._do("change", backend, server, wishes, who)
        return self.lost

    async def end_overrides(self, backend, server, who):
        self._do("clear", backend, server, who)
        return 2

    async def register(self, backend, server, offer, who):
        self._do("register", backend, server, offer, who)
        return self.changed

    async def deregister(self, backend, server, wait, who):
        self._do("deregister", backend, server, wait, who)
        return wait > 0

    def _do(self, *what):
        self.asked.append(what)
        if self.error is not None:
            raise self.error


class FakeDaemon:
    """Answers what the test sets."""

    def __init__(self):
        self.ready = ""
        self.error: LbdError | None = None
        self.forced = []
        self.accepted = []
        self.runtime_changes = FakeRuntimeChanges()

    def status(self, history=False):
        return {"generation": 3, **({"history": True} if history else {})}

    def explain(self, *question):
        if self.error is not None:
            raise self.error
        return {"question": question}

    async def ticket(self):
        if self.error is not None:
            raise self.error
        return {"ticket": "0123", "seconds": 30.0}

    async def events(self, since, wait):
        return {"events": [{"number": since + 1, "wait": wait}], "last": since + 1}

    def settings(self, secrets=False):
        return {"generation": 3, "settings": [{"key": "k", "value": "s"}] if secrets else []}

    async def reload(self, force, confirm=0.0):
        self.forced.append(force)
        self.confirm_within = confirm
        if self.error is not None:
            raise self.error
        return {"generation": 4, "changed": True}

    async def upgrade(self):
        if self.error is not None:
            raise self.error
        return {"from": "1.0", "to": "2.0", "upgrades": 0}

    def confirm(self):
        if self.error is not None:
            raise self.error
        return {"generation": 4}

    async def rollback(self):
        if self.error is not None:
            raise self.error
        return {"generation": 5, "changed": True}

    async def plan(self, file):
        if self.error is not None:
            raise self.error
        return {"file": file, "changes": []}

    def metrics(self, accept, query):
        self.accepted.append(accept)
        if "scope" in query:
            raise ValueError("scope is global")
        return b"up 1\n", "text/plain; version=1.0.0; charset=utf-8"


@pytest.fixture
def daemon():
    return FakeDaemon()


@pytest.fixture
async def ask(daemon, tmp_path):
    """`await ask(app, method, path, headers)` → status, headers, text."""
    runners = []

    async def ask(app, method, path, headers=None, body=None):
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        where = str(tmp_path / f"s{len(runners)}")
        await web.UnixSite(runner, where).start()
        async with (ClientSession(connector=UnixConnector(where)) as session,
                    session.request(method, f"http://x{path}", headers=headers, data=body) as response):
            return response.status, response.headers, await response.text()
    yield ask
    for runner in runners:
        await runner.cleanup()
