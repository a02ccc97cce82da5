"""`POST /api/datasets/<name>/tokens`; the gateway brings it here, for this process has tokenizers."""

from __future__ import annotations

from kargah.access.roles import Permission
from kargah.contracts.tokens import DatasetTokens, TokensRequest
from kargah.web.api import Api
from worker.inference.client_socket import watch_client
from worker.inference.tokens.service import TokenService


def token_routes(api: Api, service: TokenService) -> None:
    """Add the route to `api`."""

    @api.post(
        "/api/datasets/<path:name>/tokens",
        returns=DatasetTokens,
        needs=Permission.READ,
        body=TokensRequest,
        tags=["datasets"],
    )
    def count_dataset_tokens(name: str, body: TokensRequest) -> DatasetTokens:
        """What a model would be trained on: rows as tokens with their loss, and figures over many rows"""
        return service.answer(name, body, watch_client())
