"""FLAC, OGG, AIFF and W64 files: the sound of a WAV file, or an error, whatever libsndfile does with them."""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from time import perf_counter, sleep

import numpy as np
import pytest
import soundfile

from edge_asd.audio import libsndfile
from edge_asd.audio.recording_file import read_recording
from edge_asd.errors import AudioFormatError, DependencyError
from tests.audio.wav_files import chunk, fmt, riff

SOUND = np.random.default_rng(5).integers(-32768, 32768, (3000, 2), dtype=np.int16)
W64_GUID = bytes.fromhex("f3acd3118cd100c04f8edb8a")
LOSSLESS = [
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("AIFF", "PCM_16"),
    ("AIFF", "PCM_24"),
    ("AIFF", "PCM_32"),
    ("AIFF", "FLOAT"),
    ("W64", "PCM_16"),
    ("W64", "PCM_24"),
    ("W64", "DOUBLE"),
]


def encoded(form: str, subtype: str, sound: np.ndarray = SOUND, rate: int = 16000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound / 32768 if subtype in ("FLOAT", "DOUBLE") else sound, rate, subtype, format=form)
    return file.getvalue()


@pytest.mark.parametrize(("form", "subtype"), LOSSLESS)
@pytest.mark.parametrize("where", ["on disk", "in memory"])
def test_a_foreign_file_is_the_sound_of_its_wav_file(form: str, subtype: str, where: str, tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"  # A name tells nothing.
    path.write_bytes(encoded(form, subtype))
    recording = read_recording(path, channel=1, contents=path.read_bytes() if where == "in memory" else None)
    np.testing.assert_array_equal(recording.pcm, SOUND[:, 1])
    assert (recording.file_rate, recording.file_channels, recording.subtype) == (16000, 2, subtype)
    assert (recording.saturated, recording.notes) == (0, ())


@pytest.mark.parametrize(("form", "subtype"), [("FLAC", "PCM_16"), ("AIFF", "PCM_24"), ("W64", "FLOAT")])
def test_other_rates_and_many_blocks_give_what_wav_gives(form: str, subtype: str) -> None:
    sound = np.random.default_rng(6).integers(-20000, 20000, (300_001, 3), dtype=np.int16)
    foreign = read_recording("clip", channel=2, contents=encoded(form, subtype, sound, 44100))
    wav = read_recording("clip", channel=2, contents=encoded("WAV", subtype, sound, 44100))
    np.testing.assert_array_equal(foreign.pcm, wav.pcm)
    assert foreign.pcm.flags.writeable


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_ogg_files_sound_alike(subtype: str) -> None:
    time = np.arange(48_000) / 16000
    sound = np.rint(8000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
    recording = read_recording("clip", contents=encoded("OGG", subtype, sound))
    assert recording.pcm.size == sound.size
    assert np.corrcoef(recording.pcm[4000:-4000], sound[4000:-4000])[0, 1] > 0.99


def test_a_flac_file_that_does_not_say_how_long_it_is() -> None:
    data = bytearray(encoded("FLAC", "PCM_16"))
    data[21] &= 0xF0  # The total of samples, 36 bits, and the sum of the sound: unknown, as a pipe leaves them.
    data[22:42] = bytes(20)
    np.testing.assert_array_equal(read_recording("clip", contents=bytes(data)).pcm, SOUND[:, 0])


@pytest.mark.parametrize("form", ["FLAC", "AIFF", "W64", "OGG"])
def test_files_that_were_cut_off_are_refused(form: str) -> None:
    data = encoded(form, "VORBIS" if form == "OGG" else "PCM_16")
    for cut in (1, 2, 100, len(data) // 2, len(data) - 30):
        with pytest.raises(AudioFormatError, match=r"^clip .*(truncated|damaged|cannot be read|no sound|not read)"):
            read_recording("clip", contents=data[:-cut])


@pytest.mark.parametrize("frames", [0, 0x7FFFFFF7])
def test_an_aiff_file_from_a_pipe_goes_to_its_end(frames: int) -> None:
    data = bytearray(encoded("AIFF", "PCM_16"))
    data[4:8] = struct.pack(">I", 0x7FFFF024)
    data[22:26] = struct.pack(">I", frames)
    np.testing.assert_array_equal(read_recording("clip", contents=bytes(data)).pcm, SOUND[:, 0])


@pytest.mark.parametrize("first", [b"", b"junk" + W64_GUID + struct.pack("<Q", 29) + bytes(8)])
@pytest.mark.parametrize(("tag", "bits", "words"), [(1, 16, ""), (1, 32, ""), (3, 32, "extensible"), (3, 64, "W64")])
def test_floats_of_an_extensible_w64_file_are_not_taken_for_integers(
    first: bytes, tag: int, bits: int, words: str
) -> None:
    """ffmpeg writes such files; libsndfile looks at the number of bits alone."""
    sound = SOUND.astype(np.float64) / 32768 if tag == 3 else SOUND.astype(np.int64) << (bits - 16)
    samples = sound.astype(f"<{'f' if tag == 3 else 'i'}{bits // 8}").tobytes()
    channels = SOUND.shape[1]
    format_ = struct.pack(
        "<HHIIHHHHIH", 0xFFFE, channels, 16000, 2000 * channels * bits, channels * bits // 8, bits, 22, bits, 0, tag
    )
    format_ += bytes.fromhex("000000001000800000aa00389b71")
    chunks = first + b"".join(
        name + W64_GUID + struct.pack("<Q", 24 + len(body)) + body
        for name, body in ((b"fmt ", format_), (b"data", samples))
    )
    data = encoded("W64", "PCM_16")[:16] + struct.pack("<Q", 40 + len(chunks)) + b"wave" + W64_GUID + chunks
    if words:
        with pytest.raises(AudioFormatError, match=words):
            read_recording("x.w64", contents=data)
    else:
        np.testing.assert_array_equal(read_recording("x.w64", contents=data).pcm, SOUND[:, 0])


def test_an_aiff_file_that_covers_a_part_of_its_sound_is_refused() -> None:
    data = encoded("AIFF", "PCM_16")
    at = data.index(b"SSND") + 4
    for length in (8 + 4 * 1000, 8 + 4 * 2999):
        with pytest.raises(AudioFormatError, match="declares 3000 samples and holds"):
            read_recording("clip", contents=data[:at] + struct.pack(">I", length) + data[at + 4 :])


def test_a_hole_in_an_ogg_file_is_told() -> None:
    data = bytearray(encoded("OGG", "VORBIS", np.tile(SOUND, (20, 1))))
    data[len(data) // 2] ^= 0x55
    with pytest.raises(AudioFormatError, match=r"can be decoded|it ends at sample"):
        read_recording("clip", contents=bytes(data))


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_ogg_files_joined_end_to_end_are_refused(subtype: str) -> None:
    """Of equal lengths, so that the last page agrees with the first stream's number of samples."""
    one, two = (encoded("OGG", subtype, np.tile(SOUND, (20, 1))) for _ in range(2))
    assert one[14:18] != two[14:18]  # libsndfile draws a stream's number by chance.
    with pytest.raises(AudioFormatError, match="several streams"):
        read_recording("clip", contents=one + two)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (encoded("AIFF", "PCM_S8"), "8-bit samples"),
        (encoded("FLAC", "PCM_S8"), "8-bit samples"),
        (encoded("AIFF", "ULAW"), r"a kind that is not read \(ULAW\)"),
        (encoded("FLAC", "PCM_16", rate=500), "sample rate of 500 Hz"),
        (encoded("AIFF", "PCM_16", SOUND[:0]), "no sound: zero samples"),
        (encoded("AU", "PCM_16"), "is an AU file, which is not read. Convert it to WAV or FLAC"),
        (encoded("CAF", "PCM_16"), "is a CAF file, which is not read"),
        (encoded("MP3", "MPEG_LAYER_III", np.tile(SOUND, (20, 1))), "is an MP3 file, which is not read"),
        (b"FORM" + struct.pack(">I", 100) + b"AIFF" + bytes(92), "cannot be read as an AIFF file"),
    ],
)
def test_what_is_not_read_is_refused_by_name(data: bytes, words: str) -> None:
    with pytest.raises(AudioFormatError, match=words) as caught:
        read_recording("clip.wav", contents=data)
    assert str(caught.value).startswith("clip.wav ")
    assert "\n" not in str(caught.value)


# --- the child --------------------------------------------------------------------------------------------------------

FLAC = encoded("FLAC", "PCM_16")


@pytest.fixture
def worker_script(tmp_path: Path, monkeypatch):
    """Put a script in the place of the worker, and let no child of another test serve."""
    libsndfile._end_idle()

    def put(code: str) -> None:
        path = tmp_path / "libsndfile_worker.py"
        path.write_text(f"import os, socket, struct, sys, time\nsock = socket.socket(fileno=0)\n{code}")
        monkeypatch.setattr(libsndfile, "__file__", str(tmp_path / "libsndfile.py"))

    yield put
    libsndfile._end_idle()


BLOCK = "sock.recv(9); sock.sendall(struct.pack('<cI200s', b'B', {frames}, b'') + {more!r})"
SEEN = "socket.recv_fds(sock, 9, 1)"
HEADER = 'sock.sendall(struct.pack("<cIIq8s16s200s", b"H", {rate}, {channels}, {frames}, {form!r}, {subtype!r}, b""))'


def header(**changes: object) -> str:
    given = {"rate": 16000, "channels": 1, "frames": 100, "form": b"FLAC", "subtype": b"PCM_16"}
    return HEADER.format(**{**given, **changes})


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (SEEN, "crash, or take more time"),
        (f"{SEEN}; os.abort()", "crash, or take more time"),
        (f"{SEEN}; time.sleep(100)", "crash, or take more time"),
        (f"{SEEN}; sock.sendall(b'H' * 100); time.sleep(100)", "crash, or take more time"),
        (f"{SEEN}; {header(rate=0)}; sock.recv(9)", "sample rate of 0 Hz"),
        (f"{SEEN}; {header(channels=1 << 31)}; sock.recv(9)", "2147483648 channels"),
        (f"{SEEN}; {header(frames=-1)}; sock.recv(9)", "zero samples"),
        (f"{SEEN}; {header(frames=1 << 40)}; sock.recv(9)", "lasts 19088.7 hours"),
        (f"{SEEN}; {header(form=b'WAV')}; sock.recv(9)", "read in two ways"),
        (f"{SEEN}; {header(subtype=b'GSM610')}; sock.recv(9)", "a kind that is not read"),
        (
            f"{SEEN}; {header()}; sock.recv(9); sock.sendall(struct.pack('<cI200s', b'B', 1 << 31, b''))",
            "crash, or take",
        ),
        (f"{SEEN}; {header()}; {BLOCK.format(frames=100, more=b'12')}", "crash, or take"),
        (
            f"{SEEN}; {header()}; sock.recv(9); sock.sendall(struct.pack('<cI200s', b'B', 0, b'')); sock.recv(9)",
            "sample 0",
        ),
    ],
)
def test_nothing_that_the_child_says_is_trusted(code: str, words: str, worker_script, monkeypatch) -> None:
    if "sleep" in code:
        monkeypatch.setattr(libsndfile, "_FILE_SECONDS", 0.5)
    worker_script(f"sock.sendall(b'R')\n{code}")
    with pytest.raises(AudioFormatError, match=words):
        read_recording("clip", contents=FLAC)


