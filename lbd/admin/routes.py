"""The table of the admin interface: every path, who may ask for it, and what it does."""

from lbd.admin.openapi import OpenApi
from lbd.admin.resources.backends import Backends
from lbd.admin.resources.config import Config
from lbd.admin.resources.confirm import Confirm
from lbd.admin.resources.events import Events
from lbd.admin.resources.explain import Explain
from lbd.admin.resources.health import Health
from lbd.admin.resources.metrics import Metrics
from lbd.admin.resources.overrides import Overrides
from lbd.admin.resources.plan import Plan, PlanBody
from lbd.admin.resources.reload import Reload
from lbd.admin.resources.rollback import Rollback
from lbd.admin.resources.servers import Servers
from lbd.admin.resources.status import Status
from lbd.admin.resources.upgrade import Upgrade
from lbd.admin.route import Route
from lbd.admin.start_page import StartPage
from lbd.config.runtime import OverrideRequest, RegistrationRequest

BACKEND = "/v1/backends/{backend}"
SERVER = BACKEND + "/servers/{server}"
SERVER_FACTS = ("backend", "name", "address", "mode", "cut_at", "health", "weight", "in_flight", "override",
                "registration")
CONFLICT = "refused, and nothing has changed"

# What may be seen by anyone who can connect to the metrics' address too.
SHOWN: tuple[Route, ...] = (
    Route("GET", "/healthz", "", lambda daemon: Health(daemon).healthz, "lbd lives", media="text/plain"),
    Route("GET", "/readyz", "", lambda daemon: Health(daemon).readyz, "lbd should get traffic",
          codes={200: "it should", 503: "it should not, and why"}, media="text/plain"),
    Route("GET", "/metrics", "read", lambda daemon: Metrics(daemon).get, "the exposition for Prometheus",
          query=("scope", "no-maint", "compat"), media="text/plain"),
)

ROUTES: tuple[Route, ...] = (
    *SHOWN,
    Route("GET", "/", "", lambda daemon: StartPage(daemon).get, "the status as a page",
          codes={200: "the page", 401: "a form for a token"}, media="text/html"),
    Route("GET", "/page/{file}", "", lambda daemon: StartPage(daemon).file, "what the page needs",
          media="text/css"),
    Route("GET", "/v1/openapi.json", "read", lambda daemon: OpenApi(ROUTES).get, "this description",
          answer=("openapi", "paths")),
    Route("GET", "/v1/status", "read", lambda daemon: Status(daemon).get, "everything that is now",
          query=("history",), answer=("version", "state", "generation", "backends", "listeners", "workers")),
    Route("GET", "/v1/events", "read", lambda daemon: Events(daemon).get, "what happened lately",
          query=("since", "wait"), answer=("events", "last")),
    Route("GET", "/v1/config", "read", lambda daemon: Config(daemon).get, "the configuration in force",
          query=("secrets",), answer=("generation", "settings")),
    Route("GET", "/v1/explain", "read", lambda daemon: Explain(daemon).get, "where a request would go, and why",
          query=("method", "url", "header", "from", "listener")),
    Route("POST", "/v1/explain", "read", lambda daemon: Explain(daemon).post,
          "a ticket for one request whose answer is to say how it came about", codes={201: "the ticket"}),
    Route("POST", "/v1/plan", "operate", lambda daemon: Plan(daemon).post, "what a reload would do", PlanBody,
          codes={200: "the plan", 409: CONFLICT}),
    Route("POST", "/v1/reload", "operate", lambda daemon: Reload(daemon).post, "read the configuration again",
          query=("force", "confirm"), codes={200: "in force", 409: CONFLICT}),
    Route("POST", "/v1/upgrade", "operate", lambda daemon: Upgrade(daemon).post, "become the version on disk, in place",
          codes={202: "it takes the configuration and is about to", 409: CONFLICT}),
    Route("POST", "/v1/confirm", "operate", lambda daemon: Confirm(daemon).post, "keep what waits to be confirmed",
          codes={200: "kept", 409: "nothing waits"}),
    Route("POST", "/v1/rollback", "operate", lambda daemon: Rollback(daemon).post, "back to the generation before",
          codes={200: "in force", 409: CONFLICT}),
    Route("GET", "/v1/backends", "read", lambda daemon: Backends(daemon).list, "every backend with its servers",
          answer=("backends",)),
    Route("GET", BACKEND, "read", lambda daemon: Backends(daemon).get, "one backend with its servers",
          answer=("algorithm", "servers", "override")),
    Route("PATCH", BACKEND, "operate", lambda daemon: Backends(daemon).patch,
          "override what the files say of all its servers", OverrideRequest, codes={200: "the backend", 409: CONFLICT}),
    Route("GET", SERVER, "read", lambda daemon: Servers(daemon).get, "one server", answer=SERVER_FACTS),
    Route("PUT", SERVER, "register", lambda daemon: Servers(daemon).put, "register a server, or say that it lives",
          RegistrationRequest, codes={200: "it was known", 201: "it is new, or another than before", 409: CONFLICT},
          answer=("backend", "name", "changed")),
    Route("PATCH", SERVER, "operate", lambda daemon: Servers(daemon).patch, "override what the files say of it",
          OverrideRequest, codes={200: "the server", 409: CONFLICT}, answer=SERVER_FACTS),
    Route("DELETE", SERVER, "register", lambda daemon: Servers(daemon).delete,
          "drain a registered server, then remove it", query=("wait",),
          codes={200: "it is gone", 202: "it drains", 409: "it is one of the configuration"},
          answer=("backend", "name", "gone")),
    Route("GET", "/v1/overrides", "read", lambda daemon: Overrides(daemon).get, "what was changed while lbd runs",
          answer=("overrides",)),
    Route("DELETE", "/v1/overrides", "operate", lambda daemon: Overrides(daemon).delete, "end overrides",
          query=("backend", "server"), answer=("ended",)),
)
