"""`POST /api/train/estimate`."""

from __future__ import annotations

from gateway.estimates.service import EstimateService
from kargah.access.roles import Permission
from kargah.contracts.estimates import EstimateRequest, TrainEstimate
from kargah.web.api import Api


def add_estimate_routes(api: Api, service: EstimateService) -> None:
    """What a training would take; nothing is queued."""

    @api.post("/api/train/estimate", body=EstimateRequest, returns=TrainEstimate, needs=Permission.READ, tags=["jobs"])
    def estimate_training(body: EstimateRequest) -> TrainEstimate:
        """Steps, tokens, memory and time of a training with this configuration, as far as anything tells"""
        return service.estimate(body)
