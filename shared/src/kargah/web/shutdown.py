"""Whether this process has been asked to end: endless answers (event streams) look here and finish."""

from __future__ import annotations

import threading

stopping = threading.Event()
