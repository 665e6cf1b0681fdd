"""Excursions, gaps and mean kinetic temperature against a simulation second by second, and what must never change them."""

import math
import random
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.records.temperature import mkt
from sudonglian.records.temperature.classes import ACTIVATION_KJ_MOL, ProductClass, known
from sudonglian.records.temperature.curve import clipped, pieces, union_us
from sudonglian.records.temperature.excursions import S, episodes, total_us
from sudonglian.records.temperature.figures import Figures, figures
from sudonglian.records.temperature.samples import Calibration, Reading

FROZEN = known()["frozen"]
CHILLED = known()["chilled"]


PARTS = 40
"""Of a line, in which its temperature is taken as constant."""


def at(second: int, celsius: object, logger: str = "a", calibration: Calibration = "unknown") -> Reading:
    value = Fraction(str(celsius))
    return Reading(second * S, second * S, value, value, value, logger, "r", calibration=calibration)


def band(
    start: int, end: int, low: object, mean: object, high: object, ranks: tuple[tuple[Fraction, Fraction], ...] = ()
) -> Reading:
    low_c, mean_c, high_c = (None if one is None else Fraction(str(one)) for one in (low, mean, high))
    return Reading(start * S, end * S, low_c, high_c, mean_c, "a", "r", ranks=ranks)


def judged(readings: Iterable[Reading], kind: ProductClass, start: int, end: int) -> Figures:
    listed = list(readings)
    found = pieces(listed, kind.max_interval_s * S, needs_calibration=kind.needs_calibration)
    return figures(found, listed, (), kind, start * S, end * S)


# A logger's readings: ascending seconds, some far apart, in tenths of a degree around the limit.
series = st.lists(st.tuples(st.integers(1, 400), st.integers(-220, -140)), min_size=1, max_size=12).map(
    lambda steps: [(sum(gap for gap, _ in steps[: n + 1]), tenths) for n, (_, tenths) in enumerate(steps)]
)
kinds = st.builds(
    lambda upper, interval: replace(FROZEN, upper_c=Fraction(upper, 10), max_interval_s=interval),
    st.integers(-200, -160),
    st.integers(20, 300),
)


def value_at(readings: list[tuple[int, int]], second: Fraction, interval: int) -> Fraction | None:
    """Say what a logger's curve is at a moment, straight from the rule."""
    for (t0, v0), (t1, v1) in pairwise(readings):
        if t1 - t0 <= interval and t0 <= second <= t1:
            return Fraction(v0, 10) + Fraction(v1 - v0, 10) * (second - t0) / (t1 - t0)
    return None


@given(st.lists(series, min_size=1, max_size=3), kinds)
def test_excursions_and_gaps_are_those_of_a_simulation_second_by_second(
    several: list[list[tuple[int, int]]], kind: ProductClass
) -> None:
    assert kind.upper_c is not None
    end = max(one[-1][0] for one in several)
    readings = [at(t, Fraction(v, 10), f"logger {n}") for n, one in enumerate(several) for t, v in one]
    found = judged(readings, kind, 0, end)
    covered, outside, crossings = 0, 0, 0
    was = False
    for second in range(end):
        middle = second + Fraction(1, 2)
        there = [v for one in several if (v := value_at(one, middle, kind.max_interval_s)) is not None]
        covered += bool(there)
        now = bool(there) and max(there) > kind.upper_c
        outside, crossings, was = outside + now, crossings + (now != was), now
    assert found.measured_us == covered * S
    least, most = total_us(found.excursions)
    assert abs(least - outside * S) <= (crossings + 2 * len(found.excursions)) * S
    if most is not None:
        assert abs(most - least) <= len(found.excursions) * S // 1000


