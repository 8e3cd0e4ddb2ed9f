import pytest
import torch

from mmcgan.augments import AdaptiveProbability
from mmcgan.distributed import average_buffers

FAST = dict(kimg=0.1, interval=2)


def watch(adapt, real, fake=None, times=2):
    for _ in range(times):
        adapt.observe({adapt.logit: real}, {adapt.logit: real if fake is None else fake})
    return float(adapt.p)


def test_p_rises_while_the_discriminator_is_too_sure_and_falls_otherwise():
    adapt = AdaptiveProbability(0.5, **FAST)
    sure, unsure = torch.ones(10), torch.tensor([1.0, -1.0] * 5)
    assert watch(adapt, sure) == pytest.approx(0.7)
    assert float(adapt.overfitting) == 1
    assert watch(adapt, unsure) == pytest.approx(0.5)
    assert float(adapt.overfitting) == 0


def test_p_stays_in_its_range():
    adapt = AdaptiveProbability(0.0, **FAST)
    assert watch(adapt, -torch.ones(10)) == 0
    assert watch(adapt, torch.ones(10), times=40) == 1


def test_p_keeps_still_at_the_target():
    adapt = AdaptiveProbability(0.5, target=0.0, **FAST)
    assert watch(adapt, torch.tensor([2.0, -3.0])) == 0.5
    assert watch(adapt, torch.zeros(4)) == 0.5


def test_it_takes_kimg_thousand_images_from_0_to_1_whatever_the_interval():
    for interval in (1, 4, 10):
        adapt = AdaptiveProbability(kimg=0.4, interval=interval)
        assert watch(adapt, torch.ones(10), times=20) == pytest.approx(0.5)


def test_nothing_moves_within_an_interval():
    adapt = AdaptiveProbability(0.5, interval=4)
    assert watch(adapt, torch.ones(10), times=3) == 0.5
    assert watch(adapt, torch.ones(10), times=1) > 0.5


def test_an_omni_score_is_read_as_real_minus_fake():
    adapt = AdaptiveProbability(0.5, logit="omni.score", reading="real_minus_fake", **FAST)
    # columns: three classes, "real", "fake"; the fake image is far from it although all are positive
    score = torch.tensor([[9.0, 0, 0, 1, 2]]).repeat(10, 1)
    assert watch(adapt, score) == pytest.approx(0.3)
    assert float(adapt.overfitting) == -1


def test_class_logits_are_read_as_the_best_class_minus_fake():
    adapt = AdaptiveProbability(0.5, reading="best_class_minus_fake", **FAST)
    watch(adapt, torch.tensor([[-3.0, -1.0, -2.0], [0.0, 0.0, 1.0]]))
    assert float(adapt.overfitting) == 0


def test_against_fake_counts_the_pairs_in_the_right_order():
    adapt = AdaptiveProbability(0.5, against="fake", **FAST)
    real = torch.tensor([5.0, 6, 7, 8])
    watch(adapt, real, torch.tensor([4.0, 5, 6, 9]))
    assert float(adapt.overfitting) == 0.5


def test_patches_count_as_parts_of_their_image():
    adapt = AdaptiveProbability(0.5, **FAST)
    watch(adapt, torch.cat([torch.ones(5, 1, 3, 3), -torch.ones(5, 1, 3, 3)]))
    assert float(adapt.overfitting) == 0
    assert float(adapt.p) == pytest.approx(0.3)


def test_statistics_of_half_an_interval_survive_a_checkpoint():
    first = AdaptiveProbability(0.5, **FAST)
    watch(first, torch.tensor([1.0, -1.0, 1.0]), times=1)
    second = AdaptiveProbability(0.0, **FAST)
    second.load_state_dict(first.state_dict())
    for adapt in (first, second):
        watch(adapt, torch.ones(5), times=1)
    assert second.p.equal(first.p)
    assert float(second.overfitting) == pytest.approx(0.75)


def test_watching_leaves_no_gradient():
    adapt = AdaptiveProbability(0.5, interval=1)
    watch(adapt, torch.ones(3, requires_grad=True), times=1)
    assert not adapt.p.requires_grad


def _one_rank(rank, folder):
    torch.distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    adapt = AdaptiveProbability(0.5, target=0.4, **FAST)
    # the ranks disagree: 1 and 0 make 0.5, which is above the target
    watch(adapt, torch.ones(10) if rank == 0 else torch.zeros(10), times=1)
    average_buffers(adapt)
    watch(adapt, torch.ones(10) if rank == 0 else torch.zeros(10), times=1)
    torch.save(torch.stack([adapt.p, adapt.overfitting]), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_all_ranks_move_p_alike_by_the_images_of_all(tmp_path):
    context = torch.multiprocessing.get_context("fork")
    ranks = [context.Process(target=_one_rank, args=(rank, tmp_path)) for rank in range(2)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(60)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert first.equal(second)
    assert first.tolist() == pytest.approx([0.5 + 40 / 100, 0.5])
