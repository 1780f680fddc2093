"""The choice of an address: kept while it works, moved along when it fails, without going round and round."""

from itertools import pairwise

from lbd.discovery.address_choice import LAST, MOST, SOUND, AddressChoice
from lbd.schema.units import Address

AB = ("10.0.0.1", "10.0.0.2")


def choice(listed=AB):
    made = AddressChoice(Address("app.test", 80, tls=True))
    assert made.choose_among(listed, 0.0) == Address(listed[0], 80, tls=True)
    return made


def test_it_is_kept_as_long_as_it_is_listed():
    made = choice()
    assert made.choose_among(("10.0.0.2", "10.0.0.1"), 0.0).host == "10.0.0.1"
    assert made.choose_among(("10.0.0.2", "10.0.0.3"), 0.0).host == "10.0.0.2"
    assert made.choose_among(AB, 0.0).host == "10.0.0.2"


def test_one_that_fails_makes_place_for_the_next():
    made = choice()
    assert made.mark_failed(AB, 100.0)
    assert made.choose_among(AB, 0.0).host == "10.0.0.2"


def test_an_only_one_stays():
    made = choice(AB[:1])
    assert not made.mark_failed(AB[:1], 100.0)
    assert made.choose_among(AB[:1], 0.0).host == "10.0.0.1"


def test_while_all_fail_it_moves_less_and_less():
    made = choice()
    moves = [at for at in range(1200) if made.mark_failed(AB, at / 10)]
    rounds = [moves[0], *(later for earlier, later in pairwise(moves) if later > earlier + 1)]
    pauses = [(later - earlier) / 10 for earlier, later in pairwise(rounds)]
    assert pauses[:5] == sorted(pauses[:5])
    assert max(pauses) <= LAST + 0.2
    assert len(moves) <= 2 * len(rounds)
    assert len(rounds) < 15


def test_failures_of_long_ago_count_no_more():
    made = choice()
    for at in range(100):
        made.mark_failed(AB, at / 10)
    assert made.mark_failed(AB, 10.0 + SOUND + LAST)
    assert {failure.count for failure in made.failures.values() if failure.at > 20} == {1}


def test_of_many_addresses_the_first_are_tried():
    many = tuple(f"10.0.0.{number}" for number in range(1, 200))
    made, seen = choice(many), set()
    for at in range(2000):
        made.mark_failed(many, at / 10)
        seen.add(made.choose_among(many, 0.0).host)
    assert seen == set(many[:MOST])


def test_an_address_that_comes_back_was_not_forgotten_to_have_failed():
    made = choice()
    made.mark_failed(AB, 0.0)
    assert made.choose_among(("10.0.0.1", "10.0.0.3"), 0.0).host == "10.0.0.3"


def test_an_address_that_failed_long_ago_is_as_good_as_any():
    made = choice()
    made.mark_failed(AB, 0.0)
    assert made.choose_among(("10.0.0.1", "10.0.0.3"), SOUND).host == "10.0.0.1"
