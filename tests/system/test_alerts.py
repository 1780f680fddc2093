"""The alert rules and the Prometheus configuration that lbd ships, as promtool and a test of the rules see them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lbd_process import Backend, borrowed

CONF = Path(__file__).parents[2] / "conf"

# Series by interval of 15 s, and which alerts fire when. `b` is down from the start, `a` from 2:15 on.
RULES = """
rule_files: ["{alerts}"]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {{series: 'lbd_server_up{{instance="l",backend="app",server="a"}}', values: "1x8 0x50"}}
      - {{series: 'lbd_server_up{{instance="l",backend="app",server="b"}}', values: "0x60"}}
      - {{series: 'lbd_server_state{{instance="l",backend="app",server="b",state="down"}}', values: "1x60"}}
      - {{series: 'lbd_server_requests_total{{instance="l",backend="app",server="a",code="2xx"}}', values: "0+90x60"}}
      - {{series: 'lbd_server_requests_total{{instance="l",backend="app",server="a",code="5xx"}}', values: "0+10x60"}}
      - {{series: 'lbd_server_requests_total{{instance="l",backend="app",server="c",code="2xx"}}', values: "0+90x60"}}
      - {{series: 'lbd_config_last_reload_success{{instance="l"}}', values: "1x8 0x50"}}
      - {{series: 'lbd_server_latency_seconds{{instance="l",backend="app",server="a"}}', values: "0.05x60"}}
      - {{series: 'lbd_server_latency_seconds{{instance="l",backend="app",server="c"}}', values: "0.05x60"}}
      - {{series: 'lbd_server_latency_seconds{{instance="l",backend="app",server="b"}}', values: "0.5x60"}}
      - {{series: 'lbd_worker_restarts_total{{instance="l"}}', values: "0+1x60"}}
      - {{series: 'lbd_backend_queue{{instance="l",backend="app"}}', values: "0x8 7x50"}}
      - {{series: 'up{{instance="l",job="lbd"}}', values: "1x8 0x50"}}
    promql_expr_test:
{expected}
"""
FIRES = {
    "LbdGone": ("2m", "5m"), "LbdBackendDown": ("2m", "5m"), "LbdServerDown": ("0m", "5m"),
    "LbdServerErrors": ("1m", "5m"), "LbdServerSlow": ("1m", "5m"), "LbdQueue": ("2m", "5m"),
    "LbdReloadRefused": ("2m", "5m"), "LbdWorkersDie": ("0m", "5m"),
}


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed")
    return found


def run(promtool: str, *words: str) -> None:
    done = subprocess.run([promtool, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_configuration_and_the_rules(promtool):
    run(promtool, "check", "config", str(CONF / "prometheus.yml"))
    run(promtool, "check", "rules", "--lint-fatal", str(CONF / "alerts.yml"))


def test_alerts_fire_when_something_is_bad_and_not_before(promtool, tmp_path):
    expected = []
    for name, (quiet, firing) in FIRES.items():
        for time, samples in ((quiet, "[]"), (firing, "[{value: 1, labels: '{}'}]")):
            query = f'count(count by (alertname) (ALERTS{{alertname="{name}",alertstate="firing"}}))'
            expected.append(f"      - {{expr: '{query}', eval_time: {time}, exp_samples: {samples}}}")
    file = tmp_path / "test.yml"
    file.write_text(RULES.format(alerts=CONF / "alerts.yml", expected="\n".join(expected)))
    run(promtool, "test", "rules", str(file))


def test_every_metric_that_a_rule_asks_for_is_exported():
    asked = set(re.findall(r"\blbd_\w+", (CONF / "alerts.yml").read_text()))
    with Backend("a") as server, borrowed(f"""
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
servers = {{ a = "127.0.0.1:{server.port}" }}
""") as lbd:
        lbd.get("web")
        exported = set(re.findall(r"^(lbd_\w+)", lbd.metrics(), re.MULTILINE))
    assert asked <= exported
