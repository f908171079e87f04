"""Copy trials to TensorBoard: a run for each trial, with its acceptance on each rung, its figures and its choices.

A run is a folder, `STUDY-UID/trial-0007`, with a file of events for each way that the trial stood: a later file begins with the
mark at which TensorBoard forgets what the earlier ones hold. The tab HPARAMS shows the choices against the figures.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from search.report.mirrors.mirror import Mirror, Say, not_installed, refused
from search.report.mirrors.trial_values import TrialValues
from search.studies.study import Study

# Letters of a study's UID that tell its folder from that of another study of the same name.
UID_LETTERS = 8


class TensorBoardMirror(Mirror):
    """Writes TensorBoard's files of events. Raises StudyError where TensorBoard is missing or the folder cannot be written."""

    def __init__(self, address: str, place: str, say: Say) -> None:
        super().__init__(address, say)
        self._root = self._folder = Path(place)
        try:
            import tensorboard.summary.writer.record_writer  # noqa: F401  # what `write` needs, before anything is trained
        except ImportError as error:
            raise not_installed(address, "tensorboard", error) from None
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            _write_file(self._root / f".pitsearch-{secrets.token_hex(8)}", b"").unlink()
        except OSError as error:
            raise refused(address, error) from None

    def open(self, study: Study) -> None:
        """Name the study's folder."""
        self._folder = self._root / f"{study.name}-{study.uid[:UID_LETTERS]}"

    def write(self, values: TrialValues) -> None:
        """Write a file of events, which appears whole."""
        folder, ending = self._folder / f"trial-{values.number:04d}", f"pitsearch.{values.moment}"
        if any(folder.glob(f"events.out.tfevents.*.{ending}")):
            return
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads the files of a folder in the order of their names, and an unfinished one as soon as it is called so.
        unfinished = _write_file(folder / f".pitsearch-{secrets.token_hex(8)}", _records(values))
        later = len([*folder.glob("events.out.tfevents.*")])
        unfinished.replace(folder / f"events.out.tfevents.{int(values.ended):010d}.{later:04d}.{ending}")


def _write_file(path: Path, content: bytes) -> Path:
    with path.open("xb") as stream:
        stream.write(content)
    return path


def _records(values: TrialValues) -> bytes:
    """Give the bytes of a file of events."""
    from tensorboard.summary.writer.record_writer import RecordWriter

    stream = io.BytesIO()
    writer = RecordWriter(stream)
    for event in _events(values):
        writer.write(event.SerializeToString())
    return stream.getvalue()


def _events(values: TrialValues) -> Iterator[Any]:
    """Give the events of a trial: the version, the mark, the choices, the rungs, the figures of the last, and words."""
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.plugins.text.summary_v2 import text_pb

    ended = {"complete": api_pb2.STATUS_SUCCESS, "pruned": api_pb2.STATUS_SUCCESS, "fail": api_pb2.STATUS_FAILURE}
    yield Event(wall_time=values.started, file_version="brain.Event:2")
    yield Event(wall_time=values.started, step=0, session_log=SessionLog(status=SessionLog.START))
    choices = hparams_pb(values.choices, trial_id=f"trial {values.number}", start_time_secs=values.started)
    yield Event(wall_time=values.started, step=0, summary=choices)
    for step, acceptance in values.rungs:
        yield Event(wall_time=values.ended, step=step, summary=_scalar("rungs/acceptance", acceptance))
    last = values.rungs[-1][0] if values.rungs else 0
    for name, figure in values.figures.items():
        yield Event(wall_time=values.ended, step=last, summary=_scalar(f"trial/{name}", figure))
    told = "\n".join(f"- {name}: {text}" for name, text in {"state": values.state, **values.words}.items())
    yield Event(wall_time=values.ended, step=last, summary=text_pb("trial", told))
    # As its `session_end_pb` does, which asks for TensorFlow.
    info = SessionEndInfo(status=ended.get(values.state, api_pb2.STATUS_RUNNING), end_time_secs=values.ended)
    described = metadata.create_summary_metadata(HParamsPluginData(session_end_info=info))
    end = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=described, tensor=metadata.NULL_TENSOR)
    yield Event(wall_time=values.ended, step=last, summary=Summary(value=[end]))


def _scalar(tag: str, value: float) -> Any:
    """Give a figure in the form that every version of TensorBoard forgets at the mark."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Summary(value=[Summary.Value(tag=tag, simple_value=value)])
