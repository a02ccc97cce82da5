"""Services: rate, errors, duration of requests, and what the processes need."""

from __future__ import annotations

from panels import PROMETHEUS, dashboard, graph, number, text_variable, variable

_ASKED = 'route!~"/healthz|/readyz|/metrics"'  # probes say how a service is, not how it serves
_MINE = f'service=~"$service",{_ASKED}'
_RATE = f"sum by (service) (rate(kargah_http_requests_total{{{_MINE}}}[$__rate_interval]))"
_FAILED = f'sum by (service) (rate(kargah_http_requests_total{{{_MINE},status=~"5.."}}[$__rate_interval]))'
_BUCKETS = f"sum by (service, le) (rate(kargah_http_request_duration_seconds_bucket{{{_MINE}}}[$__rate_interval]))"
_SLOWEST = f"sum by (route, le) (rate(kargah_http_request_duration_seconds_bucket{{{_MINE}}}[$__range]))"
_SAVING = "sum by (le) (rate(kargah_checkpoint_seconds_bucket[$__range]))"

SERVICES = dashboard(
    "kargah-services",
    "Kargah: services",
    [
        [
            number("Answering", "count(up == 1)"),
            number("Not answering", "count(up == 0) or vector(0)", bad=1),
            number(
                "Requests a second", f"sum(rate(kargah_http_requests_total{{{_ASKED}}}[$__rate_interval]))", "reqps"
            ),
            number(
                "Failures in an hour",
                f'sum(increase(kargah_http_requests_total{{status=~"5..",{_ASKED}}}[1h])) or vector(0)',
                bad=1,
            ),
        ],
        [
            graph("Requests", {"{{service}}": _RATE}, "reqps"),
            graph(
                "Share that failed",
                {"{{service}}": f"({_FAILED} or 0 * {_RATE}) / {_RATE}"},
                "percentunit",
                min=0,
                max=1,
            ),
        ],
        [
            graph("Duration, 95 %", {"{{service}}": f"histogram_quantile(0.95, {_BUCKETS})"}, "s"),
            graph("Slowest routes, 99 %", {"{{route}}": f"topk(10, histogram_quantile(0.99, {_SLOWEST}))"}, "s"),
        ],
        [
            graph("Memory", {"{{job}}": "sum by (job) (process_resident_memory_bytes)"}, "bytes"),
            graph("Processor", {"{{job}}": "sum by (job) (rate(process_cpu_seconds_total[$__rate_interval]))"}),
        ],
        [
            graph("Open files", {"{{job}}": "max by (job) (process_open_fds / process_max_fds)"}, "percentunit"),
            graph("Time to store a checkpoint, 95 %", {"95 %": f"histogram_quantile(0.95, {_SAVING})"}, "s"),
        ],
    ],
    variable("service", "Service", PROMETHEUS, "label_values(kargah_http_requests_total, service)", every=True),
    text_variable("kargah", "Kargah's address", "http://127.0.0.1:8080"),
)
