"""Whisper through faster-whisper: the only file that knows its model, its tokenizer and its tokens.

faster-whisper's own loops are not used: they hold whole recordings in memory and carry state from chunk to chunk.
Here a chunk's words are a function of its samples, the model and the request alone. Decoding is greedy or by beam
search, never sampled. Parts of faster-whisper used here are semi-private, hence its pinned version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from transcriber.datatypes import Word
from transcriber.errors import DeviceError, ModelError, UsageError
from transcriber.transcription.allocator import tune_allocator
from transcriber.transcription.compute import Compute

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOP_SAMPLES = 160  # 10 ms, one frame of features
WINDOW_FRAMES = 3000  # what the encoder takes: 30 s
TOKENS_PER_S = 50
MAX_LENGTH = 448  # positions of the decoder, prompt included
MAX_PROMPT_TOKENS = 120
LANGUAGE_SURE = 0.6  # below this probability the two likeliest languages are both tried
_NOT_SPOKEN = frozenset(" .…-–—*♪♫")
_OPENING, _CLOSING = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"  # marks that belong to the word after or before them


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """How to decode: what in a run's settings reaches the decoder.

    `languages` limits what `language=None` may find; a prompt with a `prompt_language` is for that language alone.
    """

    language: str | None = None
    languages: tuple[str, ...] = ()
    task: str = "transcribe"
    beam_size: int = 5
    prompt: str = ""
    prompt_language: str | None = None
    prompt_elsewhere: str = ""  # the prompt for all other languages
    repetition_penalty: float = 1.0


class Hypothesis(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine heard in a chunk. Word times are seconds in the chunk; `avg_logprob` is per token."""

    words: tuple[Word, ...]
    language: str
    language_probability: float
    avg_logprob: float
    no_speech_prob: float
    n_tokens: int
    hit_cap: bool  # the decoder ran out of positions: text is missing at the end


