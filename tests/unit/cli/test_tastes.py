"""Taste on the command line: how far it is, how honest, which photos are alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curator.catalog import Catalog
from tests import catalogs, likings
from tests.unit.cli.conftest import Type

PHOTOS = 60


@pytest.fixture
def liked(tmp_path: Path) -> dict[int, np.ndarray]:
    """A home with sixty compared photos, thirty of them rated."""
    path = tmp_path / "home" / "catalog.db"
    catalogs.fill(path, PHOTOS)
    catalog = Catalog.open(path)
    nothing = {"rating": None, "flag": None, "kept": False}
    catalog.decide(dict.fromkeys(range(1, PHOTOS + 1), nothing), summary="a fresh mind")
    vectors = likings.embed(catalog, range(1, PHOTOS + 1))
    likings.rate(catalog, vectors, range(1, 31))
    catalog.close()
    return vectors


def test_an_empty_home_says_how_many_stars_are_missing(curator: Type) -> None:
    said = curator("taste", "--json").json
    assert (said["ratings"], said["missing"], said["ready"]) == (0, 20, False)
    assert said["encoder"] is None and said["accuracy"]["trust"] == "not yet"
    assert "20 more photos with stars until taste is ready." in curator("taste").out


def test_what_is_rated_here_is_foretold_and_judged(
    curator: Type, liked: dict[int, np.ndarray]
) -> None:
    for photo in range(31, 55):
        curator("decide", "--rate", likings.stars(liked[photo]), photo)
    said = curator("taste", "--json").json
    assert (said["ratings"], said["ready"], said["vectors"]) == (54, True, PHOTOS)
    assert said["accuracy"]["foreseen"] == 24
    assert said["accuracy"]["error_stars"] > 0
    assert "rank correlation" in curator("taste").out


def test_photos_have_match_scores_from_twenty_stars_on(
    curator: Type, liked: dict[int, np.ndarray]
) -> None:
    listed = curator("photos", "--sort", "match", "--json").json
    scores = [photo["match_score"] for photo in listed]
    assert len(scores) == PHOTOS and scores == sorted(scores)
    best = curator("photos", "--filter", "is:match", "--json").json
    assert [p["id"] for p in best] and all(p["match_score"] >= 70 for p in best)
    assert curator("status", "--json").json["matches"] == len(best)
    number = sum(score < 30 for score in scores)
    assert len(curator("photos", "--filter", "match:<30", "--json").json) == number


def test_photos_by_what_is_least_certain_and_by_what_would_teach_most(
    curator: Type, liked: dict[int, np.ndarray]
) -> None:
    uncertain = [photo["id"] for photo in curator("photos", "--sort", "uncertain", "--json").json]
    assert sorted(uncertain) == list(range(1, PHOTOS + 1))
    assert np.mean(np.array(uncertain[:30]) > 30) > 0.8, "what was rated is known best"
    teaching = [photo["id"] for photo in curator("photos", "--sort", "informative", "--json").json]
    assert set(teaching[:30]) == set(range(31, PHOTOS + 1)), "nothing is asked twice"


def test_orders_by_taste_say_what_is_missing_before_there_is_any(curator: Type) -> None:
    for order in ("uncertain", "informative"):
        said = curator("photos", "--sort", order)
        assert said.code == 1
        assert "20 more photos with stars until taste is ready." in said.err


def test_without_stars_there_are_no_scores(shoot: Type) -> None:
    assert {photo["match_score"] for photo in shoot("photos", "--json").json} == {None}


def test_three_stars_and_a_match_go_out(
    curator: Type, liked: dict[int, np.ndarray], tmp_path: Path
) -> None:
    before = curator("export", tmp_path / "out", "--dry-run", "--json").json["approved"]
    listed = curator("photos", "--sort", "match", "--reverse", "--json").json
    best = next(photo for photo in listed if photo["verdict"] == "undecided")
    curator("decide", "--rate", 3, best["id"])
    words = ("--set", "taste.match_threshold=30", "--dry-run", "--json")
    after = curator("export", tmp_path / "out", *words).json["approved"]
    assert before["match"] < after["match"]


def test_similar_lists_the_nearest_first(curator: Type, liked: dict[int, np.ndarray]) -> None:
    listed = curator("similar", 7, "--limit", 5, "--json").json
    wanted = sorted(liked, key=lambda photo: -float(liked[photo] @ liked[7]))[1:6]
    assert [photo["id"] for photo in listed] == wanted
    assert listed[0]["similarity"] == pytest.approx(float(liked[wanted[0]] @ liked[7]), abs=2e-3)


def test_a_photo_nobody_compared_is_named(shoot: Type) -> None:
    said = shoot("similar", "1", "--json")
    assert said.code == 1 and "not compared yet" in said.json["error"]
    assert shoot("similar", "nowhere.jpg").code == 1


def test_an_encoder_that_is_not_here_is_refused_before_anything_is_read(
    curator: Type, card: Path
) -> None:
    said = curator("ingest", card, "--encoder", "open_clip", "--json")
    assert said.code == 1 and "open_clip cannot be used" in said.json["error"]
    assert curator("photos", "--json").json == []


def test_the_doctor_and_the_status_name_the_encoder(curator: Type) -> None:
    findings = curator("doctor", "--json").json["findings"]
    (encoder,) = [finding for finding in findings if finding["what"] == "encoder"]
    assert encoder["well"] and encoder["found"].startswith("Photos are not compared")
    assert "Photos are not compared" in curator("status").out
