"""Exercises of chapter 04: from the entropy of one row of probabilities to the Inception Score and how to fool it."""

import math

import numpy as np
import torch

from gancourse.exercises import Exercise
from gancourse.metrics import divergence
from gancourse.metrics import inception_score as package_score

PROBABILITIES = {
    "negative": "probabilities are never negative",
    "large scale": "probabilities are at most 1",
}


def _rows(rng, *shape, sharp=1.0):
    """Random probabilities whose last axis sums to 1; the sharper, the closer to one-hot."""
    logits = sharp * rng.normal(size=shape)
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return torch.from_numpy(weights / weights.sum(-1, keepdims=True))


def _with_zeros(p, *places):
    """The same rows with some outcomes made impossible: `places` index the last axis."""
    p = p.clone()
    p[..., list(places)] = 0
    return p / p.sum(-1, keepdim=True)


def _tensor(*entries):
    return torch.tensor(entries, dtype=torch.float64)


# --- 04.1 entropy ------------------------------------------------------------------------------------------

exercise_04_1 = Exercise(
    "04.1",
    "entropy",
    points=2,
    rtol=1e-4,
    atol=1e-4,  # a small constant inside the logarithm does no harm
    forbidden=("scipy.stats.entropy", "torch.distributions.categorical.Categorical.entropy"),
    exempt=PROBABILITIES,
)
exercise_04_1.oracle(divergence.entropy)


@exercise_04_1.cases
def distributions(rng):
    fixed = [
        _tensor(0.5, 0.5),
        _tensor(0.9, 0.1),
        _tensor(1.0),
        _tensor(0.0, 1.0, 0.0),
        _tensor([0.5, 0.25, 0.25], [1.0, 0.0, 0.0]),
        _tensor(*[0.01] * 100),
        torch.full((30, 40), 0.025, dtype=torch.float64),
    ]
    drawn = [
        _rows(rng, 3, 3),
        _rows(rng, 6, 4),
        _rows(rng, 1, 5),
        _rows(rng, 2, 3, 4),
        _with_zeros(_rows(rng, 5, 6, sharp=3), 1, 4),
        _rows(rng, 7, 10, sharp=12),
        _with_zeros(_rows(rng, 4, 5), 0).float(),
    ]
    return [(p,) for p in fixed + drawn]


def _surprise(p):
    return torch.where(p > 0, -p.clamp(min=1e-300).double().log(), 0.0)


@exercise_04_1.mistake("Your values are in bits, as of logarithms to base 2. The docstring asks for nats.")
def entropy_in_bits(p):
    return (p * _surprise(p)).sum(-1) / math.log(2)


@exercise_04_1.mistake("As if the logarithm had base 10: nats need the natural logarithm.")
def entropy_to_base_ten(p):
    return (p * _surprise(p)).sum(-1) / math.log(10)


@exercise_04_1.mistake(
    "The sign is missing: the logarithm of a probability is negative, an entropy never is."
)
def entropy_without_the_sign(p):
    return -(p * _surprise(p)).sum(-1)


@exercise_04_1.mistake(
    "NaN where a probability is 0: the logarithm is infinite there, and 0 times infinity isn't a number. "
    "An outcome that never happens contributes 0."
)
def entropy_nan_at_zero(p):
    return -(p * p.log()).sum(-1)


@exercise_04_1.mistake(
    "One number for a whole batch. Sum over the last axis only: every row has an entropy of its own."
)
def entropy_of_the_whole_batch(p):
    return (p * _surprise(p)).sum()


@exercise_04_1.mistake(
    "One number for a whole batch. Sum over the last axis only: every row has an entropy of its own."
)
def entropy_averaged_over_the_batch(p):
    return (p * _surprise(p)).sum(-1).mean()


@exercise_04_1.mistake("As if each column were a distribution. The outcomes lie along the last axis.")
def entropy_along_the_first_axis(p):
    return (p * _surprise(p)).sum(0)


@exercise_04_1.mistake(
    "As if each column were a distribution. The outcomes lie along the last axis: in a batch of batches too."
)
def entropy_along_the_second_axis(p):
    return (p * _surprise(p)).sum(1 if p.ndim > 1 else 0)


@exercise_04_1.mistake("That is the mean over the outcomes. The formula has a sum: p is the weight already.")
def entropy_mean_over_outcomes(p):
    return (p * _surprise(p)).mean(-1)


