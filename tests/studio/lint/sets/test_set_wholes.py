from studio.lint import sets


def test_a_small_held_out_part_is_told_with_what_it_can_show(row, look) -> None:
    noted = [row(f"why {n}", "so") for n in range(60)]
    noted += [row(f"how {n % 20}", "so", split="test") for n in range(40)]
    (found,) = look("small-held-out", noted)
    assert found.detail.startswith("test has 20 different prompts: a share measured there is known to 22 percentage")
    assert look("small-held-out", noted, held_out=20) == []


def test_nothing_held_out_is_told(row, look) -> None:
    noted = [row(f"why {n}", "so") for n in range(60)]
    (found,) = look("small-held-out", noted)
    assert found.detail.startswith("nothing is held out")
    assert look("small-held-out", noted[:10]) == []
    assert look("small-held-out", [row(f"how {n}", split="test") for n in range(40)]) == []


def test_a_source_with_far_more_findings_is_told(row, look) -> None:
    noted = [row(f"why {n}", problems=n % 2, source="bad.jsonl") for n in range(60)]
    noted += [row(f"how {n}", problems=not n, source="good.jsonl") for n in range(60)]
    (found,) = look("uneven-sources", noted)
    assert found.detail.startswith("'bad.jsonl' has findings in 30/60 = 50%")


def test_sources_alike_few_or_alone_are_no_finding(row, look) -> None:
    alike = [row(f"why {n}", problems=n % 2, source=f"{n % 3}.jsonl") for n in range(300)]
    few = [row(f"why {n}", problems=1, source="few.jsonl") for n in range(10)]
    assert look("uneven-sources", [*alike, *few]) == []
    assert look("uneven-sources", [row(f"why {n}", problems=1) for n in range(100)]) == []


def test_no_check_stumbles_over_nothing(row, look) -> None:
    odd = [row(), row("", "x"), row("x"), row("x", sides=("", "")), row("x", sides=("", "a"), verdict="both_bad")]
    for check in sets.CHECKS:
        assert look(check.check.name, []) == []
        look(check.check.name, odd)


def test_checks_have_names_of_their_own_and_say_what_they_mean() -> None:
    checks = [each.check for each in sets.CHECKS]
    assert len({check.name for check in checks}) == len(checks)
    assert all(check.title and check.why.endswith(".") for check in checks)
