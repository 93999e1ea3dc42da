"""What a model is monitored by: one version of its spec, with the profile that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from streamgauge.monitor.rules import CompiledRule, compile_rule
from streamgauge.references import ReferenceProfile, TargetReference
from streamgauge.specs.accepted import AcceptedSpec
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.windows.judgement import WindowRule
from streamgauge_client.privacy import PrivacyPolicy


@dataclass(frozen=True)
class Configuration:
    """A numbered version of a model's configuration; number 0 is the default.

    It holds from the first record whose log time reaches ``effective_at`` (seconds since 1970).
    """

    spec: ModelSpec
    number: int = 0
    effective_at: float = float("-inf")
    profile: ReferenceProfile | None = None

    @cached_property
    def profile_id(self) -> str | None:
        """Tells profiles apart: each version of a spec reads its own copy of the same one."""
        return self.profile.id if self.profile is not None else None

    def references(self, step: str) -> Mapping[str, TargetReference]:
        """The profile's references, where it describes this step."""
        fits = self.profile is not None and self.profile.step == step
        return self.profile.targets if fits and self.profile is not None else {}

    @property
    def accepted(self) -> AcceptedSpec | None:
        """The last time that somebody took the present for normal."""
        return self.spec.reference.accepted

    def newly_accepted(self, before: Configuration) -> AcceptedSpec | None:
        """What this version accepts and the one before it did not."""
        if self.accepted is None or self.accepted == before.accepted:
            return None
        return self.accepted

    @cached_property
    def rules(self) -> tuple[CompiledRule, ...]:
        """The spec's rules, ready to be asked."""
        return tuple(compile_rule(rule.check) for rule in self.spec.rules)

    @cached_property
    def rule_names(self) -> frozenset[str]:
        """Columns that any of the rules needs."""
        return frozenset().union(*(rule.names for rule in self.rules))

    @cached_property
    def privacy(self) -> PrivacyPolicy | None:
        """What may be kept of values that came without it; None where all may."""
        fields = self.private_fields
        if not fields:
            return None
        # Whoever hashes before sending has the key. What comes in the clear only must not be kept.
        return PrivacyPolicy.of(fields, key=f"streamgauge/{self.spec.model}".encode())

    @cached_property
    def private_fields(self) -> Mapping[str, Any]:
        """What the policy says of each feature that it names."""
        fields: Mapping[str, Any] = self.spec.document().get("privacy", {})
        return fields

    @property
    def window(self) -> WindowRule:
        """When this model's windows are full."""
        defaults = self.spec.defaults
        return WindowRule(
            defaults.pane_seconds,
            defaults.min_duration_seconds,
            defaults.min_events,
            defaults.max_duration_seconds,
        )


class ConfigurationBook(Protocol):
    """Where configurations come from. The service keeps it fresh; logic only looks things up."""

    def versions(self, model: str) -> Sequence[Configuration]:
        """All applied versions of a model by number, the oldest first; none for most models."""

    def default(self, model: str) -> Configuration:
        """Return what a model is monitored by that nobody configured."""