@exercise_04_1.mistake(
    "As if all outcomes happened equally often: each surprise must be weighted by its probability."
)
def entropy_without_weights(p):
    return _surprise(p).sum(-1)


@exercise_04_1.mistake(
    "As if all outcomes happened equally often: each surprise must be weighted by its probability."
)
def entropy_without_weights_infinite(p):
    return -p.log().sum(-1)


@exercise_04_1.mistake(
    "As if all outcomes happened equally often: each surprise must be weighted by its probability."
)
def entropy_mean_surprise_without_weights(p):
    return _surprise(p).mean(-1)


@exercise_04_1.mistake("That is the effective number of outcomes, exp(H). The entropy is its logarithm.")
def effective_number(p):
    return (p * _surprise(p)).sum(-1).exp()


@exercise_04_1.mistake(
    "Only the likeliest outcome counts in yours. The entropy is the mean surprise over all outcomes."
)
def surprise_of_the_likeliest(p):
    return -p.max(-1).values.log()


@exercise_04_1.mistake(
    "That is how often two draws differ, 1 minus the sum of squares: alike, but without a logarithm."
)
def chance_that_two_draws_differ(p):
    return 1 - (p * p).sum(-1)


@exercise_04_1.mistake(
    "As if every outcome were a yes-or-no question of its own: the terms with 1 - p do not belong here."
)
def entropy_of_yes_or_no(p):
    return (p * _surprise(p) + (1 - p) * _surprise(1 - p)).sum(-1)


@exercise_04_1.mistake("As if entropy fell with uncertainty: that is log K minus the entropy.")
def missing_entropy(p):
    return math.log(p.shape[-1]) - (p * _surprise(p)).sum(-1)


@exercise_04_1.mistake(
    "As if the entropy were scaled to the range from 0 to 1: the docstring asks for nats, from 0 to log K."
)
def entropy_scaled_to_one(p):
    return (p * _surprise(p)).sum(-1) / max(math.log(p.shape[-1]), 1e-12)


# --- 04.2 kl_divergence ------------------------------------------------------------------------------------

exercise_04_2 = Exercise(
    "04.2",
    "kl_divergence",
    points=3,
    rtol=1e-4,
    atol=1e-6,
    forbidden=(
        "scipy.stats.entropy",
        "scipy.special.rel_entr",
        "scipy.special.kl_div",
        "torch.nn.functional.kl_div",
        "torch.distributions.kl_divergence",
    ),
    exempt=PROBABILITIES,
)
exercise_04_2.oracle(divergence.kl_divergence)


@exercise_04_2.cases
def pairs_of_distributions(rng):
    flat = torch.full((30, 40), 0.025, dtype=torch.float64)
    return [
        (_tensor(0.5, 0.5), _tensor(0.9, 0.1)),
        (_tensor(0.9, 0.1), _tensor(0.5, 0.5)),
        (_tensor(1.0), _tensor(1.0)),
        (_tensor(0.25, 0.75), _tensor(0.25, 0.75)),
        (_tensor(1.0, 0.0), _tensor(0.5, 0.5)),
        (_tensor(0.5, 0.5), _tensor(1.0, 0.0)),
        (_tensor(0.5, 0.5, 0.0), _tensor(0.25, 0.75, 0.0)),
        (_tensor([0.2, 0.8], [1.0, 0.0]), _tensor([0.8, 0.2], [0.0, 1.0])),
        (flat, flat.roll(1, 0)),
        (_rows(rng, 3, 3), _rows(rng, 3, 3)),
        (_rows(rng, 4, 6), _rows(rng, 6)),
        (_rows(rng, 5), _rows(rng, 3, 5)),
        (_rows(rng, 6, 4), _rows(rng, 6, 4)),
        (_rows(rng, 6, 1, 4), _rows(rng, 3, 4)),
        (_rows(rng, 2, 3, 4), _rows(rng, 2, 3, 4)),
        (_with_zeros(_rows(rng, 5, 6), 1), _with_zeros(_rows(rng, 5, 6), 1)),
        (_with_zeros(_rows(rng, 4, 6), 2, 3), _rows(rng, 4, 6)),
        (_rows(rng, 3, 5), _with_zeros(_rows(rng, 3, 5), 0)),
        (_rows(rng, 8, 10, sharp=2), _rows(rng, 8, 10, sharp=2)),
        (_rows(rng, 4, 5).float(), _rows(rng, 4, 5).float()),
    ]


