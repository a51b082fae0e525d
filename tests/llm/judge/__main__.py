"""Play all cases and show the verdicts: python -m tests.llm.judge [CASE ...]"""

from __future__ import annotations

import resource
import sys
from collections import Counter, defaultdict
from pathlib import Path

from tests.llm.judge.judge import Verdict
from tests.llm.judge.known import found, known
from tests.llm.judge.servers import CASES, judge


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")


def main(names: list[str]) -> None:
    cases = [case for case in CASES if not names or case.name in names]
    verdicts: list[Verdict] = []
    with judge(Path("/dev/stderr")) as made:
        for case in cases:
            verdicts += made.play(case)
    rows, expected = found(verdicts), {row.key for row in known()}
    for key, shown in sorted(rows.items()):
        say("known" if key in expected else "NEW  ", " | ".join(key), "|", ", ".join(shown))
    for key in sorted(expected - rows.keys()):
        say("GONE ", " | ".join(key))
    failed = defaultdict(set)
    for verdict in verdicts:
        if verdict.kinds:
            failed[verdict.way].add(verdict.case)
    say(f"{len(cases)} cases, {len(verdicts)} comparisons, {len(rows)} rows")
    say("comparisons:", dict(Counter(verdict.way for verdict in verdicts)))
    say("by dialect:", dict(Counter(verdict.dialect for verdict in verdicts)))
    say("rows:", dict(Counter(key[:2] for key in rows)))
    for way, those in failed.items():
        say(f"{way}: {len(cases) - len(those)} of {len(cases)} pass; not: {', '.join(sorted(those))}")
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    say(f"CPU: {sum(one.ru_utime + one.ru_stime for one in usage):.1f} s")


main(sys.argv[1:])
