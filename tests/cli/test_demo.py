"""The demo: everything a newcomer sees in the first ten minutes, on the real parts."""

from __future__ import annotations

import contextlib
import json
import socket
from datetime import timedelta
from typing import Any

from cli.command_line import Cli
from recollect.demo.conversation import read_conversation


def test_the_conversation_is_long_enough_to_be_worth_asking() -> None:
    conversation = read_conversation()
    turns = {
        (session.session_id, seq): session.user_id
        for session in conversation.sessions
        for seq in range(1, len(session.messages) + 1)
    }
    times = [message.at for session in conversation.sessions for message in session.messages if message.at]
    assert len(times) == len(turns) >= 60
    assert max(times) - min(times) > timedelta(weeks=8)
    assert len(set(turns.values())) == 2
    assert len(conversation.questions) == 5
    for question in conversation.questions:
        assert {turns[turn] for turn in question.evidence} == {question.user_id}


def test_each_answer_has_its_evidence_and_a_second_start_doubles_nothing(fresh_cli: Cli) -> None:
    first = fresh_cli.process("demo", "--once", "--port", "0", "--json")
    assert first.returncode == 0, first.stderr
    shown = json.loads(first.stdout)
    assert shown["key"].startswith("rcl_")
    assert shown["loaded"]["new"] == shown["loaded"]["turns"]
    check_answers(shown)

    second = fresh_cli.process("demo", "--once", "--port", "0", "--json")
    again = json.loads(second.stdout)
    assert again["key"] is None
    assert again["loaded"]["new"] == 0
    check_answers(again)

    keys = fresh_cli.json("key", "list", "demo")["keys"]
    assert [key["name"] for key in keys] == ["shown at the first start"]
    assert [tenant["name"] for tenant in fresh_cli.json("tenant", "list")["tenants"]] == ["demo"]


def check_answers(shown: dict[str, Any]) -> None:
    """Evidence among the first three, and nobody else's memories."""
    questions = read_conversation().questions
    assert len(shown["answers"]) == len(questions)
    learned = {user: [fact["content"] for fact in facts] for user, facts in shown["learned"].items()}
    assert sorted(learned) == ["marisol", "teodor"]
    assert all(learned.values())
    for question, answer in zip(questions, shown["answers"], strict=True):
        hits = answer["hits"]
        assert isinstance(hits, list)
        memories = [hit["memory"] for hit in hits]
        assert {memory["user_id"] for memory in memories} == {question.user_id}
        assert question.evidence & {(memory["session_id"], memory["seq"]) for memory in memories[:3]}


def test_it_reads_as_a_page(cli: Cli) -> None:
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # if somebody else has the port, it is taken as well
            stack.enter_context(socket.create_server(("127.0.0.1", 8100)))
        page = cli.process("demo", "--once")
    assert page.returncode == 0, page.stderr
    for question in read_conversation().questions:
        assert question.text in page.stdout
    assert "12 Jan 2026, Marisol: And yes, a pet: Biscuit" in page.stdout
    assert "curl" not in page.stdout
    assert page.stdout.count("rcl_") == 1
    assert "rcl_" not in page.stderr


def test_without_once_it_says_how_to_go_on_and_serves_on(cli: Cli) -> None:
    with cli.start("demo", "--port", "0") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert any("curl -s http://127.0.0.1:" in line for line in process.stdout)
        assert any(line.startswith("Serving on http://") for line in process.stderr)
        assert process.poll() is None
