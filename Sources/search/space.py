"""What a search may try: a point of the space as a spec and flags of `distill`.

`trial` is anything with Optuna's suggest_int, suggest_float and suggest_categorical. Names of what only one family has
begin with its name (`mix.k`), so that each name always has the same range.
"""

from dataclasses import dataclass

FAMILIES = ("mix", "slots", "alr")
ATTENTIONS = ("encoder", "decoder", "cross")

# Most hidden units of `mix`, pooled tokens of `slots` and hidden units of `alr`; cross-attention needs the most.
LARGEST = {
    "encoder": {"mix": 48, "slots": 48, "alr": 128},
    "decoder": {"mix": 32, "slots": 32, "alr": 128},
    "cross": {"mix": 64, "slots": 64, "alr": 256},
}

# Where each family starts: sizes that were found by hand.
STARTS = {
    "encoder": {"mix": {"k": 16, "r": 48}, "slots": {"k": 32, "d": 8}, "alr": {"h": 25}},
    "decoder": {"mix": {"k": 16, "r": 48}, "slots": {"k": 16, "d": 8}, "alr": {"h": 25}},
    "cross": {"mix": {"k": 32, "r": 64}, "slots": {"k": 48, "d": 12}, "alr": {"h": 50}},
}


@dataclass(frozen=True)
class Place:
    """The attention whose network is searched for, and what it measures."""

    attention: str
    layer: int
    width: int
    heads: int

    @property
    def name(self):
        return f"{self.attention}.{self.layer}"

    def identity(self):
        """Everything that the ranges depend on: a study of other ranges cannot be gone on with."""
        return {**vars(self), "largest": LARGEST[self.attention]}


@dataclass(frozen=True)
class Point:
    spec: str
    flags: dict

    def arguments(self):
        words = [(f"--{name}", f"{value:g}") for name, value in self.flags.items()]
        return ["--spec", self.spec] + [word for pair in words for word in pair]

    def __str__(self):
        return " ".join([self.spec] + [f"{name} {value:.3g}" for name, value in self.flags.items()])


def suggest(trial, place, families):
    family = trial.suggest_categorical("family", list(families))
    size = SIZES[family](trial, place, LARGEST[place.attention][family])
    # rounded, so that what is tried is what is written down
    flags = {
        "epochs": trial.suggest_int("epochs", 3, 12),
        "peak": rounded(trial.suggest_float("peak", 1e-3, 3e-2, log=True)),
        "weight-decay": rounded(trial.suggest_float("weight_decay", 1e-5, 1e-1, log=True)),
    }
    if family == "alr":
        flags["dropout"] = trial.suggest_float("alr.dropout", 0, 0.3, step=0.05)
    return Point(f"{family}-{size}.{place.name}", flags)


def rounded(value):
    return float(f"{value:.3g}")


def mix(trial, place, largest):
    k = trial.suggest_int("mix.k", 4, largest, log=True)
    r = trial.suggest_int("mix.r", 0, 96, step=8)
    return f"k{k}" + (f"r{r}" if r else "") + rank("mix", trial, place)


def slots(trial, place, largest):
    k = trial.suggest_int("slots.k", 4, largest, log=True)
    d = trial.suggest_int("slots.d", 2, max(place.width // place.heads, 2))
    return f"k{k}d{d}" + rank("slots", trial, place)


def alr(trial, place, largest):
    return f"h{trial.suggest_int('alr.h', 8, largest, log=True)}"


def rank(family, trial, place):
    """Rank of the values; the full one is the plain matrix and not written."""
    if place.width % 8 or place.width < 16:
        return ""
    v = trial.suggest_int(f"{family}.v", 8, place.width, step=8)
    return "" if v == place.width else f"v{v}"


SIZES = {"mix": mix, "slots": slots, "alr": alr}


def start(family, place):
    """The first point of a family; what is not said here is suggested."""
    sizes = {f"{family}.{name}": value for name, value in STARTS[place.attention][family].items()}
    if family == "slots":
        sizes["slots.d"] = min(sizes["slots.d"], max(place.width // place.heads, 2))
    if family != "alr" and place.width % 8 == 0 and place.width >= 16:
        sizes[f"{family}.v"] = place.width
    return {"family": family, **sizes}
