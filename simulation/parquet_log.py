"""Logs of many replications in one Parquet file, a row group each; no more than one is held at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metagraph.errors import UsageError
from simulation.orders import attribute_names
from simulation.program import Floats
from simulation.run import OUTCOMES, Run

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = (
    "replication",
    "case_id",
    "activity",
    "resource",
    "enabled",
    "ready",
    "start_time",
    "end_time",
    "queue",
    "preemptions",
    "outcome",
)


def batch_of(run: Run, replication: int) -> pa.RecordBatch:
    """The run's executions by start: COLUMNS, and a column for every attribute of orders.

    Instants are UTC, to the millisecond; `end_time` is null of what is under way, `resource` and `queue` are
    '' for nobody and none.

    Raises UsageError if the run kept no log.
    """
    import pyarrow as pa

    log, network = run.executions, run.program.network
    by_start = np.lexsort((np.arange(len(log)), log.start_s))
    labels = network.nodes["label"][log.node]
    orders = run.program.orders
    names = attribute_names(orders, COLUMNS)
    return pa.record_batch(
        [
            pa.array(np.full(len(log), replication, np.int32)),
            _named(run.order_ids, log.order[by_start]),
            _named(run.labels, labels[by_start]),
            _named((*run.agents, ""), log.agent[by_start]),
            _instants(run, log.enabled_s[by_start]),
            _instants(run, log.ready_s[by_start]),
            _instants(run, log.start_s[by_start]),
            _instants(run, log.end_s[by_start]),
            _named((*network.queue_ids, ""), log.queue[by_start]),
            pa.array(log.preemptions[by_start]),
            _named(OUTCOMES, run.outcomes[log.order[by_start]]),
            *(
                _named([kind.get(name, "") for kind in orders.attributes or ()], log.order[by_start])
                for name in names
            ),
        ],
        schema=_schema(names),
    )


class ParquetLog:
    """A file of logs, being written; a context manager. If it is left by an error the file is removed."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError if the file can't be written."""
        self._path = path
        self._writer: Any = None
        try:
            self._file = path.open("wb")
        except OSError as fault:
            raise UsageError(f"{path} can't be written: {fault.strerror or fault}") from None

    def write(self, batch: pa.RecordBatch) -> None:
        """One replication's; see `batch_of`. The first one says which attributes orders have."""
        if self._writer is None:
            self._writer = self._opened(batch.schema)
        self._writer.write_batch(batch, row_group_size=max(batch.num_rows, 1))

    def _opened(self, schema: pa.Schema) -> Any:
        import pyarrow.parquet as pq

        return pq.ParquetWriter(self._file, schema, compression="zstd")

    def __enter__(self) -> ParquetLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        (self._writer or self._opened(_schema())).close()
        self._file.close()
        if kind is not None:
            self._path.unlink(missing_ok=True)


def _schema(attributes: Sequence[str] = ()) -> pa.Schema:
    import pyarrow as pa

    instant = pa.timestamp("ms", tz="UTC")
    kinds = (pa.int32(), *[pa.string()] * 3, *[instant] * 4, pa.string(), pa.int32(), pa.string())
    said = [(name, pa.string()) for name in attributes]
    return pa.schema([*zip(COLUMNS, kinds, strict=True), *said])


def _named(names: Any, indices: NDArray[Any]) -> Any:
    """-1 is the last of the names."""
    import pyarrow as pa

    names = list(names)
    wrapped = np.where(indices < 0, len(names) - 1, indices).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(wrapped), pa.array(names, pa.string())).dictionary_decode()


def _instants(run: Run, seconds: Floats) -> Any:
    import pyarrow as pa

    zero = int(run.origin.astimezone(UTC).timestamp()) * 1000
    known = ~np.isnan(seconds)
    stamps = np.zeros(len(seconds), np.int64)
    stamps[known] = np.round(seconds[known] * 1000).astype(np.int64) + zero
    return pa.array(stamps, pa.timestamp("ms", tz="UTC"), mask=~known)