@pytest.mark.parametrize(
    ("code", "words"), [("P", "pip install soundfile"), ("L", "apt install libsndfile1"), ("", "does not start")]
)
def test_a_library_that_is_missing_is_told(code: str, words: str, worker_script) -> None:
    worker_script(f"sock.sendall({code.encode()!r})")
    with pytest.raises(DependencyError, match=words):
        read_recording("clip", contents=FLAC)


def test_a_package_that_another_file_hides_is_told(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "soundfile.py").write_text("mine = 1")
    monkeypatch.syspath_prepend(tmp_path)
    libsndfile._end_idle()
    with pytest.raises(DependencyError, match="hides the package soundfile"):
        read_recording("clip", contents=FLAC)


def test_ctrl_c_ends_a_child_that_hangs(tmp_path: Path) -> None:
    (tmp_path / "libsndfile_worker.py").write_text(
        "import os, socket, time\nsock = socket.socket(fileno=0)\nsock.sendall(b'R')\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n{SEEN}\n"
        f"os.rename({str(tmp_path / 'pid')!r}, {str(tmp_path / 'hangs')!r})\ntime.sleep(600)\n"
    )
    (tmp_path / "clip.flac").write_bytes(FLAC)
    code = (
        "import sys\nfrom edge_asd.audio import libsndfile\nfrom edge_asd.audio.recording_file import read_recording\n"
        "libsndfile._FILE_SECONDS = 600\nlibsndfile.__file__ = sys.argv[1]\nread_recording(sys.argv[2])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "libsndfile.py", tmp_path / "clip.flac"], stderr=subprocess.PIPE
    )
    while not (tmp_path / "hangs").exists():
        assert process.poll() is None
        sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "hangs").read_text()), 0)