@given(series, kinds, st.integers(1, 30))
def test_a_stricter_limit_never_shortens_an_excursion(
    one: list[tuple[int, int]], kind: ProductClass, tenths: int
) -> None:
    readings = [at(t, Fraction(v, 10)) for t, v in one]
    assert kind.upper_c is not None
    stricter = replace(kind, upper_c=kind.upper_c - Fraction(tenths, 10))
    loose, strict = (episodes(pieces(readings, kind.max_interval_s * S), each) for each in (kind, stricter))
    assert sum(e.least_us for e in loose) <= sum(e.least_us for e in strict)
    for each in loose:  # every excursion lies within one of the stricter class
        assert any(other.start_us <= each.start_us and each.end_us <= other.end_us for other in strict)


@given(series, st.randoms(use_true_random=False))
def test_the_order_of_readings_and_repeats_of_them_change_nothing(
    one: list[tuple[int, int]], chance: random.Random
) -> None:
    readings = [at(t, Fraction(v, 10)) for t, v in one]
    shuffled = readings + [chance.choice(readings) for _ in range(3)]
    chance.shuffle(shuffled)
    assert pieces(readings, 300 * S) == pieces(shuffled, 300 * S)


@given(
    st.lists(st.integers(-230, -130), min_size=2, max_size=120),
    st.integers(-210, -150),
    st.booleans(),
    st.sampled_from([None, 10, 50, 90]),
)
def test_what_a_summary_leaves_open_holds_the_truth(
    seconds: list[int], limit: int, with_mean: bool, percent: int | None
) -> None:
    """Any series second by second, summed up: the time outside and the kinetic mean lie within what is told of them."""
    values = [Fraction(one, 10) for one in seconds]
    kind = replace(FROZEN, upper_c=Fraction(limit, 10))
    ranks: tuple[tuple[Fraction, Fraction], ...] = ()
    if percent is not None:  # the least value at or below which so much of the time was
        ordered = sorted(values)
        ranks = ((Fraction(percent), ordered[math.ceil(len(ordered) * percent / 100) - 1]),)
    mean = sum(values, Fraction(0)) / len(values)
    told = Reading(0, len(values) * S, min(values), max(values), mean if with_mean else None, "a", "r", ranks=ranks)
    found = judged([told], kind, 0, len(values))
    outside = sum(one > kind.upper_c for one in values) * S if kind.upper_c is not None else 0
    least, most = total_us(found.excursions)
    assert least <= outside <= (most or 0)
    assert bool(outside) == bool(found.excursions)
    assert found.kinetic is not None
    truth = mkt.of_values(values, ACTIVATION_KJ_MOL)
    assert found.kinetic.least_c - 1e-6 <= truth <= found.kinetic.most_c + 1e-6


@given(series)
def test_below_is_above_upside_down(one: list[tuple[int, int]]) -> None:
    warm = episodes(pieces([at(t, Fraction(v, 10)) for t, v in one], 300 * S), FROZEN)
    cold = ProductClass("x", "x", "x", lower_c=Fraction(18))
    below = episodes(pieces([at(t, Fraction(-v, 10)) for t, v in one], 300 * S), cold)
    assert [(e.start_us, e.end_us, e.least_us, e.most_us, -e.peak) for e in warm] == [
        (e.start_us, e.end_us, e.least_us, e.most_us, e.peak) for e in below
    ]


@pytest.mark.parametrize(
    ("celsius", "verdict"),
    [("-18", "within"), ("-18.0", "within"), ("-17.99", "excursion"), ("-17.9999999", "excursion")],
)
def test_at_the_limit_is_within_and_a_hair_above_is_not(celsius: str, verdict: str) -> None:
    assert judged([at(0, celsius), at(600, celsius)], FROZEN, 0, 600).verdict == verdict


def test_an_excursion_crosses_where_the_line_does() -> None:
    found = judged([at(0, -20), at(1800, -10), at(3600, -20)], FROZEN, 0, 3600)
    [one] = found.excursions
    assert (one.start_us, one.end_us) == (360 * S, 3240 * S)
    assert (one.least_us, one.most_us, one.peak) == (2880 * S, 2880 * S, Fraction(-10))
    assert found.verdict == "excursion"
    assert found.as_json()["sentence"]["en"] == (
        "Outside -18 °C or below (frozen); excursions: 1, 48 min in all, at the warmest -10 °C"
    )


