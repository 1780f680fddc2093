"""lbd.simulation.scenario: workers as in production, each in its lane."""

from lbd import schema
from lbd.simulation.fleet import from_words, parse
from lbd.simulation.scenario import Flight, Scenario, SimulatedWorker
from lbd.stats.scoreboard import Board


def test_workers_see_each_others_load() -> None:
    scenario = Scenario(from_words(parse("5ms,5ms"), 8), [], 2, 0, [], 1)
    board = Board.create(2)
    settings = schema.BackendConfig(servers=scenario.fleet.settings.servers,
                                    algorithm=schema.AlgorithmConfig("least-connections"))
    one, two = (SimulatedWorker(board, lane, scenario, settings) for lane in range(2))
    flight = Flight(one)
    flight.record.begin(one.route, one.row)
    flight.record.took(one.servers["a"].row)
    assert board.in_flight(0) == 1
    asked: object = None
    server = two.backend.pick(asked)  # type: ignore[arg-type]
    assert server is two.servers["b"]
