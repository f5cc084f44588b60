"""Remember, recall, context and forget, without a server."""

from __future__ import annotations

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
    said = ("remember", "Once.", "--tenant", "once", "--session", "s", "--idempotency-key", "k")
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
    ],
)
def test_options_that_contradict_each_other_are_a_usage_error(cli: Cli, options: tuple[str, ...]) -> None:
    assert cli.run("remember", "x", "--tenant", "usage", *options).exit_code == 2
