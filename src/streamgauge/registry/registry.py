"""The registry: versions, their records, their history, and the champion.

Records lie in Redis. Artefacts lie there too and, where one is given, in an archive; the newest
stay near, older ones lie in the archive alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis import Redis

from streamgauge.registry.base import ArtefactStore
from streamgauge.registry.envelope import Artefact, unseal
from streamgauge.registry.ledger import Change, Ledger, RegistryConflict
from streamgauge.registry.record import STEPS, Champion, Decision, ModelRecord, Status
from streamgauge.registry.redis_store import RedisArtefacts
from streamgauge.registry.rejected import Rejected

#: Artefacts of one model that stay in Redis where there is an archive, besides the champion's.
KEEP_NEAR = 5


class ModelRegistry:
    """All versions of all models.

    Parameters
    ----------
    redis
        A client that answers bytes. Synchronous: asyncio code calls it by ``asyncio.to_thread``.
    key
        Signs and verifies. Empty: records can be read, nothing can be registered or loaded.
    archive
        Where artefacts are kept for good; without one they stay in Redis.

    Reading and writing raise ``StoreFailed`` where Redis or the archive does not answer. Times are
    the caller's, in seconds since 1970: log time in a learner, the clock at a person's decision.
    """

    def __init__(self, redis: Redis, *, key: bytes, archive: ArtefactStore | None = None) -> None:
        self._ledger = Ledger(redis)
        self._key = key
        self._near = RedisArtefacts(redis)
        self._archive = archive

    def models(self) -> list[str]:
        """The names of all registered models, sorted."""
        return self._ledger.models()

    def records(self, model: str) -> list[ModelRecord]:
        """All versions of a model, oldest first."""
        return self._ledger.records(model)

    def record(self, model: str, version: int) -> ModelRecord:
        """One version. Raises ``LookupError``, which says what there is."""
        return self._ledger.known(self._ledger.record(model, version), model, version)

    def registered(self, model: str, token: str) -> ModelRecord | None:
        """What was registered under a token; None where nothing was, or not to the end."""
        version = self._ledger.token(model, token)
        return None if version is None else self._ledger.record(model, version)

    def newest(self, model: str, pipeline: str) -> ModelRecord | None:
        """The newest version of a pipeline."""
        line = self._ledger.line(model, pipeline)
        return self._ledger.record(model, line[-1]) if line else None

    def history(self, model: str) -> list[Decision]:
        """All decisions about a model, oldest first."""
        return self._ledger.history(model)

    def champion(self, model: str) -> Champion | None:
        """The verified pointer. Raises ``Rejected`` for one that is not signed with our key."""
        return self._pointer(model, self._ledger.champion(model))

    def envelope(self, model: str, version: int) -> bytes:
        """A signed artefact as it lies there, unverified. Raises ``Rejected`` where it is gone."""
        data = self._near.get(model, version)
        if data is None and self._archive is not None:
            data = self._archive.get(model, version)
        if data is None:
            raise Rejected("missing", f"version {version} of {model} has no artefact")
        return data

    def fetch(self, model: str, version: int, *, not_before: int = 0) -> Artefact:
        """A verified artefact. Raises ``Rejected``."""
        data = self.envelope(model, version)
        return unseal(data, key=self._key, model=model, version=version, not_before=not_before)

    def allocate(self, model: str, token: str) -> int:
        """A version number that nobody else has; for the same token always the same.

        The token names what is to be registered (pipeline and positions), so that a learner which
        is killed and replays the log registers it once. Numbers grow, and may have gaps.
        """

        def decide(change: Change) -> int:
            known = change.token(token)
            if known is not None:
                return known
            version = change.highest + 1
            change.allocate(version, token)
            return version

        return self._ledger.change(model, decide)

    def register(self, envelope: bytes, *, model: str, version: int, actor: str) -> ModelRecord:
        """Keep a signed artefact and its record; the same again changes nothing.

        Raises ``Rejected`` for one that does not verify: nothing enters that could not be loaded.
        ``AlreadyThere`` where the version has other content.
        """
        header = unseal(envelope, key=self._key, model=model, version=version).header
        if self._archive is not None:
            self._archive.put(model, version, envelope)
        self._near.put(model, version, envelope)
        record = ModelRecord(
            model=model,
            version=version,
            lineage=header.lineage(),
            sha256=header.payload_sha256,
            size_bytes=len(envelope),
            registered_at=header.created_at,
            changed_at=header.created_at,
            reason="self-test passed" if header.trials else "registered without rows to test with",
        )

        def decide(change: Change) -> ModelRecord:
            known = change.record(version)
            if known is not None:
                return known
            change.allocate(version)
            change.put_line(header.pipeline, [*change.line(header.pipeline), version])
            change.decide(record, action="registered", actor=actor)
            return record

        found = self._ledger.change(model, decide)
        self._leave_old_to_archive(model)
        return found

    def set_status(
        self,
        model: str,
        version: int,
        status: Status,
        *,
        at: float,
        actor: str,
        reason: str,
        evidence: Mapping[str, Any] | None = None,
    ) -> ModelRecord:
        """Move a version on: to challenger, failed, retired. Raises ``RegistryConflict``.

        The champion is changed by ``promote`` and ``rollback`` alone.
        """

        def decide(change: Change) -> ModelRecord:
            record = self._ledger.known(change.record(version), model, version)
            if record.status == status:
                return record
            if "champion" in (record.status, status):
                raise RegistryConflict(
                    f"version {version} of {model}: who is champion is changed by promote and"
                    " rollback alone"
                )
            if status not in STEPS[record.status]:
                raise _no_step(record, status)
            moved = _moved(record, status, at=at, reason=reason)
            change.decide(moved, action=status, actor=actor, evidence=evidence)
            return moved

        return self._ledger.change(model, decide)

    def promote(
        self,
        model: str,
        version: int,
        *,
        expected: int | None,
        at: float,
        actor: str,
        reason: str,
        evidence: Mapping[str, Any] | None = None,
        decision: str | None = None,
        follow: bool = False,
    ) -> Champion:
        """Make a version champion, if ``expected`` still is (None: nobody).

        Its artefact is verified first. ``decision`` is the learner's, by its id; without one it is
        a person's, who pins the version unless ``follow`` is said (see ``Champion``). Promoting
        the champion again changes no more than that. Raises ``RegistryConflict``, ``Rejected``,
        ``LookupError``.
        """
        self.record(model, version)
        self.fetch(model, version)

        def decide(change: Change) -> Champion:
            standing = self._pointer(model, change.champion)
            before = standing.version if standing else None
            again = before == version
            if again and standing is not None and _steered_so(standing, decision, follow):
                return standing
            if not again and before != expected:
                raise _moved_on(model, before, expected)
            record = self._ledger.known(change.record(version), model, version)
            if not again and "champion" not in STEPS[record.status]:
                raise _no_step(record, "champion")
            if again:
                crowned = record.model_copy(update={"milestone": True})
            else:
                if before is not None:
                    old = self._ledger.known(change.record(before), model, before)
                    why = f"{version} was promoted"
                    change.put(_moved(old, "retired", at=at, reason=why, milestone=True))
                crowned = _moved(
                    record, "champion", at=at, reason=reason, succeeded=before, milestone=True
                )
            action = "promoted" if not again else "followed" if decision or follow else "pinned"
            previous = None if again else before
            change.decide(crowned, action=action, actor=actor, previous=previous, evidence=evidence)
            return self._point(change, crowned, standing, at=at, decision=decision, follow=follow)

        return self._ledger.change(model, decide)

    def refresh(self, model: str, version: int, *, expected: int, at: float) -> Champion:
        """Let a newer snapshot of the champion's pipeline take its place: no promotion.

        Who steers, and where a rollback leads, stays; the history has no line of it. Raises as
        ``promote`` does.
        """
        self.fetch(model, version)

        def decide(change: Change) -> Champion:
            standing = self._pointer(model, change.champion)
            if standing is not None and standing.version == version:
                return standing
            if standing is None or standing.version != expected or standing.pinned:
                raise _moved_on(model, standing.version if standing else None, expected)
            record = self._ledger.known(change.record(version), model, version)
            old = self._ledger.known(change.record(expected), model, expected)
            if "champion" not in STEPS[record.status] or record.pipeline != old.pipeline:
                raise _no_step(record, "champion")
            why = f"{version} is the newer snapshot"
            change.put(_moved(old, "retired", at=at, reason=why))
            why = f"the newer snapshot of {old.pipeline}"
            crowned = _moved(record, "champion", at=at, reason=why, succeeded=old.succeeded)
            change.put(crowned)
            pointer = standing.model_copy(
                update={
                    "version": version,
                    "turn": 1 + max(change.turn, standing.turn),
                    "sha256": record.sha256,
                    "at": at,
                }
            )
            change.point(pointer, key=self._key)
            return pointer

        return self._ledger.change(model, decide)

    def challenge(self, model: str, version: int, *, instead_of: int | None, at: float) -> None:
        """Let a snapshot be the challenger instead of the one before it, without a decision."""

        def decide(change: Change) -> None:
            record = self._ledger.known(change.record(version), model, version)
            if record.status == "registered":
                change.put(_moved(record, "challenger", at=at, reason=record.reason))
            old = change.record(instead_of) if instead_of is not None else None
            if old is not None and old.status in ("registered", "challenger"):
                change.put(_moved(old, "retired", at=at, reason=f"{version} is the newer snapshot"))

        self._ledger.change(model, decide)

    def thin(self, model: str, pipeline: str) -> None:
        """Let go of a pipeline's older artefacts in Redis; their records stay.

        The newest ``KEEP_NEAR`` stay, the champion, and all that can be gone back to.
        """
        gone = self._ledger.line(model, pipeline)[:-KEEP_NEAR]
        if not gone:
            return
        for version in gone:
            record = self._ledger.record(model, version)
            if record is None or not (record.milestone or record.status == "champion"):
                self._near.remove(model, version)

        # Afterwards: who is killed in between removes them again.
        def decide(change: Change) -> None:
            change.put_line(pipeline, [v for v in change.line(pipeline) if v not in gone])

        self._ledger.change(model, decide)

    def rollback(
        self,
        model: str,
        *,
        to: int | None = None,
        expected: int | None = None,
        at: float,
        actor: str,
        reason: str,
        evidence: Mapping[str, Any] | None = None,
    ) -> Champion:
        """Go back to the champion before the present one, or to an older one, ``to``.

        Only what was champion once can be gone back to; its artefact is verified first.
        ``expected`` is the version to go back from, where the caller knows it. It is a person's
        step, and pins the version. Raises as ``promote`` does.
        """
        present = self._present(model)
        if expected is not None and present.version != expected:
            raise _moved_on(model, present.version, expected)
        target = self.rollback_target(model, to=to)
        self.fetch(model, target)

        def decide(change: Change) -> Champion:
            standing = self._pointer(model, change.champion)
            if standing is None or standing.version != present.version:
                raise _moved_on(model, standing.version if standing else None, present.version)
            old = self._ledger.known(change.record(present.version), model, present.version)
            why = f"back to {target}: {reason}"
            change.put(_moved(old, "rolled_back", at=at, reason=why, milestone=True))
            record = self._ledger.known(change.record(target), model, target)
            # Whom it succeeded stays: the next rollback leads further back.
            crowned = _moved(record, "champion", at=at, reason=reason, milestone=True)
            change.decide(
                crowned,
                action="rolled_back",
                actor=actor,
                previous=present.version,
                evidence=evidence,
            )
            return self._point(change, crowned, standing, at=at, decision=None, follow=False)

        return self._ledger.change(model, decide)

    def rollback_target(self, model: str, *, to: int | None = None) -> int:
        """Where a rollback would lead. Raises ``RegistryConflict`` where it can't, and why."""
        present = self._present(model)
        target = to if to is not None else self.record(model, present.version).succeeded
        if target is None:
            raise RegistryConflict(
                f"version {present.version} of {model} is its first champion; there is none before"
            )
        wanted = self.record(model, target)
        if target == present.version:
            raise RegistryConflict(f"version {target} of {model} is the champion already")
        if not wanted.milestone and all(
            line.version != target or line.status != "champion" for line in self.history(model)
        ):
            raise RegistryConflict(
                f"version {target} of {model} was never champion; `promote` makes it one"
            )
        return target

    def _present(self, model: str) -> Champion:
        present = self.champion(model)
        if present is None:
            if not self.records(model):
                self.record(model, 1)
            raise RegistryConflict(f"{model} has no champion, so there is nothing to go back from")
        return present

    def _point(
        self,
        change: Change,
        record: ModelRecord,
        standing: Champion | None,
        *,
        at: float,
        decision: str | None,
        follow: bool,
    ) -> Champion:
        pointer = Champion(
            model=record.model,
            version=record.version,
            turn=1 + max(change.turn, standing.turn if standing else 0),
            sha256=record.sha256,
            at=at,
            decision=decision or (standing.decision if standing else None),
            chosen_at=None if decision else at,
            follow=follow,
        )
        change.point(pointer, key=self._key)
        return pointer

    def _pointer(self, model: str, data: bytes | None) -> Champion | None:
        return None if data is None else Champion.from_bytes(data, key=self._key, model=model)

    def _leave_old_to_archive(self, model: str) -> None:
        if self._archive is None:
            return
        champion = self.champion(model)
        spared = {champion.version} if champion else set()
        for version in self._near.versions(model)[:-KEEP_NEAR]:
            if version not in spared and self._archive.get(model, version) is not None:
                self._near.remove(model, version)


def _moved(
    record: ModelRecord, status: Status, *, at: float, reason: str, **more: Any
) -> ModelRecord:
    update = {"status": status, "changed_at": at, "reason": reason, **more}
    return record.model_copy(update=update)


def _steered_so(standing: Champion, decision: str | None, follow: bool) -> bool:
    """Whether the pointer says already what this decision, or a person, wants of it."""
    if decision is not None:
        return standing.chosen_at is None and standing.decision == decision
    return standing.chosen_at is not None and standing.follow == follow


def _no_step(record: ModelRecord, status: Status) -> RegistryConflict:
    there = ", ".join(STEPS[record.status]) or "nothing: register it anew"
    return RegistryConflict(
        f"version {record.version} of {record.model} is {record.status} and can't become {status}"
        f" (it can become: {there})"
    )


def _moved_on(model: str, standing: int | None, expected: int | None) -> RegistryConflict:
    return RegistryConflict(
        f"the champion of {model} is {standing or 'none'} by now, not {expected or 'none'}; look"
        " again (streamgauge models show) and decide anew"
    )
