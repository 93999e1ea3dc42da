"""Metrics about the processes that publish for a model, as they measure themselves."""

from __future__ import annotations

from streamgauge.telemetry.definition import Definition

CLIENT = ("model", "service")

LOST_EVENTS = Definition(
    "client_lost_events",
    "gauge",
    "Events that clients numbered and that never came; may fall when some come late after all.",
    ("model",),
)
CLIENT_PROCESSES = Definition(
    "client_processes", "gauge", "Processes that reported within the last minute.", CLIENT
)
CLIENT_CPU = Definition(
    "client_cpu_ratio",
    "gauge",
    "CPU of the busiest process, 1 for one core; the greatest of a service's, not their sum.",
    CLIENT,
    unit="ratio",
)
CLIENT_MEMORY = Definition(
    "client_memory_bytes",
    "gauge",
    "Resident memory, over all processes of a service.",
    CLIENT,
    unit="bytes",
)
CLIENT_LOAD = Definition(
    "client_load_1m", "gauge", "Load of the last minute on the busiest machine.", CLIENT
)
CLIENT_GPU = Definition(
    "client_gpu_ratio",
    "gauge",
    "Use of the busiest GPU; the greatest of a service's, not their sum.",
    CLIENT,
    unit="ratio",
)
CLIENT_GPU_MEMORY = Definition(
    "client_gpu_memory_bytes",
    "gauge",
    "GPU memory, over all processes of a service.",
    CLIENT,
    unit="bytes",
)
CLIENT_RECEIVED = Definition(
    "client_network_receive_bytes_per_second",
    "gauge",
    "Bytes that came over the network each second, over all processes of a service.",
    CLIENT,
)
CLIENT_SENT = Definition(
    "client_network_transmit_bytes_per_second",
    "gauge",
    "Bytes sent over the network each second, over all processes of a service.",
    CLIENT,
)
CLIENT_REQUESTS = Definition(
    "client_requests_per_second",
    "gauge",
    "Requests served each second, over all processes of a service.",
    CLIENT,
)
CLIENT_ERRORS = Definition(
    "client_request_errors_per_second",
    "gauge",
    "Requests that failed each second, over all processes of a service.",
    CLIENT,
)
CLIENT_IN_FLIGHT = Definition(
    "client_requests_in_flight",
    "gauge",
    "Requests being served, over all processes of a service.",
    CLIENT,
)

#: By the name of the measurement in a heartbeat. Other names are not exported.
MEASUREMENTS = {
    "cpu_ratio": CLIENT_CPU,
    "memory_bytes": CLIENT_MEMORY,
    "load_1m": CLIENT_LOAD,
    "gpu_ratio": CLIENT_GPU,
    "gpu_memory_bytes": CLIENT_GPU_MEMORY,
    "network_receive_bytes_per_second": CLIENT_RECEIVED,
    "network_transmit_bytes_per_second": CLIENT_SENT,
    "requests_per_second": CLIENT_REQUESTS,
    "request_errors_per_second": CLIENT_ERRORS,
    "requests_in_flight": CLIENT_IN_FLIGHT,
}
CLIENTS = (LOST_EVENTS, CLIENT_PROCESSES, *MEASUREMENTS.values())
