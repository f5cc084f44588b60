"""Remember, recall, context and forget, without a server."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from functools import partial

import pytest

from cli.command_line import Cli


def test_what_is_remembered_of_one_person_comes_back_for_that_person_alone(cli: Cli) -> None:
    told = "I love modern furniture, and we just moved to Covington."
    for user, said in (("c1", told), ("c2", "Rustic oak is what I like, and a lot of it.")):
        cli.text(
            "remember", said, "--tenant", "shop", "--user", user, "--session", f"s-{user}", "--name", "Ann"
        )
    (hit,) = cli.json("recall", "what style of furniture?", "--tenant", "shop", "--user", "c1")["hits"]
    assert hit["memory"]["content"] == told
    assert hit["memory"]["trust"] == "user"
    assert hit["score"] == pytest.approx(sum(hit["parts"].values()))
    shown = cli.text("recall", "what style of furniture?", "--tenant", "shop", "--user", "c1", "--explain")
    assert f"Ann: {told}" in shown
    assert " dense" in shown


def test_the_context_is_text_for_a_prompt_with_its_citations(cli: Cli) -> None:
    made = cli.json("remember", "-", "--tenant", "prompt", "--user", "c1", stdin="Delivery only on Fridays.")
    packed = cli.json("context", "when to deliver?", "--tenant", "prompt", "--user", "c1")
    assert packed["citations"] == {"m1": made["ids"][0]}
    assert "[m1]" in cli.text("context", "when to deliver?", "--tenant", "prompt", "--user", "c1")


def test_everybodys_memories_are_searched_if_it_is_asked_for(cli: Cli) -> None:
    for user in ("c1", "c2"):
        cli.text("remember", f"The lamp of {user}.", "--tenant", "everybody", "--user", user)
    found = cli.json("recall", "lamp", "--tenant", "everybody", "--all-users")
    assert {hit["memory"]["user_id"] for hit in found["hits"]} == {"c1", "c2"}
    assert 0 < found["confidence"] < 1
    assert "Confidence that the answer is there: " in cli.text(
        "recall", "lamp", "--tenant", "everybody", "--all-users"
    )
    assert cli.json("recall", "lamp", "--tenant", "everybody")["hits"] == []
    refused = cli.refused("recall", "lamp", "--tenant", "everybody", "--user", "c1", "--all-users")
    assert "not both" in refused["hint"]


def test_what_is_kept_has_the_fields_it_was_given(cli: Cli) -> None:
    cli.text(
        "remember", "Likes fabric.", "--tenant", "fields", "--user", "c1", "--kind", "preference",
        "--at", "2026-03-02T17:05:00+01:00", "--metadata", '{"room": "kitchen"}',
    )  # fmt: skip
    asked = ("recall", "fabric", "--tenant", "fields", "--user", "c1")
    (hit,) = cli.json(*asked, "--metadata", '{"room": "kitchen"}', "--kind", "preference")["hits"]
    assert hit["memory"]["valid_from"].startswith("2026-03-02T16:05:00")
    assert cli.json(*asked, "--metadata", '{"room": {"ne": "kitchen"}}')["hits"] == []
    assert cli.json(*asked, "--until", "2026-03-02")["hits"] == []
    assert cli.refused(*asked, "--metadata", '{"room": {"like": "k"}}')["code"] == "invalid_filter"


def test_repeating_a_command_with_its_key_changes_nothing(cli: Cli) -> None:
    said = ("remember", "Once.", "--tenant", "once", "--shared", "--session", "s", "--idempotency-key", "k")
    first, second = cli.json(*said), cli.json(*said)
    assert first["ids"] == second["ids"]
    assert (first["repeated"], second["repeated"]) == (False, True)


def test_to_forget_deletes_what_is_named_and_counts_it(cli: Cli) -> None:
    for session in ("a", "a", "b"):
        cli.text("remember", f"Said in {session}.", "--tenant", "gone", "--user", "u", "--session", session)
    note = cli.json("remember", "A fact.", "--tenant", "gone", "--user", "u")["ids"][0]
    forget = ("forget", "--tenant", "gone", "--yes")
    assert cli.json(*forget, "--memory", note) == {"memories": 1, "sessions": 0, "users": 0}
    assert cli.refused(*forget, "--memory", note)["code"] == "not_found"
    assert cli.json(*forget, "--session", "a") == {"memories": 2, "sessions": 1, "users": 0}
    assert cli.json(*forget, "--user", "u") == {"memories": 1, "sessions": 1, "users": 1}
    assert cli.json("recall", "said", "--tenant", "gone", "--user", "u")["hits"] == []


def test_nothing_is_deleted_unasked(cli: Cli) -> None:
    cli.text("remember", "A fact.", "--tenant", "asked", "--user", "u")
    assert cli.run("forget", "--tenant", "asked", "--user", "u").exit_code == 2
    assert len(cli.json("recall", "fact", "--tenant", "asked", "--user", "u")["hits"]) == 1


@pytest.mark.parametrize(
    ("answer", "left", "told"), [("y\n", 0, "Forgotten: 1 memory, 0 sessions, 1 user.\n"), ("n\n", 1, "")]
)
def test_a_pipe_may_answer_whether_to_delete(cli: Cli, answer: str, left: int, told: str) -> None:
    tenant = f"piped-{left}"
    cli.text("remember", "A fact.", "--tenant", tenant, "--user", "u")
    done = cli.run("forget", "--tenant", tenant, "--user", "u", stdin=answer)
    assert (done.exit_code, done.stdout) == (left, told)
    assert len(cli.json("recall", "fact", "--tenant", tenant, "--user", "u")["hits"]) == left


def test_nothing_is_shared_with_a_whole_tenant_unasked(cli: Cli) -> None:
    asked = ("recall", "secret", "--tenant", "whole")
    cli.text("tenant", "create", "whole")
    for session in ((), ("--session", "new")):
        said = ("remember", "A secret.", "--tenant", "whole", *session)
        assert "read by everybody of the tenant" in cli.refused(*said)["detail"]
    assert "Without --user only what the tenant shares was searched." in cli.text(*asked)
    assert "Without --user" not in cli.text(*asked, "--user", "u")
    cli.text("remember", "A secret.", "--tenant", "whole", "--user", "u", "--session", "begun")
    cli.text("remember", "Another secret.", "--tenant", "whole", "--session", "begun")
    assert cli.json(*asked)["hits"] == []
    assert len(cli.json(*asked, "--user", "u")["hits"]) == 2
    cli.text("remember", "No secret.", "--tenant", "whole", "--shared")
    assert len(cli.json(*asked)["hits"]) == 1


def test_a_refused_turn_makes_no_tenant(cli: Cli) -> None:
    assert cli.run("remember", "x", "--tenant", "unmade", "--session", "s").exit_code == 1
    assert "unmade" not in cli.text("tenant", "list")


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_is_told_to_be_empty(cli: Cli, text: str) -> None:
    problem = cli.refused("remember", text, "--tenant", "empty", "--user", "u")
    assert problem["detail"] == "There is nothing to remember: the text is empty."


def test_a_hit_is_shown_with_its_similarity_and_wrapped_on_a_terminal(cli: Cli) -> None:
    said = "The narrow hallway is why " + "the wardrobe had to come in parts, and " * 5
    cli.text("remember", said, "--tenant", "wide", "--user", "u")
    asked = ("recall", "narrow hallway", "--tenant", "wide", "--user", "u")
    (hit,) = cli.json(*asked)["hits"]
    plain = cli.text(*asked).splitlines()
    assert plain[0].startswith(f"1. {hit['similarity']:.2f}  ")
    assert said.strip() in plain[0]
    shown = on_terminal(cli, *asked, columns=60).splitlines()
    assert max(map(len, shown)) <= 60
    assert len(shown) > len(plain)


def on_terminal(cli: Cli, *arguments: str, columns: int) -> str:
    """What a command prints to a terminal of that width."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, **cli.environment, "COLUMNS": str(columns)}
    command = [sys.executable, "-m", "recollect", *arguments]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(theirs)
        shown = b"".join(iter(partial(read_terminal, ours), b""))
    os.close(ours)
    assert process.returncode == 0
    return shown.decode()


def read_terminal(descriptor: int) -> bytes:
    """What comes next; nothing when the other side is closed, which Linux tells as an error."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


@pytest.mark.parametrize("command", ["recall", "context"])
def test_a_tenant_that_is_not_there_is_told(cli: Cli, command: str) -> None:
    assert cli.refused(command, "anything", "--tenant", "misspelt")["code"] == "not_found"


@pytest.mark.parametrize(
    "options",
    [
        ("--session", "s", "--kind", "fact"),
        ("--role", "user"),
        ("--metadata", "nonsense"),
        ("--metadata", "[]"),
        ("--at", "soon"),
        ("--user", "u", "--shared"),
    ],
)
def test_options_that_contradict_each_other_are_a_usage_error(cli: Cli, options: tuple[str, ...]) -> None:
    assert cli.run("remember", "x", "--tenant", "usage", *options).exit_code == 2