def _log_ratio(p, q):
    """log(p / q) where p > 0, else 0; infinite where q = 0 < p."""
    return torch.where(p > 0, p.double().clamp(min=1e-300).log() - q.double().log(), 0.0)


def _kl(p, q):
    return (p * _log_ratio(p, q)).sum(-1)


@exercise_04_2.mistake(
    "That is KL(q || p): p and q are exchanged. The first argument is the truth and gives the weights."
)
def kl_swapped(p, q):
    return _kl(q, p)


@exercise_04_2.mistake("The sum is missing: those are the terms of all outcomes, one by one.")
def kl_without_the_sum(p, q):
    return p * _log_ratio(p, q)


@exercise_04_2.mistake("Your values are in bits, as of logarithms to base 2. The docstring asks for nats.")
def kl_in_bits(p, q):
    return _kl(p, q) / math.log(2)


@exercise_04_2.mistake(
    "NaN where p is 0: 0 times infinity isn't a number. An outcome that never happens contributes 0."
)
def kl_nan_at_zero(p, q):
    return (p * (p / q).log()).sum(-1)


@exercise_04_2.mistake(
    "NaN where p is 0: 0 times infinity isn't a number. An outcome that never happens contributes 0."
)
def kl_nan_at_zero_of_two_logarithms(p, q):
    return (p * (p.log() - q.log())).sum(-1)


@exercise_04_2.mistake(
    "NaN where p and q are both 0: an outcome that never happens contributes 0, whatever q says of it."
)
def kl_nan_where_both_are_zero(p, q):
    return (torch.xlogy(p, p) - p * q.log()).sum(-1)


@exercise_04_2.mistake(
    "NaN where p and q are both 0: an outcome that never happens contributes 0, whatever q says of it."
)
def kl_nan_of_zero_over_zero(p, q):
    return torch.xlogy(p, p / q).sum(-1)


@exercise_04_2.mistake(
    "As if outcomes that q calls impossible did not count. Where q = 0 < p the divergence is infinite."
)
def kl_only_where_both_are_positive(p, q):
    terms = p * _log_ratio(p, q)
    return torch.where(torch.isinf(terms), torch.zeros_like(terms), terms).sum(-1)


def _finite_but_right(case, output, expected):
    """Infinite nowhere, and right wherever the truth is finite."""
    right = np.asarray(_kl(case[0].double(), case[1].double()))
    there = np.isfinite(right)
    return bool(
        output.shape == right.shape
        and np.isfinite(output).all()
        and np.allclose(output[there], right[there], 0.01, 0.01)
    )


@exercise_04_2.mistake(
    "Finite where q calls an outcome impossible that happens under p: the divergence is infinite there.",
    recognise=_finite_but_right,
)
def kl_with_a_small_constant(p, q):
    return (p * ((p + 1e-10) / (q + 1e-10)).log()).sum(-1)


@exercise_04_2.mistake(
    "That is the cross-entropy, the whole surprise. The divergence is only what it exceeds the entropy of p by."
)
def cross_entropy_for_kl(p, q):
    return torch.where(p > 0, -p * q.log(), 0.0).sum(-1)


@exercise_04_2.mistake("The sign is wrong: a divergence is never negative.")
def kl_with_the_ratio_upside_down(p, q):
    return -_kl(p, q)


@exercise_04_2.mistake("The sign is wrong: a divergence is never negative.")
def kl_weighted_by_q(p, q):
    return -_kl(q, p)


@exercise_04_2.mistake("That is the mean over the outcomes. The formula has a sum: p is the weight already.")
def kl_mean_over_outcomes(p, q):
    return (p * _log_ratio(p, q)).mean(-1)


@exercise_04_2.mistake(
    "One number for a whole batch. Sum over the last axis only: every pair of rows has a divergence of its own."
)
def kl_of_the_whole_batch(p, q):
    return (p * _log_ratio(p, q)).sum()


@exercise_04_2.mistake(
    "One number for a whole batch. Sum over the last axis only: every pair of rows has a divergence of its own."
)
def kl_averaged_over_the_batch(p, q):
    return _kl(p, q).mean()


