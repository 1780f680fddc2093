"""The data plane's fixtures; and no process outlives its test."""

from tests.children import no_child_is_left as no_child_is_left
from tests.proxy.conftest import client as client
from tests.proxy.conftest import connect as connect
from tests.proxy.conftest import refusing as refusing
from tests.proxy.conftest import rig as rig
from tests.proxy.conftest import silent as silent
from tests.proxy.conftest import simple as simple
from tests.proxy.conftest import spare as spare
from tests.proxy.conftest import stage as stage
from tests.proxy.conftest import told as told
from tests.stats.conftest import board as board
from tests.stats.conftest import lane as lane
from tests.stats.conftest import lane_of as lane_of