def test_readings_too_far_apart_leave_a_gap_and_are_not_joined() -> None:
    found = judged([at(0, -20), at(3600, -20), at(7201, -10)], FROZEN, 0, 7201)
    assert [(gap.start_us, gap.end_us, gap.reasons) for gap in found.gaps] == [(3600 * S, 7201 * S, ("no-data",))]
    [lone] = found.excursions
    assert (lone.start_us, lone.end_us, lone.least_us, lone.most_us) == (7201 * S, 7201 * S, 0, None)
    assert "for a time unknown" in found.as_json()["sentence"]["en"]


def test_a_short_hole_between_loggers_is_no_gap_and_a_long_one_is() -> None:
    both = [at(0, -20, "a"), at(600, -20, "a"), at(4200, -20, "b"), at(4800, -20, "b")]
    assert judged(both, FROZEN, 0, 4800).verdict == "within"
    assert judged(
        [*both[:2], replace(both[2], start_us=4201 * S, end_us=4201 * S), both[3]], FROZEN, 0, 4800
    ).verdict == ("not-fully-measured")


def test_what_an_uncalibrated_logger_shows_as_fine_proves_nothing_and_what_it_shows_as_warm_counts() -> None:
    fine = [at(t, -20, calibration="expired") for t in (0, 1800, 3600)]
    found = judged(fine, FROZEN, 0, 3600)
    assert (found.verdict, found.measured_us, found.kinetic) == ("not-fully-measured", 0, None)
    assert found.gaps[0].reasons == ("calibration",)
    warm = [at(t, -10, calibration="expired") for t in (0, 1800, 3600)]
    assert judged(warm, FROZEN, 0, 3600).verdict == "excursion"
    asks = replace(FROZEN, needs_calibration=True)
    unknown = [at(t, -20) for t in (0, 1800, 3600)]
    assert judged(unknown, FROZEN, 0, 3600).verdict == "within"
    assert judged(unknown, asks, 0, 3600).verdict == "not-fully-measured"
    assert judged([replace(one, calibration="valid") for one in unknown], asks, 0, 3600).verdict == "within"


def test_a_mean_without_extremes_hides_an_excursion_and_is_no_measurement_of_none() -> None:
    found = judged([band(0, 3600, None, -20, None)], FROZEN, 0, 3600)
    assert found.verdict == "not-fully-measured"
    assert found.gaps[0].reasons == ("extremes",)
    assert found.kinetic is not None
    assert judged([band(0, 3600, None, -17, None)], FROZEN, 0, 3600).verdict == "excursion"
    assert judged([band(0, 3600, None, None, "-18")], FROZEN, 0, 3600).verdict == "within"
    # A class with two limits needs both extremes.
    assert judged([band(0, 3600, None, None, 5)], CHILLED, 0, 3600).verdict == "not-fully-measured"
    assert judged([band(0, 3600, 1, None, 5)], CHILLED, 0, 3600).verdict == "within"


def test_a_summary_bounds_how_long_it_was_outside() -> None:
    [one] = judged([band(0, 3600, -19, -17, -14)], FROZEN, 0, 3600).excursions
    assert (one.least_us, one.most_us, one.is_certain) == (900 * S, 3600 * S, True)
    [whole] = judged([band(0, 3600, -17, None, -14)], FROZEN, 0, 3600).excursions
    assert whole.least_us == whole.most_us == 3600 * S
    rank = ((Fraction(90), Fraction(-18)),)
    [tenth] = judged([band(0, 3600, -20, None, -14, rank)], FROZEN, 0, 3600).excursions
    assert (tenth.least_us, tenth.most_us) == (0, 360 * S)