def test_one_child_serves_many_files_and_a_dead_one_is_replaced() -> None:
    libsndfile._end_idle()
    for _ in range(3):
        read_recording("clip", contents=FLAC)
        with pytest.raises(AudioFormatError):
            read_recording("clip", contents=FLAC[:-100])
    (worker,) = libsndfile._idle
    worker._process.kill()
    worker._process.wait()
    np.testing.assert_array_equal(read_recording("clip", contents=FLAC).pcm, SOUND[:, 0])
    assert libsndfile._idle != [worker]


@pytest.mark.skipif(sys.platform != "linux", reason="the limits of another process are read from /proc")
def test_the_child_is_bounded() -> None:
    read_recording("clip", contents=FLAC)
    limits = Path(f"/proc/{libsndfile._idle[-1]._process.pid}/limits").read_text()
    soft = {line[:26].strip(): line[26:47].strip() for line in limits.splitlines()[1:]}
    assert int(soft["Max cpu time"]) <= 10
    assert int(soft["Max address space"]) < 1 << 30
    assert (soft["Max file size"], soft["Max core file size"]) == ("0", "0")


def test_threads_and_forked_processes_have_children_of_their_own(tmp_path: Path) -> None:
    read_recording("clip", contents=FLAC)
    wrong: list[int] = []

    def read(channel: int) -> None:
        for _ in range(20):
            pcm = read_recording("clip", channel=channel % 2, contents=FLAC).pcm
            if not np.array_equal(pcm, SOUND[:, channel % 2]):
                wrong.append(channel)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    code = (
        "import os, sys\nfrom edge_asd.audio.recording_file import read_recording\n"
        "first = read_recording(sys.argv[1]).pcm.sum()\npid = os.fork()\n"
        "for _ in range(5):\n    assert read_recording(sys.argv[1]).pcm.sum() == first\n"
        "assert not pid or os.waitpid(pid, 0)[1] == 0"
    )
    (tmp_path / "clip.flac").write_bytes(FLAC)
    subprocess.run([sys.executable, "-W", "error", "-c", code, tmp_path / "clip.flac"], check=True, timeout=60)


