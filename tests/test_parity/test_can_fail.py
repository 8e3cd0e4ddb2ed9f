"""A checker that cannot fail proves nothing: each family must notice a small change."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.parity import check_file, load_case
from tests.parity.kinds import kind_of
from tests.parity.runner import CHECKERS, load_checkers
from tests.test_parity.golden_sets import ALL_STEMS, COMMITTED, case_stem, full_set


def changed_copy(folder, case, change, spec_change=None):
    """Copy a committed case under another name with changed tensors or settings."""
    stem = folder / "a.case.of.any.name"
    source = case_stem(case)
    tensors = load_file(source.with_name(f"{source.name}.safetensors"))
    change(tensors)
    save_file(tensors, stem.with_name(stem.name + ".safetensors"))
    spec = json.loads(source.with_name(f"{source.name}.json").read_text())
    if spec_change:
        spec_change(spec)
    stem.with_name(stem.name + ".json").write_text(json.dumps(spec))
    return stem


def scale(key, factor=1.01):
    def change(tensors):
        tensors[key] = tensors[key] * factor

    return change


PERTURBED = {
    "biggan_pytorch/D_cifar32": "state/blocks.1.0.conv2.weight",
    "biggan_pytorch/G_mybn32": "after/output_layer.0.bn.stored_var",
    "biggan_pytorch/ema": "out/target_3/u0",
    "biggan_pytorch/frechet": "in/feats_b",
    "biggan_pytorch/inception_score": "out/mean_std_splits5",
    "biggan_pytorch/losses": "out/hinge_dis_grad_real",
    "biggan_pytorch/ortho": "out/modified/p0",
    "biggan_pytorch/spectral_norm": "out/conv/grad_weight_call4",
    "biggan_pytorch/standing_stats": "after/blocks.1.0.bn1.bn.stored_var",
    "biggan_pytorch/train_step_hier": "state_G/shared.weight",
    "ic_gan/cond_sampling": "out/p_label_uniform_instances",
    "ic_gan/dataset_items": "out/item3_neighbour_indices_seen",
    "ic_gan/longtail": "out/example_weights_temperature_2",
    "ic_gan/train_step_icgan_DA": "out/G_loss",
    "omnigan/d_32": "out/grad_norms",
    "omnigan/g_32_noshared": "out/grad_input",
    "omnigan/loss_c10": "out/one_side/g/per_sample",
    "omnigan/loss_dense_map": "out/grad",
    "omnigan/loss_paper_numbers": "out/two_negatives",
    "studiogan/aug_ada": "out/geom_pct0.8",
    "studiogan/aug_cr_apa": "out/x",
    "studiogan/aug_diffaug": "out/color_translation_cutout/grad_x",
    "studiogan/d_big_resnet_32_ac_norm": "out/train/cls_output",
    "studiogan/d_resnet_32_wo_bn": "state/blocks.2.0.bn1.running_mean",
    "studiogan/ema": "out/ema_stylegan2/4/1.running_var",
    "studiogan/g_deep_conv_full": "out/eval/image",
    "studiogan/loss_2c_d2dce_unnorm": "out/mixed/d2dce_t0.25_mp0.98/grad_proxy",
    "studiogan/loss_adversarial": "out/g_ls",
    "studiogan/loss_class_and_misc": "in/mh_output",
    "studiogan/loss_lecam": "out/grad_real",
    "studiogan/topk": "out/g_hinge_topk",
    "studiogan/lo_latent_optimise": "out/train/transport_cost",
    "studiogan/reg_path_length": "out/grad_W",
    "studiogan/langevin": "out/z",
    "studiogan/metric_inception_score": "out/is_splits10",
    "studiogan/metric_preprocess": "out/friendly_lanczos",
    "studiogan/standing_statistics_big_resnet_sn": "in/z_all",
    "studiogan/step_biggan_pd_hinge": "in/z",
    "projected_gan/blur_sigma2": "out/blurred/1",
    "projected_gan/se_block": "out/eval",
    "projected_gan/diffaug": "out/color",
    "projected_gan/g_lite_128": "out/grad_norms",
    "projected_gan/iterations_lite_uncond": "in/D/0/0/draw/00",
    "projected_gan/loss_hinge": "out/D_loss",
    "projected_gan/multi_cond": "out/eval",
    "projected_gan/pd_interp_cond": "out/grad_input/x",
    "projected_gan/projector_none": "out/feature/1",
    "projected_gan/projector_construct": "out/after/pretrained.layer0.1.running_var",
    "projected_gan/single_16": "out/eval",
    "projected_gan/step_cond": "out/D_loss",
    "ic_gan/prdc": "out/radii_real",
    "ic_gan/stratified_fid": "in/ref_low_mu",
    "mmagic/metrics": "out/swd_desc_a",
    "studiogan/metric_fid_prdc": "out/prdc_k5",
    "mmagic/biggan_d32_torchsn": "out/eval_after_train",
    "mmagic/ema": "out/rampup/step2/module.fc.weight",
    "mmagic/sn_layers_svs2": "out/emb/buffers1/sv1",
    "mmagic/sngan_g32_chainerinit": "state/conv_blocks.0.norm_1.weight_embedding.weight",
    # the rest is in the full set only
    "dgp/d_features_32": "out/feature_fake_2",
    "dgp/degradations_32": "out/SR_grad",
    "dgp/downsampler": "out/f2_lanczos2_phase0.5_24x40",
    "dgp/g_use_in_32": "out/grad_z2_in",
    "dgp/lr_schedules": "out/examples_run_colorization_lr_z",
    "dgp/metrics_48": "out/SR_psnr",
    "dgp/morphing": "out/images",
    "dgp/percept_loss": "out/grad_fake",
    "dgp/run_reconstruct": "out/loss_feature",
    "dgp/select_z_label": "out/losses",
    "hfbiggan/g64_nstats11_attn4": "out/block0_trunc_0.35",
    "hfbiggan/sampler_utils": "out/noise_seed0_trunc0.4",
    "ic_gan/D_icgan32_instancesz24": "state/linear_feat.weight",
    "ic_gan/diffaugment": "out/grad/x",
    "ic_gan/knn": "out/sample_nns_radius",
    "ic_gan/sg2_loss_instance": "out/Dboth/Loss/r1_penalty",
    "mmagic/biggan_trainstep32": "in/iter1_draw2_noise",
    "mmagic/losses": "out/GANLoss/hinge/grad_fake",
    "omni_inr/coords": "out/coord_3x5",
    "omni_inr/d_32": "out/grad_input_48x40",
    "omni_inr/train_step": "out/D_real_0",
    "omnigan/optimizer_adams": "out/adam_l2/2/p1",
    "studiogan/reg_gradient_penalties_sn_pd": "out/dra",
    "studiogan/sampling": "out/truncnorm_1.0",
    "studiogan/sefa_resnet": "out/eigen_vectors",
    # SPADE's cases are in the full set only: their licence does not allow to pass them on
    "r3gan/augment_p055": "in/draw/14",
    "r3gan/basis_g": "out/output",
    "r3gan/g_16_cond_1331": "state/MainLayers.1.Layers.1.NonLinearity2.Bias",
    "r3gan/init_d_32_cond": "out/expected_std",
    "r3gan/iterations_cifar10_uncond_mid": "in/noise_G",
    "r3gan/resample_asym_134": "out/InterpolativeDownsampler/x_odd",
    "r3gan/schedule_cifar10": "out/beta2_scheduler",
    "r3gan/train_d_16_uncond": "out/r2_penalty",
    "r3gan/train_g_32_cond": "state/D/EmbeddingLayer.weight",
    "spade/block_learned_spectral_syncbatch": "state/norm_s.mlp_gamma.weight",
    "spade/data_cityscapes_fixed": "out/image/1",
    "spade/D_2scale_3layer_dontcare": "out/eval/1/2",
    "spade/E_64x128": "out/train/1",
    "spade/G_normal_32x64": "after/head_0.conv_0.weight_u",
    "spade/layer_batch3x3": "out/grad_input/seg",
    "spade/loss_featmatch_kld": "out/grad_logvar",
    "spade/loss_gan_2scale": "out/ls/D_real_grad/1",
    "spade/loss_vgg_formula": "out/l1/3",
    "spade/preprocess_dontcare_instance": "out/semantics",
    "spade/trainstep_hinge": "out/loss/1/GAN_Feat",
}


def check_disturbed(stem):
    """Check a case with fewer moves of its inputs than usual: each finds excuses only, and costs a run."""
    return check_file(stem, probes=2)


#: whole steps and networks' initial values, of which each takes 5 to 20 s
LONG = {
    *("biggan_pytorch/train_step_hier", "hfbiggan/g64_nstats11_attn4", "r3gan/init_d_32_cond"),
    *(
        "projected_gan/iterations_lite_uncond",
        "projected_gan/step_cond",
        "r3gan/iterations_cifar10_uncond_mid",
    ),
    *("spade/loss_vgg_formula", "spade/trainstep_hinge"),
}
DISTURBED = [
    # every third of the others in each run, all in .ci/run
    pytest.param(case, key, marks=pytest.mark.broad if i % 3 or case in LONG else (), id=f"{case}-{key}")
    for i, (case, key) in enumerate(PERTURBED.items())
]


@pytest.mark.parametrize(("case", "key"), DISTURBED)
def test_a_change_of_one_percent_fails(tmp_path, case, key):
    record = check_disturbed(changed_copy(tmp_path, case, scale(key)))
    assert record.status == "fail"
    assert "differ" in record.reason


def test_every_kind_is_disturbed():
    load_checkers()
    cases = [load_case(stem) for stem in ALL_STEMS]
    there = {(case.peer, kind_of(case)) for case in cases} & CHECKERS.keys()
    disturbed = {(case.peer, kind_of(case)) for case in map(load_case, map(case_stem, disturbable()))}
    assert there - disturbed == set()


def test_another_choice_of_k_means_fails(tmp_path):
    """Its features are those of another case beside it."""
    for suffix in (".json", ".safetensors"):
        source = case_stem("ic_gan/knn")
        shutil.copy(source.with_name(source.name + suffix), tmp_path / f"features{suffix}")
    for change, status in ((lambda tensors: None, "pass"), (scale("out/center_examples"), "fail")):
        assert check_disturbed(changed_copy(tmp_path, "ic_gan/kmeans", change)).status == status


def disturbable():
    """Return the disturbed cases that are there: without the full set, the committed ones."""
    names = [*PERTURBED, "ic_gan/kmeans"]
    return [name for name in names if full_set() or (COMMITTED / f"{name}.json").exists()]


def test_one_perturbed_weight_fails(tmp_path):
    def change(tensors):
        tensors["state/blocks.2.0.conv1.weight"][3, 1, 0, 2] += 0.05

    record = check_disturbed(changed_copy(tmp_path, "biggan_pytorch/D_cifar32", change))
    assert record.status == "fail"


def test_the_name_of_a_file_does_not_matter(tmp_path):
    record = check_disturbed(changed_copy(tmp_path, "mmagic/sn_layers_svs2", lambda tensors: None))
    assert (record.status, record.peer, record.kind) == ("pass", "mmagic", "spectral_norm")


def test_settings_are_read_from_the_description(tmp_path):
    def change(spec):
        spec["settings"]["margin"] = 0.5

    record = check_disturbed(changed_copy(tmp_path, "omnigan/loss_c10_margin_gamma", lambda t: None, change))
    assert record.status == "fail"


def test_an_unknown_setting_is_unsupported_and_named(tmp_path):
    def change(spec):
        spec["constructor_kwargs"]["G_sharpening"] = 3

    record = check_disturbed(changed_copy(tmp_path, "biggan_pytorch/G_mybn32", lambda t: None, change))
    assert record.status == "unsupported"
    assert "G_sharpening" in record.reason


def test_an_unknown_kind_is_unsupported(tmp_path):
    def change(spec):
        spec["kind"] = "loss/of_tomorrow"

    record = check_disturbed(changed_copy(tmp_path, "omnigan/loss_c10", lambda t: None, change))
    assert record.status == "unsupported"
    assert "loss/of_tomorrow" in record.reason


def test_an_output_nobody_compares_is_unsupported(tmp_path):
    def change(tensors):
        tensors["out/dream"] = torch.zeros(1)

    record = check_disturbed(changed_copy(tmp_path, "biggan_pytorch/D_cifar32", change))
    assert record.status == "unsupported"
    assert "out/dream" in record.reason


def test_a_missing_part_does_not_hide_a_disagreement(tmp_path):
    def change(tensors):
        tensors["out/dream"] = torch.zeros(1)
        tensors["out/eval"] += 0.1

    record = check_disturbed(changed_copy(tmp_path, "biggan_pytorch/D_cifar32", change))
    assert record.status == "fail"
    assert "out/eval" in record.reason


@pytest.mark.parametrize(
    ("name", "absent"),
    [("omnigan/loss_c10", "out/p_and_n/d_real"), ("omnigan/d_32", "state/linear.weight")],
    ids=["a result", "weights"],
)
def test_what_is_missing_fails_and_is_named(tmp_path, name, absent):
    record = check_disturbed(changed_copy(tmp_path, name, lambda tensors: tensors.pop(absent)))
    assert record.status == "fail"
    assert absent.removeprefix("state/") in record.reason


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\x10\x00\x00\x00\x00\x00\x00\x00{}"])
def test_a_corrupt_file_fails_with_its_name(tmp_path, content):
    shutil.copy(COMMITTED / "biggan_pytorch" / "D_cifar32.json", tmp_path / "case.json")
    (tmp_path / "case.safetensors").write_bytes(content)
    record = check_file(tmp_path / "case")
    assert record.status == "fail"
    assert "case.safetensors" in record.reason


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"peer": 3}'])
def test_a_strange_description_does_not_crash(tmp_path, text):
    shutil.copy(COMMITTED / "omnigan" / "loss_c10.safetensors", tmp_path / "case.safetensors")
    (tmp_path / "case.json").write_text(text)
    assert check_file(tmp_path / "case").status in ("fail", "unsupported")


def test_half_a_case_fails(tmp_path):
    shutil.copy(COMMITTED / "omnigan" / "loss_c10.safetensors", tmp_path / "case.safetensors")
    record = check_file(tmp_path / "case")
    assert record.status == "fail"
    assert "case.json is missing" in record.reason


def test_the_state_after_a_step_is_judged_tensor_by_tensor(tmp_path):
    """A hundredth of one table is far less than a thirtieth of all entries together."""
    stem = changed_copy(tmp_path, "omni_inr/train_step", scale("out/G_after/shared.weight", 1.05))
    record = check_file(stem, probes=1)
    assert record.status == "fail"
    assert "shared.weight" in record.reason
