"""A service on FastAPI whose predictions are watched.

pip install fastapi uvicorn streamgauge-client
STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS=localhost:9092 uvicorn fastapi_service:app

curl -i localhost:8000/payments --json '{"amount": 129.9, "country": "SE", "age": 47}'
The answer's header X-Prediction-Id is what a later label names.
"""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel

from streamgauge_client import ASGIMiddleware, Publisher

publisher = Publisher(
    model="fraud", version="3.2.0", service="checkout", privacy={"age": {"bucket": 10}}
)

app = FastAPI()
app.add_middleware(ASGIMiddleware, publisher=publisher)


class Payment(BaseModel):
    """What is known of a payment when it is to be judged."""

    amount: float
    country: str
    age: int


class Verdict(BaseModel):
    """What becomes of it."""

    accepted: bool
    risk: float


@app.post("/payments")
@publisher.watch(
    output=lambda verdict: {"label": not verdict.accepted, "score": verdict.risk},
    segment=lambda payment: {"country": payment.country},
)
async def judge(payment: Payment) -> Verdict:
    """Judge a payment. Features are the payment's fields; time and errors are noted too."""
    risk = min(0.99, payment.amount / 1000)  # your model, here
    return Verdict(accepted=risk < 0.8, risk=risk)


@app.post("/payments/{prediction_id}/chargeback", status_code=204)
async def charge_back(prediction_id: str) -> None:
    """Weeks later: it was fraud."""
    publisher.label(prediction_id, True, source="human")
