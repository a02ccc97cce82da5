"""Write the alerts as the Prometheus operator takes them: `python deploy/prometheus/build_rule.py`; a test compares."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE.parent / "k8s" / "components" / "podmonitors" / "prometheusrule.yaml"
_HEAD = """\
# Made by deploy/prometheus/build_rule.py from alerts.yml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: kargah
spec:
"""


def text() -> str:
    """The object: its spec is what is in the file of Prometheus itself."""
    lines = (HERE / "alerts.yml").read_text(encoding="utf-8").splitlines()
    return _HEAD + "".join(f"  {line}\n" for line in lines if not line.startswith("#"))


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
