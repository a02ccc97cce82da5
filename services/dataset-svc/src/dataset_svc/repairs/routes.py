"""The HTTP face of repairs."""

from __future__ import annotations

from dataset_svc.repairs.service import Repairs
from kargah.contracts.datasets import RepairReport, RepairRequest
from kargah.web.api import Api, Reply


def repair_routes(api: Api, repairs: Repairs) -> None:
    """Add the route to `api`."""

    @api.post(
        "/api/datasets/<path:name>/repairs",
        returns=RepairReport,
        status=201,
        other_statuses=(200,),
        body=RepairRequest,
    )
    def repair_dataset(name: str, body: RepairRequest) -> Reply:
        """Mend the rows of a version into a new one; 200 for a dry run, and where nothing was to be mended."""
        report, created = repairs.run(name, body)
        return Reply(report, 201 if created else 200)
