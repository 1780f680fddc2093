"""The data plane's fixtures."""

from tests.proxy.conftest import client as client
from tests.proxy.conftest import connect as connect
from tests.proxy.conftest import refusing as refusing
from tests.proxy.conftest import rig as rig
from tests.proxy.conftest import silent as silent
from tests.proxy.conftest import simple as simple
from tests.proxy.conftest import spare as spare
from tests.proxy.conftest import stage as stage
from tests.proxy.conftest import told as told
