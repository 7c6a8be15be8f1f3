import { type Html, html } from "../escape.ts";

/** What each number means and where it misleads. */
export function readingSection(hasAttributes: boolean): Html {
  return html`<dl class="terms">
<dt>natural accuracy</dt><dd>Share of private test images that the target model classifies rightly. Higher is more useful.</dd>
<dt>attack accuracy, top-1 and top-5</dt><dd>Share of reconstructions for which an <em>evaluation model</em>, trained on the same identities with another architecture, names the attacked identity first, or among its first five. Lower is more private. Known caveat: one evaluation model can be fooled by images that only another model takes for the identity, so this number overstates what a person would recognise. Look at the images, and read it beside the others.</dd>
<dt>KNN distance</dt><dd>Squared Euclidean distance from a reconstruction to the nearest private training image of the attacked identity, in the evaluation model's features, averaged. Higher is more private. It has no natural scale: compare it within this study only.</dd>
<dt>floors</dt><dd>The attack accuracy of images made without attacking: random samples of the prior, and for initial selection the best of many random samples as the target scores them. What lies within a floor's interval is no success of optimisation. An attack without a prior has images of independent uniform pixels in their place.</dd>
<dt>queries</dt><dd>Images that the attack sent through the target, and how many of them came back as gradients. What a prior and surrogates asked for labels is in it; training them with the target's weights is not.</dd>
<dt>time, peak memory</dt><dd>Wall time of the attack and of what was learnt of the target for it, and the most memory that the process held meanwhile.</dd>
<dt>|θ<sub>C</sub>|, |θ<sub>E</sub>|, boundary</dt><dd>Parameters that private data have trained, parameters kept as they came from pre-training, and the last stage that is kept. The idea of the defense: what private images never touch cannot leak them.</dd>
${
  hasAttributes
    ? html`<dt>attribute recovery</dt><dd>What a regressor, trained on other people, reads from reconstructions, against the truth. It needs no evaluation model, so it checks the attack accuracy by another way.</dd>`
    : ""
}
<dt>intervals</dt><dd>All are 95&nbsp;% intervals. “Lower” and “higher” are said where that of the difference leaves out zero, taken person by person wherever two targets have the same people and seeds; “intervals apart” means that two do not overlap, which is stricter than a test at 5&nbsp;%; “no difference shown” means just that, not that there is none.</dd>
<dt>synthetic faces</dt><dd>Drawn identities are simpler than photographs. They can show how defenses compare on these images, never the numbers that real faces would give.</dd>
</dl>`;
}
