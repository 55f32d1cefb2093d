from __future__ import annotations

from edge_asd.train.data.table1 import MACHINES, PRINTED_TOTALS, table1, totals


def test_the_rows_sum_to_what_reference_says_and_not_to_what_the_paper_prints():
    assert totals() == {"source_train": 30122, "source_test": 6244, "target_train": 90, "target_test": 6194}
    assert sum(row.clips for row in table1().values()) == sum(totals().values()) == 42650
    assert sum(PRINTED_TOTALS.values()) == 42668


def test_every_machine_has_six_sections():
    assert list(table1()) == [(machine, f"{i:02d}") for machine in MACHINES for i in range(6)]
    for (machine, section), row in table1().items():
        assert (row.machine, row.section) == (machine, section)


def test_evaluation_data_keep_their_labels_secret():
    for (_, section), row in table1().items():
        for counts in (row.source, row.target):
            secret = section >= "03"
            assert (counts.normal is None, counts.anomaly is None) == (secret, secret)
            assert counts.snr_spread_db == (1.5 if secret else 0.0)
            if counts.normal is not None and counts.anomaly is not None:
                assert counts.test == counts.normal + counts.anomaly
        assert row.target.train == 3


def test_rows_that_stand_out():
    gearbox, pump, slider = table1()["gearbox", "02"], table1()["pump", "01"], table1()["slider", "05"]
    assert (gearbox.source.train, gearbox.source.normal, gearbox.source.anomaly) == (1008, 108, 138)
    assert (gearbox.target.normal, gearbox.target.anomaly) == (105, 120)
    assert (pump.source.snr_db, pump.target.snr_db) == (-12, -18)
    assert (slider.source.test, slider.target.test) == (204, 203)
    differing = {key for key, row in table1().items() if row.source.snr_db != row.target.snr_db}
    assert differing == {("pump", "01"), ("valve", "00"), ("valve", "01"), ("valve", "02")}
