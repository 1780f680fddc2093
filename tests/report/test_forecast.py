"""The forecast of series, against what a machine with that configuration exports."""

from dataclasses import replace

from lbd.report.forecast import forecast
from lbd.schema import (
    AlgorithmConfig,
    BackendConfig,
    Config,
    Global,
    HealthPolicy,
    ListenerConfig,
    MetricsConfig,
    Outlier,
    ServerConfig,
)
from lbd.schema.units import Address

CONFIG = Config(
    global_=Global(workers=2),
    listeners={"web": ListenerConfig(bind=(Address("127.0.0.1", 0),), backend="app")},
    backends={"app": BackendConfig(servers={"a": ServerConfig(Address("127.0.0.1", 9))})})
APP = CONFIG.backends["app"]


def more(**changes: object) -> int:
    """So many series more with these changes of the backend."""
    return forecast(replace(CONFIG, backends={"app": replace(APP, **changes)})) - forecast(CONFIG)


def test_what_costs_series() -> None:
    assert more(health=HealthPolicy(type="tcp")) == 3               # duration, passed, failed
    assert more(health=HealthPolicy(type="tcp"), servers={"a": replace(APP.servers["a"], check=False)}) == 0
    assert more(outlier=Outlier()) == 3
    assert more(algorithm=AlgorithmConfig("least-time")) == 1
    assert more(servers={**APP.servers, "b": ServerConfig(Address("127.0.0.1", 10))}) == 19


def test_histograms_of_servers_cost_the_most() -> None:
    wanted = replace(CONFIG, metrics=MetricsConfig(per_server_histograms=True, buckets=(0.1, 1.0)))
    without = replace(CONFIG, metrics=MetricsConfig(buckets=(0.1, 1.0)))
    assert forecast(wanted) - forecast(without) == 5                # two bounds, infinity, count, sum
