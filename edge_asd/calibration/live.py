"""Healthy sound from a microphone, scored as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from edge_asd.audio.health import DEAD_SECONDS, LIKE_MUTED, MAX_CLIPPED_SHARE, Clipping, DeadLine, level_db
from edge_asd.audio.loudness import SILENCE_DB, db_of_power
from edge_asd.audio.stream import SETTLE_SECONDS, Break, Pcm, Waiting
from edge_asd.bundle.bundle import Bundle
from edge_asd.calibration.heard import Heard, Progress, Request
from edge_asd.calibration.spans import samples_for_spans, span_scorer, spans_in
from edge_asd.calibration.stability import LEAST_SPANS, drift, outliers
from edge_asd.clips import UNNAMED_DOMAIN
from edge_asd.detectors.scores import score_value
from edge_asd.errors import DataError

_PATIENCE = 3  # times the sound that is needed, and a minute more: a microphone that goes on breaking is given up
_ODD_SHARE = 100  # one odd span in so many is let pass


def spans_wanted(bundle: Bundle, minutes: float, request: Request) -> int:
    """Return how many score spans so many minutes without a gap give.

    Raises
    ------
    DataError
        If that is none, or too few for what is asked for.
    """
    rate = bundle.features.sample_rate
    spans = spans_in(bundle, round(minutes * 60 * rate))
    least = request.least_spans
    if spans < least:
        needed = samples_for_spans(bundle, least) / rate / 60
        if request.adapt:
            what = f"learning how the machine sounds needs {least} score spans"
        elif least > 1:
            what = f"a threshold of the domain {request.domain} needs {least} score spans"
        else:
            what = "one score spans more"
        raise DataError(f"{minutes:g} minutes are too short: {what}. Give --minutes {needed + 0.05:.1f} or more.")
    return spans


def hear_microphone(
    bundle: Bundle,
    request: Request,
    device: str | None,
    minutes: float,
    *,
    channel: int = 0,
    progress: Progress = lambda *_: None,
    note: Callable[[str], None] = lambda _: None,
) -> Heard:
    """Score a microphone's sound of the healthy machine until it is enough.

    Parameters
    ----------
    bundle : Bundle
    request : Request
    device : str, optional
        What `edge_asd.audio.selectors.choose_device` takes; None for the default.
    minutes : float > 0 [min]
        Of sound.
    channel : int
    progress : callable, optional
        Called with seconds of sound that count, seconds wanted, and the level in words.
    note : callable, optional
        Called with what the user should know at once.

    Raises
    ------
    EdgeAsdError
        As `hear_live`; or if the microphone cannot be used.
    """
    from edge_asd.audio.capture import Capture

    request.check(bundle)
    spans = spans_wanted(bundle, minutes, request)
    rate = bundle.features.sample_rate
    with Capture(device, sample_rate=rate, channel=channel, gain_db=request.gain_db, there=True) as capture:
        return hear_live(bundle, request, capture.announced(note), spans, progress=progress, note=note)


def hear_live(
    bundle: Bundle,
    request: Request,
    sound: Iterable[Pcm | Break | Waiting],
    spans: int,
    *,
    progress: Progress = lambda *_: None,
    note: Callable[[str], None] = lambda _: None,
) -> Heard:
    """Score live sound until `spans` spans have been heard, each without a gap; holds the last one's sound alone.

    Raises
    ------
    DataError
        If the sound is dead, silent or clipped, breaks too often, ends, or if its scores are unstable and the request
        does not force it.
    """
    listener = _Listener(bundle, request, spans)
    for item in sound:
        if isinstance(item, Waiting):
            continue
        if isinstance(item, Break):
            listener.broken(item)
            if item.text:
                note(item.text)
        else:
            listener.hear(item)
            progress(listener.seconds, listener.wanted_seconds, f"level {level_db(item):.0f} dB")
        if listener.heard.count >= spans:
            break
        listener.check_patience()
    else:
        raise DataError(
            f"The sound ended after {listener.heard.count} of {spans} score spans. Record for longer, or ask for fewer "
            "--minutes."
        )
    return listener.finish()


class _Listener:
    """Takes live sound until it is enough; refuses at once what no threshold may rest on."""

    def __init__(self, bundle: Bundle, request: Request, spans: int) -> None:
        self.heard = Heard()
        self._bundle, self._request, self._spans = bundle, request, spans
        self._rate = bundle.features.sample_rate
        self._domain = request.domain or UNNAMED_DOMAIN
        self._scorer = span_scorer(bundle, request.section, adapt=request.adapt)
        self._passed = self._breaks = self._settle = 0
        self.wanted_seconds = samples_for_spans(bundle, spans) / self._rate
        self._start(settle=True)

    def _start(self, *, settle: bool) -> None:
        self._scorer.start()
        self._line, self._clipping = DeadLine(self._rate), Clipping(self._bundle.score_samples)
        if settle:
            self._settle = round(SETTLE_SECONDS * self._rate)

    @property
    def seconds(self) -> float:
        """Sound that counts so far [s]."""
        return min(self.wanted_seconds, self.heard.count * self._scorer.span_seconds + self._scorer.pending_seconds)

    def broken(self, gap: Break) -> None:
        """Begin afresh behind a gap."""
        self._breaks += gap.event != "signal-back" and self._passed > 0
        self._passed += gap.samples
        self._start(settle=gap.event != "samples-lost")

    def hear(self, pcm: Pcm) -> None:
        """Take the next samples."""
        self._passed += pcm.size
        sound, self._settle = pcm[self._settle :], max(0, self._settle - pcm.size)
        self._line.push(sound)
        if self._line.dead:
            raise DataError(
                f"The input has stayed within 1 of a constant for {DEAD_SECONDS} s: {LIKE_MUTED}. Check cable, mute "
                "switch and --channel, and calibrate again. Nothing was written."
            )
        self._clipping.push(sound)
        if self._clipping.share > MAX_CLIPPED_SHARE:
            raise DataError(
                f"The input clips: over {MAX_CLIPPED_SHARE:.1%} of {self._bundle.score_seconds:.1f} s is at full "
                "scale. Turn the input's gain down, and calibrate again. Nothing was written."
            )
        for span in self._scorer.push(sound):
            if db_of_power(max(span.powers)) < SILENCE_DB:
                raise DataError(
                    f"The input is silent: for {self._bundle.score_seconds:.1f} s no second was louder than "
                    f"{SILENCE_DB:.0f} dB, as loud as a converter's own noise. Check the microphone and its gain, and "
                    "calibrate again. Nothing was written."
                )
            if self.heard.count < self._spans:
                self.heard.add([span], self._domain)

    def check_patience(self) -> None:
        """Give up a microphone that breaks again and again."""
        if self._passed > (_PATIENCE * self.wanted_seconds + 60) * self._rate:
            raise DataError(
                f"The microphone broke {self._breaks} times, and {self._passed / self._rate / 60:.1f} minutes held "
                f"only {self.heard.count} of {self._spans} score spans without a gap. Mend that first: another cable "
                "or port, or a computer that is less busy. Nothing was written."
            )

    def finish(self) -> Heard:
        """Judge the scores."""
        heard, breaks = self.heard, self._breaks
        heard.seconds = heard.count * self._scorer.span_seconds
        if breaks:
            heard.notes.append(f"The sound broke {breaks} time{'s' if breaks > 1 else ''}; no span holds a gap.")
        _check_stability(heard, heard.scores[self._domain], self._request, self._bundle)
        return heard


def _check_stability(heard: Heard, scores: list[int], request: Request, bundle: Bundle) -> None:
    if len(scores) < LEAST_SPANS:
        heard.notes.append(
            f"{len(scores)} score spans are too few to tell whether the machine ran evenly; that needs {LEAST_SPANS}."
        )
        return
    odd, moved = outliers(scores), drift(scores)
    unit, step = bundle.kind.unit, heard.seconds / len(scores)
    if len(odd) > len(scores) // _ODD_SHARE:
        when = ", ".join(f"{i * step:.0f} s" for i in odd[:3]) + (" and later" if len(odd) > 3 else "")
        text = (
            f"{len(odd)} of {len(scores)} scores stand far out from the others (after {when}): something else was "
            "heard, or the machine stopped or started"
        )
    elif moved:
        text = (
            f"The scores drift: the last third lies {abs(score_value(round(moved))):.2f} {unit} "
            f"{'above' if moved > 0 else 'below'} the first. The machine was still warming up, or something changed"
        )
    else:
        return
    if not request.force:
        raise DataError(
            f"{text}. {'What it learns' if request.adapt else 'A threshold'} would not hold. Let the machine run "
            "evenly and calibrate again, or take it as it is with --force. Nothing was written."
        )
    heard.notes.append(f"{text}. Taken as it is, as --force says.")
