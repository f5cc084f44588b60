"""`recollect ingest`: conversations from files, once each, straight into the database and over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import Cli
from cli.test_serving import ready
from recollect.core.transcripts import EXAMPLE


def write(path: Path, *turns: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(turn) + "\n" for turn in turns))
    return path


def turn(session: str, content: str, **fields: Any) -> dict[str, Any]:
    return {"session_id": session, "content": content, **fields}


CHAT = [
    turn("a", "I moved to Covington.", user_id="u", name="Ann", at="2026-03-02T09:30:00Z"),
    turn("b", "My dog is called Rex.", user_id="u", metadata={"channel": "phone"}),
    turn("a", "Congratulations!", role="assistant"),
]


def test_a_file_is_loaded_once_and_what_it_gains_later_is_new(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path / "chat.jsonl", *CHAT)
    load = ("ingest", path, "--tenant", "loaded")
    done = cli.json(*load)
    assert (done["sessions"], done["turns"], done["new"]) == (2, 3, 3)
    assert cli.json(*load)["new"] == 0
    write(path, *CHAT, turn("c", "I bought a lamp.", user_id="u"))
    assert cli.json(*load)["new"] == 1
    cli.json("forget", "--tenant", "loaded", "--session", "b", "--yes")
    assert cli.json(*load)["new"] == 1
    hits = cli.json("recall", "Where does she live?", "--tenant", "loaded", "--user", "u")["hits"]
    kept = {hit["memory"]["content"]: hit["memory"] for hit in hits}
    assert len(kept) == len(hits) == 4
    assert kept["I moved to Covington."]["valid_from"].startswith("2026-03-02T09:30:00")
    assert kept["Congratulations!"]["seq"] == 2
    assert kept["My dog is called Rex."]["metadata"] == {"channel": "phone"}


def test_a_session_that_was_changed_is_refused_and_not_loaded_in_half(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path / "changed.jsonl", turn("x", "First."))
    cli.text("ingest", path, "--tenant", "changed", "--user", "u")
    write(path, turn("x", "First."), turn("x", "Second."))
    problem = cli.refused("ingest", path, "--tenant", "changed", "--user", "u")
    assert problem["code"] == "idempotency_mismatch"
    assert "changed.jsonl: session 'x'" in problem["detail"]
    assert len(cli.json("recall", "first or second", "--tenant", "changed", "--user", "u")["hits"]) == 1


def test_a_file_with_a_bad_line_is_not_loaded_at_all(cli: Cli, tmp_path: Path) -> None:
    good = write(tmp_path / "good.jsonl", *CHAT)
    bad = write(tmp_path / "bad.jsonl", *CHAT, turn("c", ""))
    problem = cli.refused("ingest", good, bad, "--tenant", "bad")
    assert problem["code"] == "invalid_request"
    assert f"{bad}:4: content is missing or empty" in problem["detail"]
    assert cli.refused("recall", "anything", "--tenant", "bad")["code"] == "not_found"


@pytest.mark.parametrize(
    "content", [json.dumps(CHAT), "# A heading\n\nAnd words.", "# About a conversation\n\nAnd words."]
)
def test_a_file_of_another_shape_is_refused_with_an_example(cli: Cli, tmp_path: Path, content: str) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    problem = cli.refused("ingest", path, "--tenant", "none", "--shared")
    assert "one JSON object a line" in problem["hint"]
    assert EXAMPLE in problem["hint"]


def test_the_example_of_the_help_is_one(cli: Cli, tmp_path: Path) -> None:
    assert f"\n    {EXAMPLE}\n" in cli.text("ingest", "--help")
    path = tmp_path / "example.jsonl"
    path.write_text(EXAMPLE)
    assert cli.json("ingest", path, "--tenant", "example")["new"] == 1


def test_a_session_without_a_user_is_kept_only_if_it_is_to_be_shared(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path / "shared.jsonl", *CHAT, turn("c", "We open at nine."))
    load = ("ingest", path, "--tenant", "sharing")
    assert "session 'c' names no user" in cli.refused(*load)["detail"]
    assert cli.run(*load, "--shared", "--user", "u").exit_code == 2
    assert cli.text(*load, "--shared").startswith("4 turns in 3 sessions, 4 new, in ")
    (hit,) = cli.json("recall", "opening hours", "--tenant", "sharing")["hits"]
    assert hit["memory"]["content"] == "We open at nine."


@pytest.mark.parametrize(
    ("content", "why"), [(b"\xff", "this is not UTF-8, at byte 0"), (None, "cannot be read")]
)
def test_a_file_that_is_no_text_is_refused(cli: Cli, tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    assert why in cli.refused("ingest", path, "--tenant", "none")["detail"]


def test_files_are_loaded_over_http_with_a_key_alone(cli: Cli, tmp_path: Path) -> None:
    chat = write(tmp_path / "chat.jsonl", *CHAT)
    locomo = tmp_path / "locomo.json"
    said = [{"speaker": "Ann", "dia_id": "D1:1", "text": "Hello, Ben!"}]
    sample = {"session_1": said, "session_1_date_time": "1:56 pm on 8 May, 2025"}
    locomo.write_text(json.dumps([{"sample_id": "pair/1", "conversation": sample}]))
    cli.text("tenant", "create", "remote")
    with_key = cli.with_variables(RECOLLECT_API_KEY=cli.text("key", "create", "remote").strip())
    with cli.start("serve", "--port", "0", "--json") as process:
        load = ("ingest", chat, locomo, "--url", ready(process))
        assert with_key.json(*load)["new"] == 4
        assert with_key.json(*load)["new"] == 0
        wrong = cli.with_variables(RECOLLECT_API_KEY="rcl_wrong")
        assert wrong.refused(*load)["code"] == "unauthenticated"
    assert with_key.refused(*load)["code"] == "unavailable"
    (hit,) = cli.json("recall", "hello", "--tenant", "remote", "--user", "pair/1")["hits"]
    assert hit["memory"]["valid_from"].startswith("2025-05-08T13:56:00")


@pytest.mark.parametrize("options", [(), ("--url", "http://127.0.0.1:1"), ("--tenant", "t", "--url", "x")])
def test_it_is_told_where_to_load_to(cli: Cli, tmp_path: Path, options: tuple[str, ...]) -> None:
    assert cli.run("ingest", write(tmp_path / "f", *CHAT), *options).exit_code == 2
