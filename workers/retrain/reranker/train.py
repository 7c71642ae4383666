"""Train the re-ranker: first a large one, the teacher, that is too slow to run, then the small one that learns to score as it does.

- The teacher, six layers, begins as an encoder of the encoder's recipe and learns by cross entropy over lists: which of twelve passages answers.
- The student takes over two of its layers and the more frequent word pieces. On altered lists, of which nobody says what is right, it
  learns the teacher's scores (KL divergence over the list, as in Hinton et al. 2015, and their squared difference) and, halfway and at the
  end, its tokens (Jiao et al., "TinyBERT", 2020).

What is held back for development is never trained on, so `hits` in the lines that are printed means something.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from transformers import BertConfig, BertModel

from parley.backends.onnx_files import TOKENIZER_FILE
from workers.retrain.bert_training import (
    Progress,
    Texts,
    descend,
    encode,
    falling,
    open_base,
    open_optimizer,
    save_weights,
    tell,
)
from workers.retrain.prepare import Data
from workers.retrain.reranker import lists, vocabulary
from workers.retrain.reranker.cross_encoder import cross_encoder, hits, read
from workers.retrain.reranker.export import WEIGHTS_FILE
from workers.retrain.reranker.lists import Lists
from workers.retrain.reranker.pairs import AlteredDraws, LabelledDraws, Pieces

TEACHER_RATE, TEACHER_WARM_UP, TEACHER_LEAST = 6e-5, 50, 0.02
TEACHER_PASSAGES = 12
STUDENT_RATE, STUDENT_WARM_UP, STUDENT_LEAST = 5e-4, 200, 0.01
STUDENT_PASSAGES = 10
TAKEN = (1, 5)
"""The teacher's layers that the student begins with, counted from 0."""
MATCHED = ((1, 3), (2, 6))
"""After so many layers of the student its tokens shall be the teacher's after so many; before the first are the embeddings."""
DIFFERENCE_WEIGHT, TOKENS_WEIGHT = 0.1, 2.0
COMPARED_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Recipe:
    """The defaults are those of the file in `models/reranker`. Batches are counted in lists."""

    teacher_steps: int = 2969
    teacher_batch: int = 24
    student_steps: int = 5128
    student_batch: int = 64
    vocabulary: int = vocabulary.SIZE
    #: Lists of one kind at most
    most: int = lists.MOST
    seed: int = 1


def train(base: Path, encoder: Path, data: Data, out: Path, recipe: Recipe, device: str) -> None:
    """Write the student's weights, as float16, and its tokenizer."""
    tell(device=device, **asdict(recipe))
    torch.manual_seed(recipe.seed)
    tokenizer = (base / TOKENIZER_FILE).read_text("utf-8")
    started = open_base(base, encoder).to(device)
    found = lists.gather(
        data, Nearest(started, Texts(base / TOKENIZER_FILE, device), device), recipe.seed, recipe.most
    )
    tell(**found.counts())
    teacher = train_teacher(started, found, Pieces(tokenizer), recipe, device)
    small, order = vocabulary.pruned(
        tokenizer, vocabulary.counted(tokenizer, found.texts()), recipe.vocabulary
    )
    student = train_student(teacher, order, found, Pieces(small), recipe, device)
    save_weights(student.state_dict(), out / WEIGHTS_FILE)
    (out / TOKENIZER_FILE).write_text(small, "utf-8")


class Nearest:
    """Implements `lists.Near`."""

    def __init__(self, encoder: Any, texts: Texts, device: str) -> None:
        self._encoder = encoder
        self._texts = texts
        self._device = device

    def __call__(self, questions: Sequence[str], passages: Sequence[str], most: int) -> list[list[int]]:
        asked, known = (
            encode(self._encoder, self._texts, texts, self._device) for texts in (questions, passages)
        )
        most = min(most, len(passages))
        return [
            row
            for part in asked.split(COMPARED_AT_ONCE)
            for row in (part @ known.T).topk(most, dim=1).indices.tolist()
        ]


