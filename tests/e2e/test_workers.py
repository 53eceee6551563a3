# SPDX-License-Identifier: Apache-2.0
"""Workers share nothing, and totals are the process's."""
import pytest

from conftest import eventually, spans
from pipelines import to_backend


@pytest.mark.parametrize("workers,connections", [(4, 1), (1, 8), (4, 8)])
def test_every_span_arrives_once(weir, backend, client, workers, connections):
    there = backend()
    w = weir(to_backend("  batch: {timeout: 20ms}\n", "[batch]",
                        service=f"  workers: {workers}"), BACKEND=there.port)
    clients = [client(w.otlp) for _ in range(connections)]
    calls = [clients[i % connections].future("traces", spans(10, first=10 * i))
             for i in range(200)]
    for call in calls:
        call.result()

    there.until(lambda: len(there.spans) == 2000)
    assert len({s.span_id for s in there.spans}) == 2000
    assert w.metric("otelcol_receiver_accepted_spans", receiver="otlp",
                    transport="grpc") == 2000
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 2000, "sent")


def test_queue_size_is_one_total_over_all_workers(weir, backend, client):
    slow = backend()
    slow.gate.clear()
    w = weir(to_backend(exporter="    sending_queue: {queue_size: 20, num_consumers: 1}",
                        service="  workers: 4"), BACKEND=slow.port)
    clients = [client(w.otlp) for _ in range(8)]
    calls = [clients[i % 8].future("traces", spans(1, first=i)) for i in range(40)]
    refused = sum(1 for c in calls if c.exception() is not None)
    assert refused == 20
    assert w.metric("otelcol_exporter_queue_size", data_type="traces") == 20
    assert w.metric("otelcol_exporter_queue_capacity", data_type="traces") == 20
    slow.gate.set()
    slow.until(lambda: len(slow.spans) == 20)
