"""A scrape: its format, its scope, and its bound."""

from dataclasses import replace

from lbd.stats.exporter import exposition
from lbd.stats.scoreboard import Board
from lbd.stats.scrape import scrape, series
from lbd.stats.view import ServerView, View

VIEW = View(generation=1, servers=[ServerView("app", f"s{slot}", slot) for slot in range(10)], backends={"app": 0},
            build={"version": "1"})


def test_unasked_it_is_everything(board: Board):
    assert scrape(VIEW, board, "", {}, 10**6) == exposition(VIEW, board, "")
    assert scrape(VIEW, board, "application/openmetrics-text", {}, 10**6)[1].startswith("application/openmetrics-text")


def test_beyond_the_bound_single_servers_are_left_out_and_it_says_so(board: Board):
    most = series(VIEW, board)
    assert b"lbd_metrics_left_out 0" in scrape(VIEW, board, "", {}, most)[0]
    text = scrape(VIEW, board, "", {}, most // 3)[0]
    assert b"lbd_metrics_left_out 1" in text
    assert b'server="' not in text
    assert b'lbd_backend_in_flight{backend="app"}' in text


def test_histograms_of_servers_go_first(board: Board):
    view = replace(VIEW, histograms=True)
    text = scrape(view, board, "", {}, series(view, board) - 100)[0]
    assert b"lbd_metrics_left_out 1" in text
    assert b"lbd_server_response_seconds" not in text
    assert b'lbd_server_up{backend="app",server="s9"}' in text
