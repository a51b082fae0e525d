"""The judge sees what is lost: twenty changes of sources, dialects and extractors, each."""

from __future__ import annotations

import pytest
from tests.llm.judge.losses import LOSSES, seen


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_each_loss_is_seen() -> None:
    assert len(LOSSES) == 20
    assert [loss.what for loss, rows in seen(LOSSES) if not rows] == []
