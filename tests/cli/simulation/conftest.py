"""The fixtures of the simulation."""

from tests.simulation.conftest import run as run
from tests.simulation.conftest import shape as shape