@exercise_04_2.mistake("As if each column were a distribution. The outcomes lie along the last axis.")
def kl_along_the_first_axis(p, q):
    return (p * _log_ratio(p, q)).sum(0)


@exercise_04_2.mistake(
    "As if each column were a distribution. The outcomes lie along the last axis: in a batch of batches too."
)
def kl_along_the_second_axis(p, q):
    terms = p * _log_ratio(p, q)
    return terms.sum(1 if terms.ndim > 1 else 0)


@exercise_04_2.mistake("As if all outcomes happened equally often: each log ratio must be weighted by p.")
def kl_without_weights(p, q):
    return (p / q).log().sum(-1)


@exercise_04_2.mistake("As if all outcomes happened equally often: each log ratio must be weighted by p.")
def kl_without_weights_or_zeros(p, q):
    return _log_ratio(p, q).sum(-1)


@exercise_04_2.mistake("As if every term were positive. Outcomes that q overrates have negative terms.")
def kl_of_magnitudes(p, q):
    return (p * _log_ratio(p, q)).abs().sum(-1)


@exercise_04_2.mistake(
    "Outcomes that q overrates are left out in yours. Their terms are negative and belong to the sum."
)
def kl_of_positive_terms(p, q):
    return (p * _log_ratio(p, q)).clamp(min=0).sum(-1)


@exercise_04_2.mistake("The same either way round: the KL divergence isn't symmetric.")
def kl_made_symmetric(p, q):
    return (_kl(p, q) + _kl(q, p)) / 2


@exercise_04_2.mistake("The same either way round: the KL divergence isn't symmetric.")
def kl_both_ways_added(p, q):
    return _kl(p, q) + _kl(q, p)


@exercise_04_2.mistake("That is the Jensen-Shannon divergence, which compares both with their mixture.")
def js_for_kl(p, q):
    m = (p + q) / 2
    return (_kl(p, m) + _kl(q, m)) / 2


@exercise_04_2.mistake("The logarithm is missing: yours compares differences, not ratios.")
def squared_differences(p, q):
    return ((p - q) ** 2).sum(-1)


@exercise_04_2.mistake("The logarithm is missing: yours compares differences, not ratios.")
def magnitudes_of_differences(p, q):
    return (p - q).abs().sum(-1)


@exercise_04_2.mistake(
    "As if the difference of the two entropies were the divergence: q must be weighted by p."
)
def difference_of_entropies(p, q):
    return (torch.special.entr(q) - torch.special.entr(p)).sum(-1)


# --- 04.3 inception_score ----------------------------------------------------------------------------------

exercise_04_3 = Exercise("04.3", "inception_score", points=4, rtol=1e-4, atol=1e-6, exempt=PROBABILITIES)


@exercise_04_3.oracle
def inception_score(probabilities):
    """exp(mean over images of KL(p(y|x) || p(y))), p(y) the mean row: metrics.inception_score with one split."""
    return package_score(probabilities).value


@exercise_04_3.cases
def tables_of_probabilities(rng):
    eye = torch.eye(4, dtype=torch.float64)
    skewed = eye[[0, 0, 0, 0, 0, 1, 2]]
    return [
        (eye[:2, :2],),
        (_tensor([0.9, 0.1], [0.2, 0.8], [0.6, 0.4]),),
        (_tensor([0.2, 0.3, 0.5]),),
        (_rows(rng, 1, 4).repeat(5, 1),),
        (torch.ones(3, 1, dtype=torch.float64),),
        (torch.full((30, 40), 0.025, dtype=torch.float64),),
        (eye,),
        (skewed,),
        (eye.repeat_interleave(5, 0),),
        (torch.cat([_rows(rng, 6, 3, sharp=2) / 2, torch.full((6, 1), 0.5, dtype=torch.float64)], 1),),
        (_rows(rng, 4, 9, sharp=3),),
        (_rows(rng, 12, 3, sharp=3),),
        (_with_zeros(_rows(rng, 15, 5, sharp=3), 2),),
        (_rows(rng, 60, 10, sharp=6),),
        (_rows(rng, 20, 10, sharp=3).float(),),
    ]


def _score(p, marginal=None):
    p = p.double()
    marginal = p.mean(0) if marginal is None else marginal
    return _kl(p, marginal)


@exercise_04_3.mistake("The last step is missing: take exp of the mean divergence.")
def score_without_exp(probabilities):
    return _score(probabilities).mean()


