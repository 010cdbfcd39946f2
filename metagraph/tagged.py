"""Tells readers of outside data by which field the members of a union are told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tagged:
    """Annotation of a union of dataclasses: their Literal `field` says which one a JSON object is."""

    field: str = "kind"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from typing import Annotated

        from pydantic import Field

        return handler(Annotated[source, Field(discriminator=self.field)])
