"""What stands in examples/ runs, and is what README shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from cli.command_line import PATIENCE, Cli

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def test_the_example_of_the_library_finds_what_was_said(fresh_cli: Cli) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "shop.py"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **fresh_cli.environment},
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    best = done.stdout.splitlines()[0]
    assert "I love modern furniture, and we just moved to Covington." in best
    assert done.stderr == ""


def test_readme_shows_the_example_as_it_is() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    code = (EXAMPLES / "shop.py").read_text("utf-8").partition('"""\n\n')[2]
    assert code in blocks


def test_the_example_conversations_answer_a_question(cli: Cli) -> None:
    load = ("ingest", EXAMPLES / "conversations.jsonl", "--tenant", "examples")
    assert cli.json(*load)["turns"] == 6
    asked = ("recall", "What must the sofa be made of?", "--tenant", "examples", "--user", "bo")
    best = cli.json(*asked)["hits"][0]["memory"]
    assert "the sofa has to be leather" in best["content"]
