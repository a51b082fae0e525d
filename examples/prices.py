"""A live feed of many prices, each its own stream, all on one connection. python examples/prices.py

What to see: http://127.0.0.1:8000 has the whole table with one read, the newest price of each of 100 symbols, however
long the feed has run. Make the network slow in the browser's tools: prices are left out, the newest of each arrives.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from headwater import Entry, Hub, Retention, StreamConfig

PAGE: Final = """<!doctype html><title>Prices</title><h1>Prices</h1><table id=table></table>
<script>
const cells = {}
const row = stream => {
  const made = table.insertRow()
  made.insertCell().append(stream.split("/")[1])
  return made.insertCell()
}
new EventSource("/streams/-/many?slow=latest&last=1&stream=prices/*").onmessage = ({data}) => {
  const {stream, data: {price}} = JSON.parse(data)
  const cell = cells[stream] ??= row(stream)
  cell.textContent = price.toFixed(2)
}
</script>"""

SYMBOLS: Final = [f"{letter}{digit}" for letter in "ABCDEFGHIJ" for digit in range(10)]
PRICE: Final = StreamConfig("application/json", retention=Retention(count=100))

hub = Hub(os.environ.get("PRICES_STORE", "sqlite:prices.db"), multi=True)  # whoever comes may read all


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with hub:
        task = asyncio.create_task(publish())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def publish() -> None:
    prices = dict.fromkeys(SYMBOLS, 100.0)
    moved = SYMBOLS
    while True:
        for symbol in moved:
            prices[symbol] *= random.uniform(0.99, 1.01)
        # What moved together is seen together, and written in one commit.
        await hub.append_all(Entry(f"prices/{symbol}", {"price": prices[symbol]}, create=PRICE) for symbol in moved)
        await asyncio.sleep(0.1)
        moved = random.sample(SYMBOLS, 20)


app = FastAPI(lifespan=lifespan)
app.mount("/streams", hub.asgi)


@app.get("/", response_class=HTMLResponse)
async def page() -> str:
    return PAGE


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")), timeout_graceful_shutdown=10)
