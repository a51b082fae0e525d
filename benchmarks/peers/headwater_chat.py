"""A chat with Headwater, as its tutorial has it. LLM_STORE: where the answers are kept."""

from __future__ import annotations

import os

from fastapi import FastAPI
from scripted_model import calm_garbage_collection, tokens  # type: ignore[import-not-found, unused-ignore]

from headwater import Hub
from headwater.llm import Chat, Runs

runs = Runs(Hub(os.environ["LLM_STORE"]), grace_seconds=0)
app = FastAPI(lifespan=runs.lifespan)
Chat(runs, lambda request: tokens(request.body)).install(app)
calm_garbage_collection()