def test_wav_files_never_meet_libsndfile() -> None:
    """Not with metadata that make it hang, and not where it is not installed."""
    data = riff(
        fmt(bits=24, channels=3),
        chunk(b"LIST", b"INFOXXXX" + struct.pack("<I", 0xFFFFFFF8) + bytes(24)),
        chunk(b"data", bytes(9 * 100)),
    )
    code = (
        "import sys\nsys.modules['soundfile'] = None\nfrom edge_asd.audio.recording_file import read_recording\n"
        f"assert read_recording('x', contents={data!r}).pcm.size == 100\nassert 'subprocess' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# --- mutated files ----------------------------------------------------------------------------------------------------


def mutated(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    form, subtype = LOSSLESS[seed % len(LOSSLESS)]
    data = bytearray(encoded(form, subtype, SOUND[: int(rng.integers(1, 3000)), : int(rng.integers(1, 3))]))
    for _ in range(int(rng.integers(1, 8))):
        at = int(rng.integers(4, min(len(data), 200) if rng.random() < 0.7 else len(data)))
        match rng.integers(4):
            case 0:
                data[at] = int(rng.integers(256))
            case 1:
                data[at : at + 4] = [b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", rng.bytes(4)][rng.integers(4)]
            case 2:
                del data[at : at + int(rng.integers(1, 20))]
            case 3:
                data[at:at] = rng.bytes(int(rng.integers(1, 20)))
    return bytes(data)


def error_or_sound(seed: int) -> str:
    try:
        recording = read_recording("clip", contents=mutated(seed))
    except AudioFormatError:
        return "refused"
    assert recording.pcm.dtype == np.int16
    assert recording.pcm.size
    return "read"


def test_mutated_files_give_an_error_or_sound() -> None:
    outcomes = Counter(error_or_sound(seed) for seed in range(54))
    assert outcomes["refused"] > 10


@pytest.mark.prove
def test_a_thousand_mutated_files_give_an_error_or_sound_in_time_and_memory() -> None:
    outcomes, slowest, largest = Counter[str](), 0.0, 0
    for seed in range(1000, 2008):
        start = perf_counter()
        outcomes[error_or_sound(seed)] += 1
        slowest = max(slowest, perf_counter() - start)
        for worker in libsndfile._idle:
            status = Path(f"/proc/{worker._process.pid}/status").read_text()
            largest = max(largest, int(status.split("VmHWM:")[1].split()[0]))
    print(
        f"\n{outcomes['read']} read, {outcomes['refused']} refused, {slowest:.2f} s and {largest / 1024:.0f} MB at most"
    )
    assert slowest < 5
    assert largest < 300 * 1024
