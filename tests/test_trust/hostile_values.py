"""What files made to attack their readers hold: headers, types, places, programs and data sets."""

import json

from tests.test_trust import hostile

#: lengths that a safetensors file may claim for its header
LENGTHS = (0, 1, 2**20, 2**31, 2**63 - 1, 2**64 - 1)
TENSOR = dict(dtype="F32", shape=[2], data_offsets=[0, 8])
HEADERS = {
    "overlapping": dict(a=TENSOR, b={**TENSOR, "data_offsets": [4, 12]}),
    "twice the same bytes": dict(a=TENSOR, b=TENSOR),
    "backwards": dict(a={**TENSOR, "data_offsets": [8, 0]}),
    "negative": dict(a={**TENSOR, "data_offsets": [-8, 0]}),
    "behind the end": dict(a={**TENSOR, "data_offsets": [0, 2**40], "shape": [2**38]}),
    "a hole": dict(a={**TENSOR, "data_offsets": [8, 16]}),
    "another size": dict(a={**TENSOR, "shape": [3]}),
    "overflowing": dict(a={**TENSOR, "shape": [2**62, 2**62]}),
    "negative shape": dict(a={**TENSOR, "shape": [-2, -1]}),
    "a type of nobody": dict(a={**TENSOR, "dtype": "PICKLE"}),
    "metadata of numbers": dict(__metadata__=dict(format=1, record=2)),
    "metadata of lists": dict(__metadata__=["record"]),
    "no tensors": dict(__metadata__=dict(format=hostile.FORMAT, record=json.dumps(hostile.record()))),
}
#: what may stand as ``type`` and is no component's name
TYPES = (
    *(
        "os.system",
        "os:system",
        "os/system",
        "builtins.eval",
        "subprocess.Popen",
        "torch.nn.Linear",
        "nt.system",
    ),
    *(
        "mmengine.Config",
        "mmengine::ConcatDataset",
        "mmcv.Compose",
        "mmcgan.os.system",
        "mmcgan..DCGANGenerator",
    ),
    *("DCGANGenerator.__init__", "__import__", "DCGANGenerator\u200b", " DCGANGenerator", "DСGANGenerator"),  # noqa: RUF001
    *(
        "",
        ".",
        "a" * 100_000,
        "\0",
        "file:///etc/passwd",
        "hf://user/name",
        "<class 'os.system'>",
        None,
        3,
        True,
    ),
    *([], ["os.system"], {}, {"type": "os.system"}, 1.5, [["DCGANGenerator"]]),
)
PLACES = (
    *(
        "/secret",
        "../secret",
        "~/secret",
        "$HOME/../secret",
        "${HOME}/secret",
        "%APPDATA%\\secret",
        "C:/secret",
    ),
    *(
        "\\\\server\\share",
        "file:///secret",
        "https://example.org/x",
        "hf://user/name",
        "s3://bucket/x",
        "a/../../b",
    ),
    *(
        "{{ fileDirname }}/../secret",
        "{{$HOME:}}/secret",
        "/proc/self/environ",
        "/dev/zero",
        "a\0b",
        "./../secret",
    ),
)
PROGRAMS = (
    "a = __import__('os').system('touch {flag}')",
    "a = (lambda: open('{flag}', 'w'))()",
    "a = [open('{flag}', 'w') for _ in (1,)]",
    "a = f\"{{open('{flag}', 'w')}}\"",
    "(a := open('{flag}', 'w'))",
    "class A:\n    a = open('{flag}', 'w')",
    "@print\ndef a(): pass",
    "from os import system",
    "exec('1')",
    "a = open.__self__.eval('1')",
    "model.update(a=1)",
    "a = b = {{**__builtins__}}",
    "a = dict(**dict(type='os.system'))",
    "with open('{flag}', 'w'): pass",
    "a = 10 ** 10 ** 10",
    "a = 'x' * 10 ** 12",
    "a = '{{{{ fileDirname }}}}'",
    "_base_ = ['{flag}.py']",
    "custom_imports = dict(imports='payload', allow_failed_imports=True)",
    "custom_imports = ['payload']",
)
DATASETS_OF_RECORDS = {
    "wrappers in wrappers": dict(
        type="ConcatDataset",
        datasets=[
            dict(type="RepeatDataset", times=2, dataset=dict(type="os.system", command="touch {flag}"))
        ],
    ),
    "ours in theirs": dict(type="RepeatDataset", times=1, dataset=hostile.digits()),
    "theirs in ours": dict(type="ClassSubset", keep=[0], dataset=dict(type="ConcatDataset", datasets=[])),
    "transforms in transforms": hostile.digits(
        dict(
            type="Compose",
            transforms=[
                dict(
                    type="RandomApply", prob=1.0, transforms=[dict(type="os.system", command="touch {flag}")]
                )
            ],
        )
    ),
    "a transform that reads": hostile.digits(
        dict(type="LoadImageFromFile", backend_args=dict(backend="petrel"))
    ),
}
