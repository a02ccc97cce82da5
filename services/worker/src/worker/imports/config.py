"""What an import may fetch; the environment of its process is read here alone."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ImportSettings(BaseSettings):
    """`import_hosts`: the hosts that files may be fetched from: names, `*.example.org`, and for hosts on a private
    network their addresses or networks (`10.0.0.0/8`) as well. `import_max_bytes` of one file. `import_proxy`: what
    leads to the outside; it then decides which addresses are reached."""

    model_config = SettingsConfigDict(env_prefix="KARGAH_")

    import_hosts: list[str] = []
    import_max_bytes: int = Field(default=20 << 30, ge=1)
    import_proxy: str | None = None
