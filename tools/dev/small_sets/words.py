"""What ``docs/choosing.md`` says in words, between the tables."""

#: what :attr:`mmcgan.proposal.figures.Run.recipe` means
RECIPES = {1: "at the schedules' rates", 2: "as `mmcgan new` does"}
#: what somebody saw who looked at the samples of a set, after so many images that all its trainings saw: of
#: others it says nothing (budgets are round: other trainings add up to the same)
SEEN: dict[str, tuple[int, str]] = {
    "fashion-1": (
        680384,
        """By eye BigGAN's are garments that differ within a class and a kind, over a weave of lines where
classes are learnt, and least clear without conditions; sandals and some bags dissolve (without
mode seeking the omni-loss made one, cleaner image of each class, FID 7.6, recall 0.000, and
instances were nearer to each other, 15.1, 0.035). FastGAN's have gray outlines of shirts and
shoes without conditions, with projection and with D2D-CE, torn ones with instances; with the
omni-loss they are harshly striped, inverted or in one colour. R3GAN's are soft gray patches,
StyleGAN2's one blob. **What is first after 90 s need not stay so:** in earlier trainings at a rate
of 1e-3 FastGAN with projection led then (14.7; BigGAN 20.6) and was black and white noise after
six minutes (34.0; BigGAN 7.1).""",
    ),
    "emoji": (
        271808,
        """By eye nothing of this shows an emoji yet, whatever its precision. BigGAN has the white ground
and the colours; where classes are learnt flags, blue signs and yellow faces as patches, several
of each (without mode seeking one figure of each class with the omni-loss, FID 11.1). FastGAN
draws clean outlines with instances and saturated patterns with classes, StyleGAN2 soft rings or
noise, R3GAN blobs. Of the same pictures at 32 pixels a StyleGAN2 makes faces, flags and people
[after some 300,000](results/emoji.md).""",
    ),
    "fashion-10": (
        693824,
        """By eye BigGAN's are garments in every row, shirts, trousers and shoes of several shapes, some
shirts a weave of lines (without mode seeking the omni-loss made one image of each class, FID 8.2,
and instances had 11.5). FastGAN's are outlines with halos, of shirts and shoes with instances, and
black and white with the omni-loss. R3GAN's are gray patches, StyleGAN2's one blob.""",
    ),
    "fashion-100": (
        694336,
        """By eye BigGAN's are garments in every row, shirts, trousers and shoes of several shapes;
sandals and some bags dissolve, without conditions more than these. FastGAN's are the most
detailed with instances, outlined shirts and shoes, outlines too without conditions, and torn or
black and white where classes are learnt. R3GAN's are gray outlines without edges, StyleGAN2's
one blob.""",
    ),
}

INTRODUCTION = """# Which one for my 500, 5,000 or 50,000 images?

*Written by `tools/dev/choosing.py` from measured results (`mmcgan/proposal/small_sets.json`); `mmcgan new`
proposes by the same: of the set whose number of images is the nearest (at most 4 times as many, or as few;
of those that were trained as it trains, if there are any), under the conditioning that it proposes, the
family with the lowest FID in the same CPU time whose samples have shapes. Change neither by hand.*

**In short**, after a few minutes of one CPU core (details and samples below):

{short}
Four families of networks, each without conditions, with classes (projection, omni-loss, D2D-CE) and with
instances, on four small sets. {done} of {every} settings have been trained so far, on one thread each. Only
those that were trained alike are compared:
"""
TRUST = """
**How far this can be trusted.** The budget is tiny: at its end no family has converged, one seed does not
separate figures that lie near each other, and who learns fastest in the first minutes need not be who ends
best. Look at the samples before the figures: where they are blobs still, a lower FID says that the blobs
are nearer, not that anything was learnt. The networks are small, and each family has the settings of its
laptop configs, not tuned for these sets, but for two things. BigGAN's that are trained as `mmcgan new` trains
have mode seeking, whose weight was chosen on digits and looked at on 600 garments (without conditions, 180 s:
FID 23.7 and recall 0.001 without it, 16.0 and 0.138 with it); with the others it was not tried. FastGAN's
projected discriminator looks at windows of its maps and, with the omni-loss, learns an eighth as fast as the
generator: both were chosen on 600 garments and on emoji, where it made noise else. R3GAN and StyleGAN2 had
no such care. A family that computes less for each image sees more of them in the same time: that is why there
are two comparisons. R3GAN reads two batches for every update, its discriminator's and its generator's own, so
that after the same number of images read it has been updated half as often. Small FIDs are better;
**bold** is the first of those that were compared; *no shapes yet* stands beside a precision below 0.1, which
no FID makes good, and *no variety yet* beside a recall below 0.01: hardly more than one image of a class.
"""
NOT_RUN_AT_ALL = "\nNothing has been trained yet.\n"
HOW = """## How it is measured

`benchmarks/small_sets.py` puts the configs together and keeps them, counts CPU time of the training's own
process (evaluations do not count), and reads each training off at 5,000, 10,000, 20,000 ... images and at
22.5, 45, 90 ... seconds. FID and KID compare with all training images of Fashion-MNIST, or of emoji;
precision and recall (k = 3) with as many real images as samples. *Nearer to training* is the share of
samples whose nearest training image is nearer than their nearest held-out one, among equally many of both:
50 % where nothing is copied (samples that look like nothing real may lean to one side too: read it beside
the precision). Projected discriminators and instances look through EfficientNet-Lite0
(ImageNet), at 64 px; the judges are classifiers of Fashion-MNIST and of the emoji's categories, which no
discriminator looks through. Both have seen the held-out images of 1 %, 10 % and emoji as they have seen
the training images; only those of the whole Fashion-MNIST, its test images, are new to them. The judge of
emoji is trained anew by every machine: figures of emoji of two lines of the first table are of two judges.
All are augmented, those of the whole Fashion-MNIST too, where `mmcgan new` leaves that out. R3GAN's with the
omni-loss and with instances had schedules twice as long as `mmcgan new` writes today.

    python tools/fetch_emoji.py FOLDER
    python benchmarks/small_sets.py --state work_dirs/small_sets --emoji FOLDER --minutes 15
    python tools/dev/choosing.py --collect work_dirs/small_sets

goes on with what is there, with a larger budget where one is given, and writes this page anew. See
[small sets of one's own](projected.md) for the parts, and [your own images](your_images.md) for
`mmcgan new`.
"""
