"""`POST /api/datasets/<name>/splits`."""

from __future__ import annotations

from dataset_svc.splits.service import SplitService
from kargah.contracts.datasets import DatasetVersionView, SplitRequest
from kargah.web.api import Api, Reply


def add_split_routes(api: Api, service: SplitService) -> None:
    """Add the route to `api`."""

    @api.post(
        "/api/datasets/<path:name>/splits",
        returns=DatasetVersionView,
        status=201,
        other_statuses=(200,),
        body=SplitRequest,
    )
    def split_dataset(name: str, body: SplitRequest) -> Reply:
        """Divide a version's rows into train, validation and test, as a new version; 200 when it was there already."""
        version, created = service.split(name, body)
        return Reply(version, 201 if created else 200, {"location": f"/api/datasets/{version.dataset}"})
