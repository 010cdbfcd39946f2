"""What the historian keeps of twins: versions that never change, and what became of each."""

from __future__ import annotations

from datetime import UTC, datetime

from eventlogs.keeping import models
from eventlogs.keeping.models import By, ModelChange, ModelInfo, State
from eventlogs.keeping.reading import one_moment
from eventlogs.owner.opened import OpenFile


class Versions(OpenFile):
    """Twins in the file."""

    def save_model(
        self, name: str, json_text: str, notes: str = "", who: str = "", challenger: bool = False
    ) -> int:
        """Keep a twin under `name`; returns its version, 1 for the first, which becomes champion.

        Later ones are `built`, or challengers. Raises DataError for what can't name a twin.
        """
        with self._transaction():
            by = By(who, "", datetime.now(UTC))
            return models.save(self._con, name, json_text, notes, by, challenger)

    def load_model(self, reference: str) -> str:
        """The JSON text of `name[@version]`, by default the champion. Raises DataError when absent."""
        with one_moment(self._con):
            return models.load(self._con, reference)

    def find_model(self, reference: str) -> ModelInfo:
        """The version meant by `name[@version]`. Raises DataError when absent."""
        return models.find(self._con, reference)

    def list_models(self) -> tuple[ModelInfo, ...]:
        """Every kept twin, by name and version."""
        return models.listed(self._con)

    def model_history(self, name: str) -> tuple[ModelChange, ...]:
        """Each change of state of a name's versions, oldest first. Raises DataError when absent."""
        with one_moment(self._con):
            return models.history(self._con, name)

    def promote_model(
        self, reference: str, who: str = "", why: str = "", instead_of: int | None = None
    ) -> ModelInfo:
        """Make `name@version` the champion; the one so far retires.

        `instead_of`: the version that has to be the champion still, lest one be replaced that nothing was
        compared with. Raises DataError when absent, champion already, or another one is champion.
        """
        with self._transaction():
            models.promote(self._con, reference, By(who, why, datetime.now(UTC)), instead_of)
            return models.find(self._con, reference)

    def rollback_model(self, name: str, who: str = "", why: str = "") -> ModelInfo:
        """Make the champion before the current one champion again, and reject the current one.

        Returns the new champion. Raises DataError when there was none before.
        """
        with self._transaction():
            return models.rollback(self._con, name, By(who, why, datetime.now(UTC)))

    def set_model_state(self, reference: str, state: State, who: str = "", why: str = "") -> ModelInfo:
        """Say what a version is that isn't the champion: built, challenger, retired or rejected.

        Raises DataError when absent, or for the champion.
        """
        with self._transaction():
            models.set_state(self._con, reference, state, By(who, why, datetime.now(UTC)))
            return models.find(self._con, reference)
