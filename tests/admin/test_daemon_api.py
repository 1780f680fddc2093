"""The operations of the daemon have all that the admin interface asks for."""

from lbd.admin.daemon_api import DaemonApi
from lbd.control.operations import Operations


def test_the_operations_have_all_that_is_asked():
    asked = [name for name in vars(DaemonApi) if not name.startswith("_")]
    assert asked
    assert all(hasattr(Operations, name) for name in asked)
