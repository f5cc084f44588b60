"""What the moisture meters send."""

from __future__ import annotations

from datetime import timedelta

from pydantic import AwareDatetime, BaseModel, ValidationError

from recollect.core.errors import Invalid
from recollect.core.model import JsonObject, Kind, Note
from recollect.interfaces.http.calls import Call
from recollect_garden import PACK


class Reading(BaseModel):
    """How moist a bed is, as its meter tells; what else the meter sends is left alone."""

    id: str
    user_id: str
    bed: int
    moisture: float
    at: AwareDatetime


async def receive_reading(call: Call, event: JsonObject) -> None:
    """Keep a reading as an observation; one that comes again is known by its id."""
    try:
        reading = Reading.model_validate(event)
    except ValidationError as error:
        raise Invalid("This is no reading.", hint="Send id, user_id, bed, moisture and at.") from error
    note = Note(
        f"Bed {reading.bed} had {reading.moisture:g} % moisture.",
        Kind.OBSERVATION,
        reading.user_id,
        metadata={"bed": reading.bed, "moisture": reading.moisture},
        valid_from=reading.at,
        lasts=timedelta(days=PACK.retention[Kind.OBSERVATION]),
    )
    await call.service.add(call.principal, [note], idempotency_key=f"garden-{reading.id}")
