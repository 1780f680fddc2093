"""The table of routes of the admin interface."""

from lbd.admin.openapi import OpenApiResource
from lbd.admin.resources.backends import BackendsResource
from lbd.admin.resources.config import ConfigResource
from lbd.admin.resources.confirm import ConfirmResource
from lbd.admin.resources.events import EventsResource
from lbd.admin.resources.explain import ExplainResource
from lbd.admin.resources.health import HealthResource
from lbd.admin.resources.metrics import MetricsResource
from lbd.admin.resources.overrides import OverridesResource
from lbd.admin.resources.plan import PlanBody, PlanResource
from lbd.admin.resources.reload import ReloadResource
from lbd.admin.resources.rollback import RollbackResource
from lbd.admin.resources.servers import ServersResource
from lbd.admin.resources.status import StatusResource
from lbd.admin.resources.upgrade import UpgradeResource
from lbd.admin.route import ApiRoute
from lbd.admin.start_page import StartPage
from lbd.config.runtime import OverrideRequest, RegistrationRequest

BACKEND = "/v1/backends/{backend}"
SERVER = BACKEND + "/servers/{server}"
SERVER_FACTS = ("backend", "name", "address", "mode", "cut_at", "health", "weight", "in_flight", "override",
                "registration")
CONFLICT = "refused, and nothing has changed"

# Also served on the address of the metrics, to every client that can connect.
SHOWN: tuple[ApiRoute, ...] = (
    ApiRoute("GET", "/healthz", "", lambda daemon: HealthResource(daemon).healthz, "lbd lives", media="text/plain"),
    ApiRoute("GET", "/readyz", "", lambda daemon: HealthResource(daemon).readyz, "lbd should get traffic",
             codes={200: "it should", 503: "it should not, and why"}, media="text/plain"),
    ApiRoute("GET", "/metrics", "read", lambda daemon: MetricsResource(daemon).get, "the exposition for Prometheus",
             query=("scope", "no-maint", "compat"), media="text/plain"),
)

ROUTES: tuple[ApiRoute, ...] = (
    *SHOWN,
    ApiRoute("GET", "/", "", lambda daemon: StartPage(daemon).get, "the status as a page",
             codes={200: "the page", 401: "a form for a token"}, media="text/html"),
    ApiRoute("GET", "/page/{file}", "", lambda daemon: StartPage(daemon).file, "what the page needs", media="text/css"),
    ApiRoute("GET", "/v1/openapi.json", "read", lambda daemon: OpenApiResource(ROUTES).get, "this description",
             answer=("openapi", "paths")),
    ApiRoute("GET", "/v1/status", "read", lambda daemon: StatusResource(daemon).get, "everything that is now",
             query=("history",), answer=("version", "state", "generation", "backends", "listeners", "workers")),
    ApiRoute("GET", "/v1/events", "read", lambda daemon: EventsResource(daemon).get, "what happened lately",
             query=("since", "wait"), answer=("events", "last")),
    ApiRoute("GET", "/v1/config", "read", lambda daemon: ConfigResource(daemon).get, "the configuration in force",
             query=("secrets",), answer=("generation", "settings")),
    ApiRoute("GET", "/v1/explain", "read", lambda daemon: ExplainResource(daemon).get,
             "where a request would go, and why", query=("method", "url", "header", "from", "listener")),
    ApiRoute("POST", "/v1/explain", "read", lambda daemon: ExplainResource(daemon).post,
             "a ticket for one request whose answer is to say how it came about", codes={201: "the ticket"}),
    ApiRoute("POST", "/v1/plan", "operate", lambda daemon: PlanResource(daemon).post, "what a reload would do",
             PlanBody, codes={200: "the plan", 409: CONFLICT}),
    ApiRoute("POST", "/v1/reload", "operate", lambda daemon: ReloadResource(daemon).post,
             "read the configuration again", query=("force", "confirm"),
             codes={200: "in force", 409: CONFLICT, 422: "the files have errors"}),
    ApiRoute("POST", "/v1/upgrade", "operate", lambda daemon: UpgradeResource(daemon).post,
             "become the version on disk, in place",
             codes={202: "it takes the configuration and is about to", 409: CONFLICT}),
    ApiRoute("POST", "/v1/confirm", "operate", lambda daemon: ConfirmResource(daemon).post,
             "keep what waits to be confirmed", codes={200: "kept", 409: "nothing waits"}),
    ApiRoute("POST", "/v1/rollback", "operate", lambda daemon: RollbackResource(daemon).post,
             "back to the generation before", codes={200: "in force", 409: CONFLICT}),
    ApiRoute("GET", "/v1/backends", "read", lambda daemon: BackendsResource(daemon).list,
             "every backend with its servers", answer=("backends",)),
    ApiRoute("GET", BACKEND, "read", lambda daemon: BackendsResource(daemon).get, "one backend with its servers",
             answer=("algorithm", "servers", "override")),
    ApiRoute("PATCH", BACKEND, "operate", lambda daemon: BackendsResource(daemon).patch,
             "override what the files say of all its servers", OverrideRequest,
             codes={200: "the backend", 409: CONFLICT}),
    ApiRoute("GET", SERVER, "read", lambda daemon: ServersResource(daemon).get, "one server", answer=SERVER_FACTS),
    ApiRoute("PUT", SERVER, "register", lambda daemon: ServersResource(daemon).put,
             "register a server, or say that it lives", RegistrationRequest,
             codes={200: "it was known", 201: "it is new, or another than before", 409: CONFLICT},
             answer=("backend", "name", "changed")),
    ApiRoute("PATCH", SERVER, "operate", lambda daemon: ServersResource(daemon).patch,
             "override what the files say of it", OverrideRequest,
             codes={200: "the server", 409: CONFLICT}, answer=SERVER_FACTS),
    ApiRoute("DELETE", SERVER, "register", lambda daemon: ServersResource(daemon).delete,
             "drain a registered server, then remove it", query=("wait",),
             codes={200: "it is gone", 202: "it drains", 409: "it is one of the configuration"},
             answer=("backend", "name", "gone")),
    ApiRoute("GET", "/v1/overrides", "read", lambda daemon: OverridesResource(daemon).get,
             "what was changed while lbd runs", answer=("overrides",)),
    ApiRoute("DELETE", "/v1/overrides", "operate", lambda daemon: OverridesResource(daemon).delete, "end overrides",
             query=("backend", "server"), answer=("ended",)),
)
