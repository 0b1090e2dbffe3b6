import re

from libs.contracts.ids import FolderId, JobId, PlanId, key_hash, new_job_id, new_key, new_plan_id, work_item_id


def test_ids_are_new_each_time():
    for make in (new_job_id, new_key, new_plan_id):
        assert len({make() for _ in range(1000)}) == 1000


def test_a_key_has_192_random_bits_and_fits_an_address():
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", new_key())


def test_a_job_id_is_short_and_plain():
    assert re.fullmatch(r"j[0-9a-f]{24}", new_job_id())


def test_plan_ids_sort_by_the_time_they_were_made():
    made = [new_plan_id() for _ in range(2000)]
    assert [plan[:12] for plan in made] == sorted(plan[:12] for plan in made)
    assert {len(plan) for plan in made} == {28}


def test_a_hash_recognises_a_key_and_does_not_hold_it():
    key = new_key()
    assert key_hash(key) == key_hash(key)
    assert key_hash(key) != key_hash(new_key())
    assert key not in key_hash(key)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", key_hash(key))


def test_a_work_item_id_names_job_folder_and_plan():
    assert work_item_id(JobId("j1"), FolderId("2"), PlanId("p3")) == "j1/2/p3"
