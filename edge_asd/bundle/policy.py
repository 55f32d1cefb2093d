"""When an alarm is raised and when it ends: the rule that a bundle or a configuration may carry."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from edge_asd.strict_json import Json, StrictReader

INTERVAL_S = 1.0
"""Time between two decisions by default [s]."""

MAX_DECISIONS = 100_000
"""Of the window in which decisions over the threshold are counted; it bounds the memory."""

MAX_SECONDS = 10**9
"""Longest time in a policy: thirty years."""

_LOOK_BACK_S = 60  # the default counts over this time


@dataclass(frozen=True, slots=True)
class Policy:
    """When an alarm is raised, and when it ends.

    An alarm is raised once `needed` of the last `of` decisions were over the section's threshold. It ends once as many
    of them lie at or below the release threshold, which is `release_percent` of the threshold's magnitude below it;
    where `needed` is at most half of `of`, all but `needed` - 1 of them do.

    Why 45 of 60: with the default quantile of 0.9, one healthy score in ten is over the threshold. Decisions a second
    apart share nine of ten seconds of sound, so that counting a few of them changes little. On steady healthy sound
    (seconds independent, scores of ten), the threshold is crossed 2,700 times a day, 3 of 5 decisions with the same
    cooldown raise 640 alarms, 45 of 60 less than one a week; and three a day should two healthy scores in ten be over
    the threshold because it was fitted on few clips. The price: where a fault is told apart with an AUC of 0.95, half
    of the alarms come within a minute, where it is clear, within 50 s. `tests/monitor/test_false_alarms.py` computes
    these figures.

    Why a release threshold no lower than the threshold: healthy scores of ten seconds lie but a few percent below a
    threshold that is their quantile. One among them would hold an alarm for good; and between `needed` decisions over
    the threshold and as many at or below it there is room enough to keep an alarm from flapping.

    Attributes
    ----------
    needed : int, 1 to `of`
        Decisions over the threshold that raise an alarm.
    of : int, 1 to 100000
        The last decisions, among which they are counted; those before a dead stretch or an alarm's end do not count.
    release_percent : int, 0 to 100
    minimum_s : float >= 0 [s]
        The time since the first decision over the threshold, none of them more than `of` decisions apart, that has to
        pass, too.
    cooldown_s : float >= 0 [s]
        After an alarm has ended, none is raised for this long.
    escalation_s : float >= 0 [s]
        An alarm that has lasted so long is told once more, as escalated; 0 for never.

    Raises
    ------
    ValueError
        If one is out of its range.
    """

    needed: int = 45
    of: int = 60
    release_percent: int = 0
    minimum_s: float = 0.0
    cooldown_s: float = 60.0
    escalation_s: float = 3600.0

    def __post_init__(self) -> None:
        if not 1 <= self.of <= MAX_DECISIONS:
            raise ValueError(f"an alarm cannot look at {self.of} decisions; use 1 to {MAX_DECISIONS}")
        if not 1 <= self.needed <= self.of:
            raise ValueError(f"an alarm cannot need {self.needed} of {self.of} decisions; use 1 to {self.of}")
        if not 0 <= self.release_percent <= 100:
            raise ValueError(f"the release threshold cannot be {self.release_percent} % lower; use 0 to 100")
        for name, seconds in (
            ("minimum duration", self.minimum_s),
            ("cooldown", self.cooldown_s),
            ("time to escalation", self.escalation_s),
        ):
            if not 0 <= seconds <= MAX_SECONDS:
                raise ValueError(f"the {name} cannot be {seconds} s; use 0 to {MAX_SECONDS}")

    @classmethod
    def for_interval(cls, interval_s: float = INTERVAL_S) -> Policy:
        """Return the default for decisions every `interval_s` [s]: three quarters of a minute's decisions."""
        of = max(1, round(_LOOK_BACK_S / interval_s))
        return cls(needed=math.ceil(of * 3 / 4), of=of)

    def release_threshold(self, threshold: int) -> int:
        """Return the score [Q15.16] at or below which a decision speaks for the alarm's end."""
        return threshold - abs(threshold) * self.release_percent // 100

    @property
    def needed_to_end(self) -> int:
        """Decisions at or below the release threshold that end an alarm; never true of what would raise one."""
        return max(self.needed, self.of - self.needed + 1)

    def as_json(self) -> Json:
        """Return it as plain JSON."""
        return asdict(self)

    @classmethod
    def parse(cls, reader: StrictReader) -> Policy:
        """Read what `as_json` made.

        Raises
        ------
        BundleError
            Or whatever else the reader raises.
        """
        value = {
            "needed": reader.integer("needed", 1, MAX_DECISIONS),
            "of": reader.integer("of", 1, MAX_DECISIONS),
            "release_percent": reader.integer("release_percent", 0, 100),
            "minimum_s": reader.take("minimum_s", float),
            "cooldown_s": reader.take("cooldown_s", float),
            "escalation_s": reader.take("escalation_s", float),
        }
        reader.finish()
        try:
            return cls(**value)
        except ValueError as error:
            raise reader.refusal(str(error)) from None
