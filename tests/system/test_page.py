"""The status page in a real browser, before a real daemon: it shows what is, and changes it for who may."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from browser import Browser
from lbd_process import Backend, Lbd, until

OPERATOR, READER = "operator-secret-token", "reader-secret-token"
CONFIG = """
[health.web]
type = "http"
path = "/healthz"
interval = "50ms"
timeout = "5s"
rise = 1
fall = 1
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
algorithm = "least-connections"
health = "web"
[backends.app.servers]
a = "127.0.0.1:{a}"
b = "127.0.0.1:{b}"
"""
pytestmark = pytest.mark.programs

STATUS = "document.querySelector('main').dataset.page === 'status'"


class Site(Lbd):
    """A daemon whose admin side is on a TCP port, with two tokens."""

    def write(self, text: str) -> None:
        (self.path / "tokens").write_text(f"operate {OPERATOR}\nread {READER}\n")
        self._head = re.sub(r"\[admin\]\nbind = .*\n", f'[admin]\nbind = "127.0.0.1:{self.port("admin")}"\n'
                            f'token_file = "{self.path}/tokens"\n', self._head)
        super().write(text)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port('admin')}/"


@pytest.fixture(scope="module")
def browser():
    with Browser() as made:
        yield made


@pytest.fixture(scope="module")
def servers():
    with Backend("a") as a, Backend("b") as b:
        yield a, b


@pytest.fixture(scope="module")
def lbd(servers):
    a, b = servers
    with Site(CONFIG.format(a=a.port, b=b.port)) as made:
        yield made


@pytest.fixture
def page(browser, lbd):
    """The page as a visitor finds it who was never here."""
    return visit(browser, lbd)


def visit(browser, site):
    browser.look(1280)
    browser.go(site.url)
    browser.run("sessionStorage.clear()")
    browser.go(site.url)
    browser.problems.clear()
    return browser


def log_in(page, token):
    page.type("#token", token)
    page.click("#login button")
    page.until(STATUS)


def test_what_a_visitor_without_a_token_sees(page, lbd):
    assert page.run("document.querySelector('main').dataset.page") == "login"
    page.until("document.activeElement.id === 'token'")
    page.type("#token", "no-such-secret-token")
    page.click("#login button")
    page.until("document.getElementById('said').textContent.includes('does not know this token')")
    assert page.run("sessionStorage.length") == 0
    assert page.run("location.href") == lbd.url


def test_without_scripts_it_says_how_to_log_in(page, lbd):
    page.look(1280, scripts=False)
    page.go(lbd.url)
    assert "lbd status --admin" in page.text()
    assert page.run("getComputedStyle(document.getElementById('login')).display") == "none"


def test_a_reader_sees_everything_and_changes_nothing(page, lbd):
    log_in(page, READER)
    text = page.text()
    for part in ("Backend app", "least-connections, 2 of 2 usable", "127.0.0.1:", "GET /healthz: 200", "serving",
                 "What happened", "server up"):
        assert part in text, part
    assert page.run("document.querySelectorAll('[data-do]').length") == 0
    assert page.run("location.href") == lbd.url
    assert READER not in page.run("document.documentElement.outerHTML")
    assert page.problems == []


def test_an_operator_drains_a_server_after_being_asked(page, lbd):
    log_in(page, OPERATOR)
    page.click('[data-do="drain"][data-target="app/a"]')
    assert page.run("document.getElementById('ask').open") is True
    assert "Drain app/a?" in page.run("document.getElementById('ask').innerText")
    page.click("#ask-no")
    assert lbd_mode(lbd, page) == "ready"
    page.click('[data-do="drain"][data-target="app/a"]')
    page.type("#ask-reason", "new version")
    page.click("#ask-yes")
    page.until("document.getElementById('server-app/a').innerText.includes('drain')")
    assert "new version" in page.text()
    page.click('[data-do="ready"][data-target="app/a"]')
    page.click("#ask-yes")
    until(lambda: lbd_mode(lbd, page) == "ready", "it is back")
    assert page.problems == []


def test_an_operator_cuts_what_a_server_has_in_hand(page, lbd, servers):
    a, b = servers
    log_in(page, OPERATOR)
    with ThreadPoolExecutor() as pool:
        held = [pool.submit(lbd.get, "web", "/held") for _ in range(2)]      # one at each
        assert a.held.acquire(timeout=20)
        assert b.held.acquire(timeout=20)
        page.click('[data-do="maint"][data-target="app/a"]')
        page.click("#ask-cut input")
        page.click("#ask-yes")
        page.until("document.getElementById('server-app/a').innerText.includes('cut at')")
        assert b.held.acquire(timeout=20)       # that of the other goes there
        for server in servers:
            server.release.set()
        assert [done.result(20)[1]["server"] for done in held] == ["b", "b"]
    page.click('[data-do="ready"][data-target="app/a"]')
    assert page.run("document.getElementById('ask-cut').hidden") is True
    page.click("#ask-yes")
    until(lambda: lbd_mode(lbd, page) == "ready", "it is back")


def test_a_weight_is_asked_for_and_set(page, lbd):
    log_in(page, OPERATOR)
    page.click('[data-do="weight"][data-target="app/b"]')
    assert page.run("document.querySelector('#ask input[type=number]').value") == "1"
    page.run("document.querySelector('#ask input[type=number]').value = '7'")
    page.click("#ask-yes")
    page.until("document.querySelector('[id=\"server-app/b\"] [data-title=weight]').innerText.trim() === '7'")


def lbd_mode(lbd, page):
    script = f"fetch('v1/backends/app/servers/a', {{headers: {{Authorization: 'Bearer {OPERATOR}'}}}})"
    return page.run(f"{script}.then(answer => answer.json()).then(data => data.mode)")


def test_a_server_that_goes_down_is_told_first_and_announced(page, servers):
    log_in(page, READER)
    a, _ = servers
    page.run("document.body.dataset.kept = 'yes'")
    a.healthy = False
    try:
        page.until("document.getElementById('ailing')?.innerText.includes('app/a down')")
        page.until("document.getElementById('said').textContent.includes('app/a down')")
        assert page.run("document.title") == "1 not up - lbd"
        assert "GET /healthz: 503" in page.text()
    finally:
        a.healthy = True
    page.until("!document.getElementById('ailing')")
    assert page.run("document.body.dataset.kept") == "yes", "the page was refreshed, not loaded again"


def test_focus_survives_a_refresh(page):
    log_in(page, OPERATOR)
    page.run("document.querySelector('[data-do=drain][data-target=\"app/b\"]').focus()")
    page.run("window.before = document.getElementById('live').textContent")
    page.until("document.getElementById('live').textContent !== window.before")
    assert page.run("document.activeElement.dataset.target") == "app/b"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_fits_on_every_screen(page, tmp_path: Path, width, dark):
    log_in(page, OPERATOR)
    page.look(width, dark)
    assert page.run("document.documentElement.scrollWidth") <= width
    ground = page.run("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")
    page.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 10_000


def test_what_a_screen_reader_is_told(page):
    log_in(page, OPERATOR)
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    names = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]}
    for wanted in (("heading", "lbd ready"), ("region", "Backend app"), ("columnheader", "in flight"),
                   ("button", "Drain app/a"), ("status", "")):
        assert wanted in names, (wanted, sorted(names))


@pytest.fixture(scope="module")
def large(servers):
    """A fleet that is more than one looks at: three backends of forty servers."""
    a, _ = servers
    parts = ['[listeners.web]\nbind = "127.0.0.1:$web"\nbackend = "b0"\n']
    for number in range(3):
        rows = "".join(f's{place:02} = "127.0.{number}.{place + 1}:{a.port}"\n' for place in range(40))
        parts.append(f"[backends.b{number}.servers]\n{rows}")
    with Site("".join(parts)) as made:
        yield made


def rows(page):
    """The servers that are shown, by the ids of their rows."""
    return page.run("[...document.querySelectorAll('table.servers tbody tr')].map(row => row.id)")


def refreshed(page):
    """Wait for two looks at the daemon."""
    for _ in range(2):
        page.run("window.before = document.getElementById('live').textContent")
        page.until("document.getElementById('live').textContent !== window.before")


def test_backends_of_a_large_fleet_are_opened_by_a_click_and_stay_so(browser, large):
    page = visit(browser, large)
    log_in(page, READER)
    assert rows(page) == []
    assert "40 of 40 usable" in page.text()
    page.click("#backend-b1 summary")
    page.until("document.querySelectorAll('table.servers tbody tr').length === 40")
    refreshed(page)
    assert [len(rows(page)), rows(page)[0]] == [40, "server-b1/s00"]
    assert page.run("document.querySelectorAll('details.backend[open]').length") == 1
    page.click("#backend-b1 summary")
    page.until("document.querySelectorAll('table.servers tbody tr').length === 0")
    refreshed(page)
    assert rows(page) == []
    assert page.problems == []


def test_servers_are_found_while_one_types(browser, large):
    page = visit(browser, large)
    log_in(page, READER)
    page.type("#find input", "ready 127.0.2.1")
    page.until("!!document.getElementById('server-b2/s00')")
    assert rows(page) == [f"server-b2/s{place:02}" for place in (0, *range(9, 19))]
    assert "11 servers found" in page.text()
    refreshed(page)
    assert page.run("document.activeElement.value") == "ready 127.0.2.1"
    page.run("document.querySelector('#find input').value = ''")
    page.run("document.querySelector('#find input').dispatchEvent(new Event('input', {bubbles: true}))")
    page.until("document.querySelectorAll('details.backend').length === 3")
    assert rows(page) == []


def test_what_the_last_reload_changed_is_shown(page, lbd):
    log_in(page, READER)
    text = lbd.file.read_text()
    try:
        lbd.replace_file(text.replace('algorithm = "least-connections"', 'algorithm = "random"'))
        page.until("!!document.getElementById('change')")
        page.click("#change summary")
        refreshed(page)
        assert page.run("document.getElementById('change').open") is True
        assert "least-connections" in page.run("document.querySelector('#change li').innerText")
    finally:
        lbd.replace_file(text)
