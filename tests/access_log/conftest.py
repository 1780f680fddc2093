"""The data plane's fixtures; and no process outlives its test."""

from tests.children import no_child_is_left as no_child_is_left
from tests.plane import client as client
from tests.plane import connect as connect
from tests.plane import refusing as refusing
from tests.plane import rig as rig
from tests.plane import silent as silent
from tests.plane import simple as simple
from tests.plane import spare as spare
from tests.plane import stage as stage
from tests.plane import told as told
from tests.stats.conftest import board as board
from tests.stats.conftest import lane as lane
from tests.stats.conftest import lane_of as lane_of
