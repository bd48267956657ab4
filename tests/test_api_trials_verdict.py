"""What is said to a wearer and to a referee: figures, how sure they are, and nothing more than was shown."""

import re
from dataclasses import replace

import pytest
from trial_cases import BOTH, arm, half, n_of_1, plan, said
from trial_cases import crossover as crossed

from api.trials.methods import Registration
from api.trials.values import Seen, Treatment
from api.trials.wording import changed


def blocks(*counts: int) -> list[Seen]:
    return n_of_1("ABBA", [half(count) for count in counts])


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(0.7, "30 % fewer"), (1.18, "18 % more"), (1.0, "as many"), (0.998, "as many"), (0.0, "none"),
     (0.002, "over 99 % fewer"), (4.21, "4.2 times as many"), (63.3, "63 times as many"),
     (float("inf"), "more by any number")],
)  # fmt: skip
def test_ratios_in_words(ratio: float, words: str) -> None:
    assert changed(ratio) == words


def test_a_wearer_reads_figures_and_how_sure_they_are() -> None:
    """28 nights of eight hours each: 16 and 20 cramps are 4 and 5 a week; a fifth fewer."""
    analysis = said(plan(), blocks(8, 10, 10, 8))
    assert analysis.conclusion == "no_difference_shown"
    found = re.fullmatch(
        r"On magnesium you had 4\.0 cramps a week \(of seven nights of eight hours\), on placebo 5\.0: 20 % fewer "
        r"\(pair by pair\), but it could be anything from (\d+) % fewer to ([\d.]+) times as many\. "
        r"These data cannot tell\.",
        analysis.verdict,
    )
    assert found is not None, analysis.verdict
    estimate = analysis.results[0].estimate
    assert int(found[1]) == round(100 - 100 * estimate.low)
    assert float(found[2]) == pytest.approx(estimate.high, abs=0.05)


def test_too_few_cramps_are_not_enough_whatever_p_is() -> None:
    """0 against 20 cramps has p = 2e-6, and is still fewer than thirty."""
    analysis = said(plan(), blocks(0, 10, 10, 0))
    assert analysis.results[0].estimate.p is not None
    assert analysis.results[0].estimate.p < 1e-4
    assert analysis.conclusion == "not_enough_data"
    assert analysis.verdict.endswith("There were only 20 cramps in all, too few to tell: at least 30 are needed.")


@pytest.mark.parametrize(
    ("counts", "conclusion", "ends"),
    [
        ((10, 40, 40, 10), "fewer", "which the plan calls worth having, is as good as certain."),
        ((40, 60, 60, 40), "fewer", "whether it is the 25 % that the plan calls worth having is not certain."),
        ((40, 10, 10, 40), "more", "There were more cramps on magnesium, by more than chance explains."),
        ((98, 98, 98, 98), "no_difference_shown", "A fall of 25 % or more is unlikely."),
    ],
)
def test_conclusions_of_one_person(counts: tuple[int, ...], conclusion: str, ends: str) -> None:
    analysis = said(plan(), blocks(*counts))
    assert analysis.conclusion == conclusion
    assert analysis.verdict.endswith(ends)


def test_a_plan_without_power_shows_no_absence() -> None:
    weak, strong = (said(plan(power=power), blocks(20, 25, 25, 20)) for power in (0.3, 0.8))
    assert (weak.conclusion, strong.conclusion) == ("not_enough_data", "no_difference_shown")
    assert "chance of 30 % to show the effect it expected" in weak.verdict


def test_shares_of_nights_and_other_outcomes_have_words_of_their_own() -> None:
    among = blocks(20, 30, 30, 20)
    shares = said(plan(primary="cramp_periods", secondary=()), among)
    assert shares.verdict.startswith("On magnesium you had cramps in 100 % of nights, on placebo in 100 %: as many")
    severity = said(plan("crossover", primary="severity", secondary=()), _severities())
    assert severity.verdict.startswith("The mean severity of a cramp was 2 lower on magnesium than on placebo")


def _severities() -> list[Seen]:
    found = []
    for number in range(6):
        for phase in crossed("AB" if number % 2 else "BA", half(20), half(20), wearer=f"w{number}"):
            level = (3.0 if phase.phase.label == "A" else 5.0) + number / 10
            observed = tuple(
                replace(item, cramps=tuple(replace(cramp, severity=level) for cramp in item.cramps))
                for item in phase.observed
            )
            found.append(replace(phase, observed=observed))
    return found


def test_a_group_before_and_after_is_told_as_shares() -> None:
    among = [phase for n in range(6) for phase in arm("A", half(20), half(4 if n < 4 else 20), wearer=f"w{n}")]
    analysis = said(plan("before_after", primary="responders_50", secondary=(), wearers=6), among)
    assert analysis.verdict.startswith(
        "With magnesium 4 of 6 had at least 50 % fewer cramps than at baseline (from 22 to 96 %"
    )
    assert "nobody without magnesium to compare with" in analysis.verdict
    assert analysis.conclusion == "no_difference_shown"


def test_a_referee_reads_design_allocation_counting_exposure_model_software_and_hash() -> None:
    registration = Registration("ab" * 32, 1_770_000_000 * 10**9, amendments=2)
    methods = said(plan(settle_days=0, seed=7), blocks(20, 30, 30, 20), registration=registration).methods
    for part in (
        "N-of-1 trial of 2 pairs of blocks of 14 days",
        "drawn within each pair of blocks (numpy PCG64, seed 7)",
        "Wearers knew what they took",
        "detected and the wearer had not called none",
        "missing, and not counted as zero",
        "quasi-Poisson regression",
        "Intervals are 95 %",
        "statsmodels 0.",
        f"registered on 2026-02-02 02:40 UTC with SHA-256 {'ab' * 32}; it was amended 2 times since.",
    ):
        assert part in methods, part
    assert "not registered" in said(plan(), blocks(20, 30, 30, 20)).methods


def test_quinine_comes_first_among_the_caveats() -> None:
    quinine = (Treatment("A", "Quinine sulfate", "200 mg"), BOTH[1])
    caveats = said(plan(treatments=quinine), blocks(20, 30, 30, 20)).caveats
    assert caveats[0].startswith("Quinine is not approved by the FDA")
    assert not any("Quinine" in caveat for caveat in said(plan(), blocks(20, 30, 30, 20)).caveats)


def test_caveats_apply_or_are_left_out() -> None:
    sparse = n_of_1("ABBA", [[2] * 7 + [None] * 7] * 4)
    caveats = " ".join(said(plan(), sparse).caveats)
    assert "One person was studied" in caveats
    assert "Not blinded" in caveats
    assert "14 of 28 periods on magnesium" in caveats
    assert "not a medical device" in caveats
    blinded = " ".join(said(plan(blinded=True), blocks(20, 30, 30, 20)).caveats)
    assert "Not blinded" not in blinded
    assert "periods are missing" not in blinded
    felt = " ".join(said(plan(counting="felt"), blocks(20, 30, 30, 20)).caveats)
    assert "as if the diary had been kept" in felt
    assert "may be none" not in felt
