"""What the admin interface asks is what the supervisor has."""

from lbd.admin.daemon_api import DaemonApi
from lbd.control.supervisor import Supervisor


def test_the_supervisor_has_all_that_is_asked():
    asked = [name for name in vars(DaemonApi) if not name.startswith("_")]
    assert asked
    assert all(hasattr(Supervisor, name) for name in asked)
