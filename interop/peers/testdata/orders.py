"""Counts an order for each line of standard input by OpenTelemetry's API, and says how many there were. Who exports it, and where,
is told by the environment."""

import sys

from opentelemetry import metrics

orders = metrics.get_meter("shop").create_counter("orders")
for count, _ in enumerate(sys.stdin, start=1):
    orders.add(1)
    print("counted", count, flush=True)
