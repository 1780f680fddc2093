"""A control plane with real workers, for tests."""

from lbd.schema import BackendConfig, Config, Global, ListenerConfig, ServerConfig
from lbd.schema.units import Address


def config(*servers, workers=2, port=0, **settings):
    listed = {name: ServerConfig(address=Address("127.0.0.1", 9 + place)) for place, name in enumerate(servers)}
    return Config(global_=Global(workers=workers, drain_timeout=0.0),
                  listeners={"web": ListenerConfig(bind=(Address("127.0.0.1", port),), backend="app")},
                  backends={"app": BackendConfig(servers=listed, **settings)})
