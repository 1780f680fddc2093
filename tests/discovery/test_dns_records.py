"""Tests of lbd.discovery.dns_records: an answer without records, and an error that callers of look-ups know."""

from lbd.discovery.dns_records import DnsRecords, Unanswered


def test_an_answer_without_records():
    assert DnsRecords() == DnsRecords((), 0.0, True)


def test_no_answer_is_an_error_of_the_network():
    assert isinstance(Unanswered("no answer"), OSError)