def train_teacher(encoder: Any, found: Lists, pieces: Pieces, recipe: Recipe, device: str) -> Any:
    model = cross_encoder(encoder).to(device).train()
    optimizer = open_optimizer(model, TEACHER_RATE, device)
    progress = Progress(recipe.teacher_steps, model="teacher")
    draws = LabelledDraws(found, recipe.seed, TEACHER_PASSAGES)
    first = torch.zeros(recipe.teacher_batch, dtype=torch.long, device=device)
    for step in range(recipe.teacher_steps):
        _, scores = read(model, pieces.inputs(draws.draw(recipe.teacher_batch)), device)
        loss = functional.cross_entropy(scores.view(-1, TEACHER_PASSAGES), first)
        rate = max(TEACHER_LEAST, 1 - step / recipe.teacher_steps) * min(1, step / TEACHER_WARM_UP)
        descend(model, optimizer, loss, TEACHER_RATE * rate)
        progress.note(step, loss=loss)
    tell(model="teacher", hits=hits(model, pieces, found.held_back, device))
    return model.eval()


def train_student(
    teacher: Any, order: Sequence[int], found: Lists, pieces: Pieces, recipe: Recipe, device: str
) -> Any:
    """`order` holds the teacher's id of each of the student's word pieces, which `pieces` gives."""
    model = smaller(teacher, order).to(device).train()
    optimizer = open_optimizer(model, STUDENT_RATE, device)
    progress = Progress(recipe.student_steps, model="student")
    draws = AlteredDraws(found, pieces, recipe.seed, STUDENT_PASSAGES)
    tell(model="student", lists=len(draws), vocabulary=len(order))
    known_as = np.array(order, dtype=np.int64)
    for step in range(recipe.student_steps):
        inputs = draws.draw(recipe.student_batch)
        with torch.no_grad():
            wanted = read(teacher, inputs._replace(ids=known_as[inputs.ids]), device)
        losses = _losses(read(model, inputs, device), wanted, torch.from_numpy(inputs.mask).to(device))
        share = step / recipe.student_steps
        rate = STUDENT_RATE * falling(share, STUDENT_LEAST) * min(1, step / STUDENT_WARM_UP)
        descend(model, optimizer, sum(losses.values()), rate)
        progress.note(step, **losses)
    tell(model="student", hits=hits(model, pieces, found.held_back, device))
    return model


def _losses(own: tuple[Any, Any], wanted: tuple[Any, Any], mask: Any) -> dict[str, Any]:
    """Weighted; their sum is what falls."""
    (layers, scores), (teacher_layers, teacher_scores) = own, wanted
    scores, teacher_scores = (each.view(-1, STUDENT_PASSAGES) for each in (scores, teacher_scores))
    likely = functional.log_softmax(scores, dim=1)
    order = functional.kl_div(likely, functional.softmax(teacher_scores, dim=1), reduction="batchmean")
    kept = mask.unsqueeze(-1).float()
    apart = sum(
        ((layers[at].float() - teacher_layers[other].float()) ** 2 * kept).sum() for at, other in MATCHED
    )
    return {
        "order": order,
        "scores": DIFFERENCE_WEIGHT * functional.mse_loss(scores, teacher_scores),
        "tokens": TOKENS_WEIGHT * apart / kept.sum() / layers[0].shape[-1],
    }


def smaller(teacher: Any, order: Sequence[int]) -> Any:
    """A cross-encoder of two of the teacher's layers and some of its word pieces, without dropout."""
    config = BertConfig.from_dict(
        {
            **teacher["bert"].config.to_dict(),
            "num_hidden_layers": len(TAKEN),
            "vocab_size": len(order),
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
        }
    )
    model = cross_encoder(BertModel(config, add_pooling_layer=False))
    taken = {}
    for name, value in teacher.state_dict().items():
        layer = re.match(r"bert\.encoder\.layer\.(\d+)\.", name)
        if layer is None:
            taken[name] = value[list(order)] if "word_embeddings" in name else value
        elif int(layer[1]) in TAKEN:
            taken[name.replace(layer[1], str(TAKEN.index(int(layer[1]))), 1)] = value
    model.load_state_dict(taken, strict=True)
    return model