@exercise_04_3.mistake(
    "As if p(y) were the same for all classes, 1/K. It is the mean of p(y|x) over the generated images."
)
def score_against_even_classes(probabilities):
    k = probabilities.shape[1]
    return _score(probabilities, torch.full((k,), 1 / k, dtype=torch.float64)).mean().exp()


@exercise_04_3.mistake("The divergence is the wrong way round: it is that of p(y|x) from p(y).")
def score_swapped(probabilities):
    p = probabilities.double()
    return _kl(p.mean(0).expand_as(p), p).mean().exp()


@exercise_04_3.mistake(
    "NaN where a probability is 0. Your kl_divergence handles zeros: an outcome that never happens contributes 0."
)
def score_nan_at_zero(probabilities):
    p = probabilities.double()
    return (p * (p.log() - p.mean(0).log())).sum(1).mean().exp()


@exercise_04_3.mistake("As if exp came before the mean over images: average the divergences, then take exp.")
def score_exp_before_the_mean(probabilities):
    return _score(probabilities).exp().mean()


@exercise_04_3.mistake("As if exp came before the mean over images: average the divergences, then take exp.")
def score_of_effective_numbers(probabilities):
    p = probabilities.double()
    return torch.special.entr(p.mean(0)).sum().exp() / torch.special.entr(p).sum(1).exp().mean()


@exercise_04_3.mistake("The divergences are added over the images. The formula has their mean.")
def score_summed_over_images(probabilities):
    return _score(probabilities).sum().exp()


@exercise_04_3.mistake(
    "As if the terms were averaged over the classes too. Sum over classes, average over images."
)
def score_averaged_over_classes(probabilities):
    p = probabilities.double()
    return (p * _log_ratio(p, p.mean(0))).mean().exp()


@exercise_04_3.mistake(
    "As if rows and columns were exchanged: sum over the classes, average over the images."
)
def score_of_the_transpose(probabilities):
    p = probabilities.double()
    return (p * _log_ratio(p, p.mean(0))).sum(0).mean().exp()


@exercise_04_3.mistake("Your logarithms have another base than your power. Use one base for both.")
def score_of_bases_ten_and_e(probabilities):
    return (_score(probabilities).mean() / math.log(10)).exp()


@exercise_04_3.mistake("Your logarithms have another base than your power. Use one base for both.")
def score_of_two_bases(probabilities):
    return (_score(probabilities).mean() / math.log(2)).exp()


@exercise_04_3.mistake("As if only variety counted: images that the classifier is unsure of lower the score.")
def score_of_the_marginal(probabilities):
    return torch.special.entr(probabilities.double().mean(0)).sum().exp()


@exercise_04_3.mistake("As if only sureness counted: the variety of classes raises the score.")
def score_of_sureness(probabilities):
    return (-torch.special.entr(probabilities.double()).sum(1).mean()).exp()


@exercise_04_3.mistake(
    "As if an unsure classifier were wanted: that is the effective number of classes an image."
)
def score_of_unsureness(probabilities):
    return torch.special.entr(probabilities.double()).sum(1).mean().exp()


@exercise_04_3.mistake(
    "As if unsureness raised the score: the mean entropy of p(y|x) is subtracted from that of p(y)."
)
def score_of_added_entropies(probabilities):
    p = probabilities.double()
    return (torch.special.entr(p).sum(1).mean() + torch.special.entr(p.mean(0)).sum()).exp()


@exercise_04_3.mistake("A larger divergence must give a larger score; yours falls: the sign is wrong.")
def score_upside_down(probabilities):
    return (-_score(probabilities).mean()).exp()


@exercise_04_3.mistake(
    "As if the classifier gave one label an image. Use its whole row: how sure it is counts."
)
def score_of_labels(probabilities):
    k = probabilities.shape[1]
    labels = torch.nn.functional.one_hot(probabilities.argmax(1), k).double()
    return _score(labels).mean().exp()


@exercise_04_3.mistake(
    "As if the rows were logits: they are probabilities already, and another softmax flattens them."
)
def score_after_another_softmax(probabilities):
    return _score(probabilities.double().softmax(1)).mean().exp()


