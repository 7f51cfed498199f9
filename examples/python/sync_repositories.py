#!/usr/bin/env python3
"""A worker that never ends and has a port of its own, which Prometheus scrapes: all eight metrics of the contract.

    pip install prometheus_client
    ./sync_repositories.py --port 9108

and in moko-mon.yaml:

    targets:
      - job: sync-repositories
        address: localhost:9108

Nothing is pushed here: a process that stays keeps its totals itself. What starts and ends goes through `moko-mon run`.
"""

import argparse
import time

from prometheus_client import Counter, Gauge, Histogram, start_http_server

SCRIPT = "sync-repositories"
# The limit of SlowScriptExecution (300 s) is a boundary, and there are some beyond it: a percentile cannot be larger than
# the last one.
BUCKETS = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)

executions = Counter("moko_script_executions_total", "Runs that have ended, by how they ended.", ["script_name", "status"])
duration = Histogram(
    "moko_script_duration_seconds", "How long runs took, failed ones included.", ["script_name"], buckets=BUCKETS
)
last_execution = Gauge(
    "moko_script_last_execution_timestamp_seconds", "When a run last ended in this way.", ["script_name", "status"]
)
# A gauge in spite of its name.
quota_total = Gauge("moko_api_rate_limit_total", "Calls that the API allows in one window.", ["api"])
quota_remaining = Gauge("moko_api_rate_limit_remaining", "Calls that the API still allows.", ["api"])
quota_reset = Gauge("moko_api_rate_limit_reset_timestamp_seconds", "When the present window ends.", ["api"])
breaker = Gauge("moko_circuit_breaker_state", "0 closed, 1 open, 2 half-open.", ["service"])
findings = Counter("moko_security_findings_total", "Findings not seen before.", ["severity", "finding_type"])


def begin_with_zero():
    """A total that is 1 when it is first seen says nothing about when that was: all of them begin with 0."""
    for status in ("success", "failure"):
        executions.labels(SCRIPT, status)
    duration.labels(SCRIPT)
    for severity in ("low", "medium", "high", "critical"):
        findings.labels(severity, "secret")
    breaker.labels("git-mirror").set(0)


def watched(work):
    """Runs `work` once and counts it."""
    # Not the time of day, which may be set while the work is under way.
    started = time.monotonic()
    status = "failure"
    try:
        work()
        status = "success"
    finally:
        duration.labels(SCRIPT).observe(time.monotonic() - started)
        executions.labels(SCRIPT, status).inc()
        last_execution.labels(SCRIPT, status).set_to_current_time()


def quota_from(headers):
    """The three numbers of one answer belong together."""
    quota_total.labels("github").set(headers["x-ratelimit-limit"])
    quota_remaining.labels("github").set(headers["x-ratelimit-remaining"])
    quota_reset.labels("github").set(headers["x-ratelimit-reset"])


def sync():
    """Stands for the real work: one answer of an API, one scan that found a secret."""
    quota_from(
        {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4321", "x-ratelimit-reset": str(int(time.time()) + 1800)}
    )
    findings.labels("high", "secret").inc()
    breaker.labels("git-mirror").set(0)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--port", type=int, default=9108)
    options.add_argument("--address", default="0.0.0.0", help="Prometheus in its container does not reach loopback")
    options.add_argument("--every", type=float, default=600.0, help="seconds between two runs")
    options = options.parse_args()
    begin_with_zero()
    start_http_server(options.port, addr=options.address)
    while True:
        time.sleep(options.every)
        try:
            watched(sync)
        except Exception as problem:  # one failed run must not end the worker
            print(f"sync failed: {problem}", flush=True)


if __name__ == "__main__":
    main()