class Engine:
    """A loaded Whisper model. Raises ModelError (cannot be loaded), DeviceError (no such device or precision)."""

    def __init__(self, folder: Path, *, compute: Compute) -> None:
        tune_allocator()
        from faster_whisper import WhisperModel
        from faster_whisper.transcribe import get_suppressed_tokens

        device, compute_type = compute.device, compute.compute_type
        try:
            self._whisper = WhisperModel(
                str(folder),
                device=device,
                compute_type=compute_type,
                cpu_threads=compute.threads,
                num_workers=compute.workers,
                local_files_only=True,
            )
        except ValueError as error:
            raise DeviceError(
                f"The model cannot run on {device} with {compute_type}: {error}.",
                hint="Try --device cpu --compute-type int8.",
            ) from error
        except (RuntimeError, OSError) as error:
            if "CUDA" in str(error):
                raise DeviceError(f"There is no usable GPU here: {error}.", hint="Try --device cpu.") from error
            raise ModelError(
                f"The model in {folder} cannot be loaded: {error}.", hint="Check it with: transcriber models verify"
            ) from error
        self._tokenizers: dict[tuple[str, str], Any] = {}
        self._suppressed = list(get_suppressed_tokens(self._tokenizer("en", "transcribe"), [-1]))

    def decode(self, sounds: Sequence[NDArray[np.int16]], request: Request) -> tuple[Hypothesis, ...]:
        """What is said in each of the sounds (16 kHz, at most 30 s each), decoded in one batch."""
        encoded = self._encode(sounds)
        tried = [self._languages(found, request) for found in self._detect(encoded, len(sounds), request)]
        first = self._generate(encoded, [names[0] for names in tried], sounds, request)
        unsure = [at for at, names in enumerate(tried) if len(names) > 1]
        if not unsure:
            return tuple(first)
        second = self._generate(encoded, [names[-1] for names in tried], sounds, request)
        better = {at for at in unsure if second[at].avg_logprob > first[at].avg_logprob}
        return tuple(second[at] if at in better else first[at] for at in range(len(sounds)))

    def _encode(self, sounds: Sequence[NDArray[np.int16]]) -> Any:
        """Encoder output of all sounds. On a CPU one by one: as fast, and its scratch memory is that of one."""
        import ctranslate2

        features = [self._features(sound) for sound in sounds]
        if self._whisper.model.device != "cpu" or len(features) == 1:
            return self._whisper.encode(np.stack(features))
        outputs = [np.array(self._whisper.encode(one[np.newaxis])) for one in features]
        return ctranslate2.StorageView.from_array(np.concatenate(outputs))

    def _features(self, sound: NDArray[np.int16]) -> NDArray[np.float32]:
        """Log-mel features (n_mels, WINDOW_FRAMES) of this chunk alone."""
        features = self._whisper.feature_extractor(sound.astype(np.float32) / 32768.0)[:, :-1][:, :WINDOW_FRAMES]
        return np.pad(features, ((0, 0), (0, WINDOW_FRAMES - features.shape[1])))

    def _detect(self, encoded: Any, n: int, request: Request) -> list[list[tuple[str, float]]]:
        """For each sound the possible languages with their probabilities, likeliest first."""
        if not self._whisper.model.is_multilingual:
            return [[("en", 1.0)]] * n
        if request.language:
            return [[(request.language, 1.0)]] * n
        found = self._whisper.model.detect_language(encoded)
        names = [[(token[2:-2], float(probability)) for token, probability in row] for row in found]
        allowed = set(request.languages)
        return [[pair for pair in row if not allowed or pair[0] in allowed] or [("en", 0.0)] for row in names]

    @staticmethod
    def _languages(found: list[tuple[str, float]], request: Request) -> list[tuple[str, float]]:
        """One language if it is sure, else the two likeliest: the one whose text is likelier will be kept."""
        total = sum(probability for _, probability in found) or 1.0
        ranked = [(name, probability / total) for name, probability in found[:2]]
        return ranked[:1] if ranked[0][1] >= LANGUAGE_SURE or len(ranked) == 1 else ranked

    def _generate(
        self, encoded: Any, languages: list[tuple[str, float]], sounds: Sequence[NDArray[np.int16]], request: Request
    ) -> list[Hypothesis]:
        tokenizers = [self._tokenizer(name, request.task) for name, _ in languages]
        prompts = [self._prompt(tokenizer, request) for tokenizer in tokenizers]
        results = self._whisper.model.generate(
            encoded,
            prompts,
            beam_size=request.beam_size,
            max_length=MAX_LENGTH,
            suppress_blank=True,
            suppress_tokens=self._suppressed,
            repetition_penalty=request.repetition_penalty,
            return_scores=True,
            return_no_speech_prob=True,
        )
        tokens = [result.sequences_ids[0] for result in results]
        words = self._align(encoded, tokens, tokenizers, [len(sound) // HOP_SAMPLES for sound in sounds])
        cap = min(MAX_LENGTH // 2, MAX_LENGTH - len(prompts[0]))
        return [
            Hypothesis(
                words=heard,
                language=name,
                language_probability=round(probability, 3),
                avg_logprob=round(result.scores[0] * len(ids) / (len(ids) + 1), 4) if ids else 0.0,
                no_speech_prob=round(float(result.no_speech_prob), 4),
                n_tokens=len(ids),
                hit_cap=len(ids) >= cap,
            )
            for heard, ids, result, (name, probability) in zip(words, tokens, results, languages, strict=True)
        ]

    def _prompt(self, tokenizer: Any, request: Request) -> list[int]:
        start = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        if not request.prompt:
            return start
        words = tokenizer.encode(" " + request.prompt.strip())
        if len(words) > MAX_PROMPT_TOKENS:
            raise ValueError("the prompt is longer than its budget")
        return [tokenizer.sot_prev, *words, *start]

    def _tokenizer(self, language: str, task: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        key = (language, task)
        if key not in self._tokenizers:
            multilingual = self._whisper.model.is_multilingual
            self._tokenizers[key] = Tokenizer(self._whisper.hf_tokenizer, multilingual, task, language)
        return self._tokenizers[key]

    def _align(
        self, encoded: Any, tokens: list[list[int]], tokenizers: list[Any], n_frames: list[int]
    ) -> list[tuple[Word, ...]]:
        """Word times by dynamic time warping over the cross-attention, as in openai/whisper's timing.py."""
        texts = [[t for t in ids if t < tok.eot] for ids, tok in zip(tokens, tokenizers, strict=True)]
        start = tokenizers[0].sot_sequence
        if self._whisper.model.device == "cpu":  # one by one: in a batch the neighbours change the last digits
            aligned = [
                self._whisper.model.align(one, start, [text], n)[0]
                for one, text, n in zip(_apart(encoded), texts, n_frames, strict=True)
            ]
        else:
            aligned = self._whisper.model.align(encoded, start, texts, n_frames)
        return [
            tuple(_words(result, text, tokenizer)) if text else ()
            for result, text, tokenizer in zip(aligned, texts, tokenizers, strict=True)
        ]


def _apart(encoded: Any) -> Iterator[Any]:
    """The items of a batch of encoder output in main memory, each as a batch of one."""
    import ctranslate2

    whole = np.array(encoded)
    for at in range(len(whole)):
        yield ctranslate2.StorageView.from_array(whole[at : at + 1])


def check_languages(names: Iterable[str]) -> None:
    """Raise UsageError for a language that Whisper does not know."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    if unknown := [name for name in names if name not in _LANGUAGE_CODES]:
        raise UsageError(
            f"There is no language {', '.join(unknown)} in Whisper.",
            hint=f"Use auto, or a code: {', '.join(sorted(_LANGUAGE_CODES))}.",
        )


def token_counter(folder: Path) -> Callable[[str], int]:
    """Counts the tokens that a text takes in the prompt of the model in `folder`. Raises ModelError."""
    import tokenizers

    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # what the library raises has no class of its own
        raise ModelError(
            f"The tokenizer in {folder} cannot be read: {error}.", hint="Check it with: transcriber models verify"
        ) from error
    return lambda text: len(tokenizer.encode(" " + text.strip(), add_special_tokens=False).ids)


def _words(result: Any, text: list[int], tokenizer: Any) -> list[Word]:
    """Words with times from an alignment; punctuation joins its word."""
    from faster_whisper.transcribe import merge_punctuations

    names, groups = tokenizer.split_to_word_tokens([*text, tokenizer.eot])
    if len(groups) <= 1:
        return []
    path = np.array(result.alignments)  # (steps, 2): token, frame of 20 ms
    first_step = np.pad(np.diff(path[:, 0]), (1, 0), constant_values=1).astype(bool)
    times = path[first_step, 1] / TOKENS_PER_S
    edges = np.pad(np.cumsum([len(group) for group in groups[:-1]]), (1, 0))
    spoken = [
        {
            "word": name,
            "tokens": group,
            "start": float(times[a]),
            "end": float(times[b]),
            "p": float(np.mean(result.text_token_probs[a:b])),
        }
        for name, group, a, b in zip(names, groups, edges[:-1], edges[1:], strict=False)
    ]
    merge_punctuations(spoken, _OPENING, _CLOSING)
    words: list[Word] = []
    for one in spoken:
        if not set(one["word"]) - _NOT_SPOKEN:  # what Whisper writes for music and noise
            continue
        word = Word(
            start=round(one["start"], 3), end=round(one["end"], 3), text=one["word"], probability=round(one["p"], 3)
        )
        if words and not word.text[0].isspace() and not any(sign.isalnum() for sign in word.text):
            last = words.pop()  # a sign that belongs to the word before it, as in 30%
            word = msgspec.structs.replace(last, end=max(last.end, word.end), text=last.text + word.text)
        words.append(word)
    return words