@exercise_04_3.mistake(
    "As if the images came in ten parts with a p(y) each. Here one p(y) belongs to all images; section 8 has splits."
)
def score_in_ten_parts(probabilities):
    parts = [
        probabilities[i * len(probabilities) // 10 : (i + 1) * len(probabilities) // 10] for i in range(10)
    ]
    return torch.stack([_score(part).mean().exp() for part in parts]).mean()


@exercise_04_3.mistake(
    "As if the images came in ten parts with a p(y) each. Here one p(y) belongs to all images; section 8 has splits."
)
def score_in_ten_chunks(probabilities):
    return torch.stack([_score(part).mean().exp() for part in probabilities.chunk(10)]).mean()


@exercise_04_3.mistake(
    "As if the images came in ten parts with a p(y) each. Here one p(y) belongs to all images; section 8 has splits."
)
def score_in_ten_equal_parts(probabilities):
    size = len(probabilities) // 10
    parts = [probabilities[i * size : (i + 1) * size] for i in range(10)]
    return torch.stack([_score(part).mean().exp() for part in parts]).mean()


@exercise_04_3.mistake("Your p(y) doesn't sum to 1. It is the plain mean over the images: divide by N.")
def score_over_n_minus_one(probabilities):
    p = probabilities.double()
    return _score(p, p.sum(0) / (len(p) - 1)).mean().exp()


@exercise_04_3.mistake("Your p(y) doesn't sum to 1. It is the plain mean over the images: divide by N.")
def score_over_classes(probabilities):
    p = probabilities.double()
    return _score(p, p.sum(0) / p.shape[1]).mean().exp()


@exercise_04_3.mistake("Your p(y) doesn't sum to 1. It is the plain mean over the images: divide by N.")
def score_against_the_sum(probabilities):
    p = probabilities.double()
    return _score(p, p.sum(0)).mean().exp()


# --- 04.4 fool_the_inception_score -------------------------------------------------------------------------

exercise_04_4 = Exercise(
    "04.4",
    "fool_the_inception_score",
    points=3,
    exempt={
        **PROBABILITIES,
        "small scale": "a pool to choose from has images that the classifier is sure of",
        "fewer rows than columns": "there must be an image for every class",
        "one column": "with one class every choice scores 1",
        "a constant column": "a class that no image shows more than another can't be picked",
    },
)


@exercise_04_4.oracle
def fool_the_inception_score(probabilities):
    """For each class the image that shows it most surely: (N, K) -> K indices."""
    return torch.as_tensor(probabilities).argmax(dim=0)


def _pool(rng, classes, each):
    """Images of all classes, of many degrees of sureness, in random order but for the first few.

    Of class 0 there are more sure images than there are classes, each surer than the best of any other class. The first
    two images are of class 0, a sure one and a doubtful one, and then comes a doubtful one of every other class.
    """
    labels = np.concatenate([np.repeat(np.arange(classes), each), np.zeros(classes + 2, int)])
    sure = rng.uniform(0.5, 0.9, len(labels))
    sure[each - 1 : each * classes : each] = rng.uniform(0.985, 0.99, classes)
    sure[each * classes :] = rng.uniform(0.991, 0.999, classes + 2)
    rest = rng.dirichlet(np.ones(classes - 1), len(labels)) * (1 - sure)[:, None]
    rows = np.stack([np.insert(r, k, s) for r, k, s in zip(rest, labels, sure, strict=True)])
    doubtful = np.arange(0, each * classes, each)
    first = np.concatenate([[each * classes, 0], rng.permutation(doubtful[1:])])
    order = np.concatenate([first, rng.permutation(np.setdiff1d(np.arange(len(rows)), first))])
    return torch.from_numpy(rows[order])


@exercise_04_4.cases
def pools(rng):
    return [
        (_pool(rng, 3, 2),),
        (_pool(rng, 4, 5),),
        (_pool(rng, 10, 6),),
        (_pool(rng, 10, 20),),
        (_pool(rng, 6, 4).float(),),
    ]


def _chosen(case, output):
    """The rows that an answer chose, as many as there are classes; None where it chose something else."""
    pool = case[0].double()
    if not isinstance(output, np.ndarray) or output.dtype.kind not in "iu" or output.ndim != 1:
        return None
    if len(output) != pool.shape[1] or output.min() < 0 or output.max() >= len(pool):
        return None
    return pool[torch.from_numpy(output.astype(np.int64))]


def _classes(rows):
    return len(set(rows.argmax(1).tolist()))


@exercise_04_4.accepts
def fools_the_score(case, output, expected):
    """K images of the pool whose score is within 0.2% of that of the surest image of each class, or above."""
    chosen, best = _chosen(case, output), case[0][fool_the_inception_score(case[0])]
    return chosen is not None and package_score(chosen).value >= 0.998 * package_score(best).value


@exercise_04_4.mistake(
    "Those are the images that the classifier is surest of, whatever they show: one class takes most places, and p(y) "
    "is far from even."
)
def surest_of_all(probabilities):
    return probabilities.max(1).values.topk(probabilities.shape[1]).indices


@exercise_04_4.mistake(
    "Those are the images that the classifier is surest of, whatever they show: one class takes most places, and p(y) "
    "is far from even."
)
def lowest_entropies(probabilities):
    entropies = torch.special.entr(probabilities.double()).sum(1)
    return entropies.argsort()[: probabilities.shape[1]]


@exercise_04_4.mistake("One image repeated: every row equals p(y), and the score is 1, the lowest there is.")
def one_image_repeated(probabilities):
    best = probabilities.max(1).values.argmax()
    return best.repeat(probabilities.shape[1])


@exercise_04_4.mistake(
    "That is a label for each image, the likeliest class of each row. Asked for is an image for each class."
)
def labels_of_the_images(probabilities):
    return probabilities.argmax(1)


@exercise_04_4.mistake(
    "The classes are even, but the classifier is least sure of those: the first image of a class need not be its best."
)
def first_of_each_class(probabilities):
    labels = probabilities.argmax(1)
    return torch.stack([(labels == k).nonzero()[0, 0] for k in range(probabilities.shape[1])])


@exercise_04_4.mistake("Those images show each class least: that is the other end of the pool.")
def least_of_each_class(probabilities):
    return probabilities.argmin(0)


@exercise_04_4.mistake(
    "Those are probabilities. Asked for are the images' places in the pool, whole numbers."
)
def probabilities_for_indices(probabilities):
    return probabilities.max(0).values


@exercise_04_4.mistake(
    "The right images, but their places have decimals, as torch.float has. Return whole numbers."
)
def decimal_indices(probabilities):
    return probabilities.argmax(0).double()


@exercise_04_4.mistake(
    "That marks images in the pool with True. Asked for are their places: one whole number an image."
)
def mask_for_indices(probabilities):
    mask = torch.zeros(len(probabilities), dtype=torch.bool)
    mask[probabilities.argmax(0)] = True
    return mask


@exercise_04_4.mistake(
    "Those are rows of the pool. Asked for are their places in it: one whole number an image."
)
def rows_for_indices(probabilities):
    return probabilities[probabilities.argmax(0)]


@exercise_04_4.mistake(
    "As many images as the pool has. Choose one a class: the score doesn't ask how many there are."
)
def the_whole_pool(probabilities):
    return torch.arange(len(probabilities))


@exercise_04_4.mistake(
    "Those are the images that the classifier is least sure of: each row should be nearly one-hot."
)
def highest_entropies(probabilities):
    entropies = torch.special.entr(probabilities.double()).sum(1)
    return entropies.argsort(descending=True)[: probabilities.shape[1]]


def _leaves_classes_out(case, output, expected):
    """Images of the pool that leave a class out; or a choice that is right all the same."""
    chosen = _chosen(case, output)
    return chosen is not None and (
        _classes(chosen) < case[0].shape[1] or fools_the_score(case, output, expected)
    )


def _has_every_class(case, output, expected):
    """Images of the pool, one of each class."""
    chosen = _chosen(case, output)
    return chosen is not None and _classes(chosen) == case[0].shape[1]


@exercise_04_4.mistake(
    "Your choice leaves classes out, so p(y) isn't even. Each class needs one image of its own.",
    recognise=_leaves_classes_out,
)
def the_first_images(probabilities):
    return torch.arange(probabilities.shape[1])


@exercise_04_4.mistake(
    "Each class has its image, but the classifier is surer of others. Take the surest image of each class.",
    recognise=_has_every_class,
)
def some_image_of_each_class(probabilities):
    labels = probabilities.argmax(1)
    return torch.stack([(labels == k).nonzero()[1, 0] for k in range(probabilities.shape[1])])
