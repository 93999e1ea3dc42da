"""The registrar: brings the registry to what a learner has learned and decided."""

from __future__ import annotations

import hashlib
import pickle
from typing import Any

from streamgauge.pipelines.pipeline import Pipeline
from streamgauge.registry.base import AlreadyThere
from streamgauge.registry.learned import Candidate, Learned, Verdict
from streamgauge.registry.ledger import RegistryConflict
from streamgauge.registry.publish import publish
from streamgauge.registry.record import Champion, ModelRecord
from streamgauge.registry.registry import ModelRegistry
from streamgauge.registry.rejected import Rejected
from streamgauge.registry.step import Action, Step


class Registrar:
    """Registers snapshots, and points at the champion. Synchronous: call it in a thread.

    A call does what is missing, so the same facts twice, or after a kill or an outage, end in the
    same registry. Records are never deleted; of each pipeline a few artefacts stay in Redis.

    A person's ``models promote`` or ``rollback`` wins. What they chose stays, also against
    decisions of the learner that are older than theirs but were not carried out yet; only a
    decision whose log time is later than their choice replaces it. Until then no newer snapshot
    takes its place either, unless they said ``--follow``.

    Parameters
    ----------
    key
        Signs, as the registry's.
    actor
        Who is said to have done it.
    """

    def __init__(self, registry: ModelRegistry, *, key: bytes, actor: str = "learner") -> None:
        self._registry = registry
        self._key = key
        self._actor = actor

    def settle(self, learned: Learned) -> list[Step]:
        """Bring the registry to these facts, and say what was done.

        What is wrong with one pipeline (too large, broken) is a step ``refused`` and holds up no
        other. Raises ``StoreFailed`` where Redis or the archive is away: call again later. What was
        done before that is not told again; serving goes by the registry, not by events.
        """
        model, steps = learned.model, []
        failed = {each.pipeline: each for each in learned.failed}
        for candidate in learned.candidates:
            steps += self._register(model, candidate, failed.get(candidate.pipeline))
        steps += self._point(learned)
        for verdict in learned.failed:
            steps += self._fail(model, verdict)
        for candidate in learned.candidates:
            self._registry.thin(model, candidate.pipeline)
        return steps

    def _register(self, model: str, candidate: Candidate, failed: Verdict | None) -> list[Step]:
        registry, pipeline = self._registry, candidate.pipeline
        # Without the positions: where nothing was learned, nothing is registered. The bytes hold
        # the count of examples.
        digest = hashlib.sha256(candidate.content).hexdigest()
        token = hashlib.sha256(f"{pipeline}|{digest}".encode()).hexdigest()[:32]
        newest = registry.newest(model, pipeline)
        known = registry.registered(model, token)
        if known is not None:
            if known.status == "registered":
                # Somebody was killed before this.
                registry.challenge(
                    model, known.version, instead_of=known.lineage.get("parent"), at=candidate.at
                )
            return []
        if failed is not None and newest is not None and newest.status == "failed":
            return []
        if newest is not None and newest.registered_at > candidate.at:
            # Facts of an owner that was replaced, or a replay that is not there yet.
            why = f"version {newest.version} is newer: learned up to {newest.registered_at:.0f}"
            return [self._refused(model, pipeline, candidate.at, why)]
        try:
            record = self._publish(model, candidate, token, newest)
            instead = newest.version if newest is not None else None
            registry.challenge(model, record.version, instead_of=instead, at=candidate.at)
        except (Rejected, RegistryConflict) as error:
            return [self._refused(model, pipeline, candidate.at, str(error))]
        return [
            self._step(
                "registered",
                model,
                pipeline,
                candidate.at,
                f"{candidate.examples} examples learned",
                version=record.version,
                previous_version=instead,
                evidence=dict(candidate.metrics),
            )
        ]

    def _publish(
        self, model: str, candidate: Candidate, token: str, newest: ModelRecord | None
    ) -> ModelRecord:
        try:
            # Ours, see ``Candidate.content``. What is read back from the registry is not: ``load``.
            pipeline = Pipeline.from_state(pickle.loads(candidate.content))
        except Exception as error:
            raise Rejected("payload", f"its bytes are no pipeline's: {error}"[:300]) from error
        try:
            return publish(
                self._registry,
                pipeline,
                key=self._key,
                model=model,
                pipeline=candidate.pipeline,
                created_at=candidate.at,
                actor=self._actor,
                rows=candidate.rows,
                positions=candidate.positions,
                metrics=candidate.metrics,
                examples=candidate.examples,
                spec_version=candidate.spec_version,
                parent=newest.version if newest is not None else None,
                token=token,
            )
        except AlreadyThere:
            # Somebody was killed between artefact and record, and said it in other words (another
            # parent, other rows). The artefact is signed, so it is taken as it lies there.
            version = self._registry.allocate(model, token)
            there = self._registry.envelope(model, version)
            return self._registry.register(there, model=model, version=version, actor=self._actor)

    def _point(self, learned: Learned) -> list[Step]:
        model, verdict = learned.model, learned.champion
        standing = self._registry.champion(model)
        chosen = standing is not None and _stands(standing, verdict)
        if standing is None or (verdict is not None and not chosen):
            if verdict is None or (standing is not None and standing.decision == verdict.id):
                return self._refresh(learned, standing)
            return self._promote(learned, verdict, standing)
        if not standing.pinned:
            return self._refresh(learned, standing)
        pinned = self._registry.record(model, standing.version)
        newest = self._registry.newest(model, pinned.pipeline)
        wanted = verdict.pipeline if verdict is not None else pinned.pipeline
        if wanted == pinned.pipeline and newest is not None and newest.version <= pinned.version:
            return []
        why = f"a person chose version {pinned.version}: {pinned.reason}; models promote --follow"
        at = standing.chosen_at or 0.0
        return [self._step("pinned", model, wanted, at, why, version=pinned.version)]

    def _refresh(self, learned: Learned, standing: Champion | None) -> list[Step]:
        if standing is None:
            return []
        model = learned.model
        pipeline = self._registry.record(model, standing.version).pipeline
        candidate = next((c for c in learned.candidates if c.pipeline == pipeline), None)
        newest = self._registry.newest(model, pipeline)
        # Of a pipeline that learns elsewhere, a newer version is no snapshot: it must win first.
        if candidate is None or newest is None or newest.version <= standing.version:
            return []
        try:
            self._registry.refresh(
                model, newest.version, expected=standing.version, at=candidate.at
            )
        except (Rejected, RegistryConflict) as error:
            return [self._refused(model, pipeline, candidate.at, str(error))]
        why = f"the newer snapshot of {pipeline}"
        return [
            self._step(
                "snapshot",
                model,
                pipeline,
                candidate.at,
                why,
                version=newest.version,
                previous_version=standing.version,
            )
        ]

    def _promote(self, learned: Learned, verdict: Verdict, standing: Champion | None) -> list[Step]:
        model, pipeline = learned.model, verdict.pipeline
        newest = self._registry.newest(model, pipeline)
        if newest is None:
            why = f"no version of {pipeline} is registered"
            return [self._refused(model, pipeline, verdict.at, why)]
        before = standing.version if standing is not None else None
        try:
            self._registry.promote(
                model,
                newest.version,
                expected=before,
                at=verdict.at,
                actor=self._actor,
                reason=verdict.reason,
                evidence=verdict.evidence,
                decision=verdict.id,
            )
        except (Rejected, RegistryConflict) as error:
            return [self._refused(model, pipeline, verdict.at, str(error))]
        return [
            self._step(
                verdict.action,
                model,
                pipeline,
                verdict.at,
                verdict.reason,
                version=newest.version,
                previous_version=before if before != newest.version else None,
                evidence=verdict.evidence,
            )
        ]

    def _fail(self, model: str, verdict: Verdict) -> list[Step]:
        newest = self._registry.newest(model, verdict.pipeline)
        if newest is None or newest.status == "failed":
            return []
        try:
            self._registry.set_status(
                model,
                newest.version,
                "failed",
                at=verdict.at,
                actor=self._actor,
                reason=verdict.reason,
                evidence=verdict.evidence,
            )
        except RegistryConflict as error:
            return [self._refused(model, verdict.pipeline, verdict.at, str(error))]
        return [
            self._step(
                "failed",
                model,
                verdict.pipeline,
                verdict.at,
                verdict.reason,
                version=newest.version,
                evidence=verdict.evidence,
            )
        ]

    def _refused(self, model: str, pipeline: str, at: float, why: str) -> Step:
        return self._step("refused", model, pipeline, at, why)

    def _step(
        self, action: Action, model: str, pipeline: str, at: float, reason: str, **more: Any
    ) -> Step:
        return Step(action=action, model=model, pipeline=pipeline, at=at, reason=reason, **more)


def _stands(standing: Champion, verdict: Verdict | None) -> bool:
    """Whether a person's choice stands against the learner's last decision."""
    if standing.chosen_at is None:
        return False
    return verdict is None or verdict.id == standing.decision or verdict.at <= standing.chosen_at
