"""What every HTTP service shares: routes, strict JSON, errors, OpenAPI, health, SSE."""