def test_the_part_of_a_summary_is_possible_and_not_certain() -> None:
    found = judged([band(0, 3600, -20, -19, -14)], FROZEN, 0, 1800)
    [one] = found.excursions
    assert (one.is_certain, one.least_us, one.most_us) == (False, 0, 1800 * S)
    assert found.verdict == "not-fully-measured"
    assert found.as_json()["sentence"]["en"].startswith("Possibly outside")


def test_the_summary_of_readings_that_are_there_says_nothing_new() -> None:
    readings = [at(0, -20), at(1800, -16), at(3600, -20)]
    alone = judged(readings, FROZEN, 0, 3600)
    summed = judged([*readings, band(0, 3600, -20, -18, -16)], FROZEN, 0, 3600)
    assert summed.excursions == alone.excursions
    peak_between = judged([*readings, band(0, 3600, -20, -18, -12)], FROZEN, 0, 3600)
    assert peak_between.excursions[0].peak == -12


def test_several_loggers_at_once_are_one_excursion_by_the_warmest() -> None:
    core = [at(0, -20, "core"), at(3600, -20, "core")]
    air = [at(0, -20, "air"), at(1800, -10, "air"), at(3600, -20, "air")]
    wall = [at(900, -16, "wall"), at(2700, -16, "wall")]
    [one] = judged([*core, *air, *wall], FROZEN, 0, 3600).excursions
    assert one.loggers == ("air", "wall")
    assert (one.least_us, one.peak) == (2880 * S, Fraction(-10))


def test_two_words_of_one_logger_about_one_moment_count_by_the_worst() -> None:
    [one] = judged([at(0, -20), at(1800, -20), at(1800, -16), at(3600, -20)], FROZEN, 0, 3600).excursions
    assert (one.peak, one.least_us) == (Fraction(-16), 1800 * S)


@pytest.mark.parametrize(
    ("grace", "tolerance", "cumulative", "counted"),
    [
        (0, None, None, 2),
        (900, None, None, 1),
        (900, "1", None, 2),
        (900, "3", None, 1),
        (900, "3", 600, 1),
        (900, "3", 599, 2),
        (3600, None, None, 0),
    ],
)
def test_brief_excursions_are_forgiven_as_the_class_says(
    grace: int, tolerance: str | None, cumulative: int | None, counted: int
) -> None:
    kind = replace(
        FROZEN,
        grace_s=grace,
        tolerance_c=None if tolerance is None else Fraction(tolerance),
        cumulative_s=cumulative,
    )
    short = [at(0, -20), at(600, -16), at(1200, -20)]  # outside for 600 s, up to 2 degrees
    long = [at(4000, -20), at(5500, -16), at(7000, -20)]  # outside for 1500 s
    found = judged([*short, *long], kind, 0, 7000)
    assert [one.most_us for one in found.excursions] == [600 * S, 1500 * S]
    assert sum(one.counts for one in found.excursions) == counted
    assert (found.verdict == "excursion") == bool(counted)


def test_a_published_example_of_mean_kinetic_temperature() -> None:
    # github.com/zelti/mkt, README: readings of 2, 2, 5, 8, 8, 8, 8 °C have one of 6.25 °C.
    assert round(mkt.of_values(map(Fraction, (2, 2, 5, 8, 8, 8, 8)), ACTIVATION_KJ_MOL), 2) == 6.25


@given(st.integers(-2700, 9999), st.integers(1, 50))
def test_a_constant_temperature_is_its_own_kinetic_mean(tenths: int, count: int) -> None:
    value = Fraction(tenths, 10)
    assert mkt.of_values([value] * count, ACTIVATION_KJ_MOL) == pytest.approx(float(value), abs=1e-6)
    found = mkt.over_time(pieces([at(0, value), at(77, value)], 300 * S), ACTIVATION_KJ_MOL)
    assert found is not None
    assert found.best_c == pytest.approx(float(value), abs=1e-6)


