"""Twenty deliberate losses, in sources, dialects and extractors: the judge must see each.

Run it with `python -m tests.llm.judge.losses`. Each is one change of a copy of the tree, on which the judge plays a few
cases. It is seen if the verdicts are not those of the tree as it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[3]
PROVIDERS = "src/headwater/llm/providers"
#: Cases that have all kinds of parts between them.
CASES = [
    *("plain", "par-tools", "reasoning-or", "or-images", "refusal", "annotations", "n2", "length", "error-mid"),
    *("a-thinking", "a-citations", "a-websearch", "a-stopseq", "a-mcp", "a-usage", "a-tool-deltas"),
    *("r-reasoning", "r-code", "r-image", "r-mcp-approval", "r-cited-file", "r-failed"),
]


class Loss(msgspec.Struct, frozen=True):
    """A change of one file.

    Attributes:
        what: is lost.
        path: of the file.
        old: text that is in it once.
        new: what stands there instead.
    """

    what: str
    path: str
    old: str
    new: str


def _of(provider: str, file: str, what: str, old: str, new: str) -> Loss:
    return Loss(what, f"{PROVIDERS}/{provider}/{file}.py", old, new)


LOSSES = [
    _of(
        "openai",
        "source",
        "a refusal's text",
        "builder.say(refusal, refusal=True)",
        "builder.say(refusal[:-1], refusal=True)",
    ),
    _of("openai", "source", "other choices", 'self._keep({"choices": [choice]}, content=True)', "pass"),
    _of("openai", "source", "images", 'for image in dicts_of(delta.get("images")):', "for image in ():"),
    _of(
        "openai",
        "source",
        "why the model stopped",
        "OPENAI_REASONS.get(reason, FinishReason.OTHER), reason",
        'FinishReason.STOP, "stop"',
    ),
    _of(
        "openai",
        "calls",
        "the last piece of arguments",
        "if piece and not call.is_ready:",
        'if piece and "}" not in piece:',
    ),
    _of(
        "openai",
        "dialect",
        "tokens",
        'return self._chunk({"choices": [], "usage": openai_usage(self._usage)})',
        "return []",
    ),
    _of("openai", "dialect", "cited pages", 'self._lists.setdefault("annotations", []).append(', "list().append("),
    _of(
        "anthropic",
        "source",
        "seals of thoughts",
        'self._builder.close_reasoning(id, signature=self._signatures.pop(id, "") or None)',
        "self._builder.close_reasoning(id)",
    ),
    _of("anthropic", "source", "citations", 'self._cite(dict_of(delta.get("citation")))', "pass"),
    _of("anthropic", "source", "a stop sequence", '"sequence": text_of(delta.get("stop_sequence"))', '"sequence": ""'),
    _of("anthropic", "source", "errors of tools", "if code:", "if code == 5:"),
    _of(
        "anthropic",
        "dialect",
        "results of searches",
        'return [*self._open_block("result", id, block), *self._close_block("result", id)]',
        "return []",
    ),
    _of(
        "anthropic",
        "dialect",
        "tokens of the cache",
        "anthropic_usage(self._usage, LAST_USAGE)",
        '{"output_tokens": 0}',
    ),
    _of(
        "responses",
        "source",
        "encrypted thinking",
        'encrypted = text_of(item.get("encrypted_content")) or None',
        "encrypted = None",
    ),
    _of(
        "responses",
        "source",
        "an error's words",
        'self._builder.fail(code_of(error), text_of(error.get("message")),',
        'self._builder.fail(code_of(error), "",',
    ),
    _of(
        "responses",
        "hosted",
        "what code gave",
        "builder.put_output(ToolOutput(id, _output(item), metadata=metadata))",
        "pass",
    ),
    _of("responses", "dialect", "approvals", "return self._tell_again(event)", "return []"),
    _of(
        "ai_sdk", "dialect", "files", "case parts.File(url, media_type):", 'case parts.File(url, "none" as media_type):'
    ),
    _of("ag_ui", "dialect", "thinking", "if isinstance(part, parts.Reasoning):", "if part is None:"),
    Loss(
        "calls, in the extractor of pages",
        "tests/llm/judge/reading.py",
        'found.calls.append((id, name, part.get("input", part.get("rawInput"))))',
        "pass",
    ),
]


def played(tree: Path) -> list[str]:
    """The judge's rows, each with the cases that show it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree / "src"), str(tree)])}
    command = [sys.executable, "-m", "tests.llm.judge", *CASES]
    run = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=300)
    if run.returncode:
        return [run.stderr[-2000:]]
    return [line for line in run.stdout.splitlines() if line.startswith(("known", "NEW"))]


def copied(tree: Path) -> Path:
    """What the judge needs of the tree."""
    skipped = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(ROOT / "src" / "headwater", tree / "src" / "headwater", ignore=skipped)
    for part in ("llm", "support"):
        shutil.copytree(ROOT / "tests" / part, tree / "tests" / part, ignore=skipped)
    (tree / "tests/llm/clients/node_modules").symlink_to((ROOT / "tests/llm/clients/node_modules").resolve())
    return tree


def seen(losses: list[Loss]) -> Iterator[tuple[Loss, list[str]]]:
    """Each loss, and the rows in which the judge saw it; none: it did not."""
    with tempfile.TemporaryDirectory() as directory:
        tree = copied(Path(directory))
        whole = played(tree)
        for loss in losses:
            path = tree / loss.path
            text = path.read_text("utf-8")
            spelled = re.sub(r"\s+", r"\\s+", re.escape(loss.old).replace(r"\ ", " "))
            changed, count = re.subn(spelled, lambda _, new=loss.new: new, text)  # type: ignore[misc]
            assert count == 1, f"{loss.what}: {loss.path} has it {count} times"
            path.write_text(changed, "utf-8")
            found = played(tree)
            path.write_text(text, "utf-8")
            yield loss, sorted(set(found) ^ set(whole))


def main() -> int:
    missed = 0
    for loss, rows in seen(LOSSES):
        missed += not rows
        shown = rows[0][:160] if rows else "NOT SEEN"
        sys.stdout.write(f"{loss.path.removeprefix(PROVIDERS)}: {loss.what}: {len(rows)} rows: {shown}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(LOSSES) - missed} of {len(LOSSES)} seen\n")
    return missed


if __name__ == "__main__":
    sys.exit(main())
