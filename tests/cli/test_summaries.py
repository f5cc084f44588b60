"""Plain answers and summaries, without a server."""

from __future__ import annotations

from cli.command_line import Cli


def test_a_plain_question_is_answered_with_its_source(cli: Cli) -> None:
    made = cli.json(
        "remember", "The leather smells odd.", "--tenant", "plain", "--user", "c1", "--session", "s1",
        "--at", "2026-02-10T09:00:00Z",
    )  # fmt: skip
    asked = ("answer", "When did I last mention leather?", "--tenant", "plain", "--user", "c1")
    found = cli.json(*asked)
    assert (found["answered"], found["kind"]) == (True, "last_mention")
    assert found["citations"] == {"m1": made["ids"][0]}
    assert "2026-02-10" in cli.text(*asked)
    unknown = cli.json("answer", "Who is Luna?", "--tenant", "plain", "--user", "c1")
    assert not unknown["answered"]


def test_a_summary_is_of_a_person_or_of_a_session(cli: Cli) -> None:
    cli.text("remember", "We live in Oslo.", "--tenant", "sums", "--user", "c1", "--session", "s1", "--wait")
    told = cli.json("summary", "--tenant", "sums", "--session", "s1")
    assert told["summaries"][0]["session_id"] == "s1"
    assert "Oslo" in cli.text("summary", "--tenant", "sums", "--session", "s1")
    assert cli.json("summary", "--tenant", "sums", "--user", "c1")["user_id"] == "c1"
    both = cli.run("summary", "--tenant", "sums", "--user", "c1", "--session", "s1")
    assert both.exit_code == 2
    assert "--user or --session" in both.stderr