def test_the_closed_form_of_two_temperatures_half_the_time_each() -> None:
    ratio = 10_000.0
    warm, cold = 278.15, 298.15
    expected = ratio / -math.log((math.exp(-ratio / warm) + math.exp(-ratio / cold)) / 2) - 273.15
    assert mkt.of_values([Fraction(5), Fraction(25)], ACTIVATION_KJ_MOL) == pytest.approx(expected, abs=1e-9)
    # Bands of one value are steps: an hour at each is the same, and three hours at one of them are not.
    steps = pieces([band(0, 3600, 5, 5, 5), band(3600, 7200, 25, 25, 25)], 3600 * S)
    found = mkt.over_time(steps, ACTIVATION_KJ_MOL)
    assert found is not None
    assert found.best_c == found.least_c == found.most_c == pytest.approx(expected, abs=1e-9)
    uneven = mkt.over_time(pieces([band(0, 3600, 5, 5, 5), band(3600, 14400, 25, 25, 25)], 3600 * S), ACTIVATION_KJ_MOL)
    weighted = mkt.of_values([Fraction(5), *[Fraction(25)] * 3], ACTIVATION_KJ_MOL)
    assert uneven is not None
    assert uneven.best_c == pytest.approx(weighted, abs=1e-9)


@given(series)
def test_the_kinetic_mean_of_a_curve_is_never_less_than_its_own_and_hardly_more(one: list[tuple[int, int]]) -> None:
    found = mkt.over_time(pieces([at(t, Fraction(v, 10)) for t, v in one], 10**9), ACTIVATION_KJ_MOL)
    if len(one) < 2:
        assert found is None
        return
    assert found is not None
    values, weights, steepest = [], [], 0.0
    for (t0, v0), (t1, v1) in pairwise(one):
        steepest = max(steepest, abs(v1 - v0) / 10)
        values += [Fraction(v0, 10) + Fraction(v1 - v0, 10) * Fraction(2 * n + 1, 2 * PARTS) for n in range(PARTS)]
        weights += [t1 - t0] * PARTS
    truth = mkt.of_values(values, ACTIVATION_KJ_MOL, weights)
    # Never less than the curve's own, and no more than docs/spec/temperature.md §5 says.
    assert -0.001 <= found.best_c - truth <= steepest**2 / 60 + 0.001


def test_weights_of_very_cold_readings_do_not_vanish() -> None:
    assert mkt.of_values([Fraction("-269")], ACTIVATION_KJ_MOL) == pytest.approx(-269, abs=1e-6)


def test_a_limit_of_the_kinetic_mean_is_judged() -> None:
    kind = replace(CHILLED, upper_c=Fraction(30), mkt_upper_c=Fraction(8))
    warm = judged([at(0, 10), at(3600, 10)], kind, 0, 3600)
    assert (warm.verdict, warm.excursions) == ("excursion", ())
    assert "mean kinetic temperature" in warm.as_json()["sentence"]["en"]
    assert judged([at(0, 5), at(3600, 5)], kind, 0, 3600).verdict == "within"


def test_a_line_is_cut_where_the_window_ends() -> None:
    [line] = pieces([at(0, -20), at(1000, -10)], 3600 * S)
    part = clipped(line, 250 * S, 500 * S)
    assert part is not None
    assert (part.high, part.length_us) == ((Fraction("-17.5"), Fraction(-15)), 250 * S)
    assert clipped(line, 1001 * S, 2000 * S) is None


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda one: (min(one), max(one)))))
def test_the_union_of_intervals_counts_each_moment_once(intervals: list[tuple[int, int]]) -> None:
    assert union_us(intervals) == len({at for start, end in intervals for at in range(start, end)})


def test_every_class_says_where_it_comes_from() -> None:
    for kind in known().values():
        assert kind.sources, kind.name
        assert {one["checked"] for one in kind.sources} <= {"text", "quoted", "no"}
