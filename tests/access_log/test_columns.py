"""The columns of the access log are those that the configuration knows."""

from lbd.access_log.columns import COLUMNS, DEFAULT, NAMES
from lbd.schema.units import ACCESS_FIELDS


def test_the_configuration_and_the_log_name_the_same_columns():
    assert NAMES == ACCESS_FIELDS


def test_what_is_written_unasked_says_nothing_of_the_client_s_software():
    assert set(NAMES) - set(DEFAULT) == {
        "worker", "referer", "user_agent", "tls_version", "tls_cipher", "sni", "unix", "client_port"}


def test_each_has_a_text():
    assert all(column.text for column in COLUMNS)
