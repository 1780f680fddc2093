"""The data plane's fixtures."""

from tests.plane import client as client
from tests.plane import connect as connect
from tests.plane import refusing as refusing
from tests.plane import rig as rig
from tests.plane import silent as silent
from tests.plane import simple as simple
from tests.plane import spare as spare
from tests.plane import stage as stage
from tests.plane import told as told
