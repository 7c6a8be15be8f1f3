/** One defense in a table. */
export interface PublishedRow {
  /** As this project names it: `tl-dmi + bido-hsic`. */
  readonly defense: string;
  /** Shares of one; natural accuracy is absent where it was not read. */
  readonly natural?: number;
  readonly attack: number;
}

/** Numbers of one source that may be compared with each other: one model, one data set, one attack. */
export interface PublishedTable {
  readonly source: string;
  readonly setting: string;
  /** The attack here that is the table's own; every attack where none is. */
  readonly under?: string;
  /** What a reader must know of how the numbers came here. */
  readonly note?: string;
  /** The undefended model first. */
  readonly rows: readonly PublishedRow[];
}

const row = (defense: string, natural: number | undefined, attack: number): PublishedRow => ({
  defense,
  ...(natural !== undefined && { natural: natural / 100 }),
  attack: attack / 100,
});

/** Figure 1 IV, at the point of each curve that lies nearest to 82 % natural accuracy. */
const figure1 = (under: string, rows: readonly PublishedRow[]): PublishedTable => ({
  source: "Ho et al., CVPR 2024, figure 1 IV",
  setting: `VGG16, CelebA 64×64, ${under.toUpperCase()}`,
  under,
  note: "read off the figure by eye, to a point or two, where each curve is nearest to 82 % natural accuracy",
  rows,
});

/** Of white-box attacks, what the defenses' papers and their rivals' print. Of MIDRE, Trap-MID and CALoR no table was read. */
export const publishedTables: readonly PublishedTable[] = [
  figure1("gmi", [
    row("none", 89, 30.2),
    row("mid", 78.7, 15.8),
    row("bido-coco", 81.5, 13.7),
    row("bido-hsic", 80.4, 6.9),
    row("tl-dmi", 83.4, 7.8),
    row("tl-dmi + bido-hsic", 82.2, 3.7),
  ]),
  figure1("kedmi", [
    row("none", 89, 90.9),
    row("mid", 78.7, 70),
    row("bido-coco", 81.5, 63),
    row("bido-hsic", 80.4, 46.3),
    row("tl-dmi", 83.4, 51.8),
    row("tl-dmi + bido-hsic", 82.2, 19),
  ]),
  {
    source: "Peng et al., NeurIPS 2025 (AlignMI), table 8",
    setting: "ResNet-152, FaceScrub 224×224, PPA",
    rows: [
      row("none", undefined, 57.89),
      row("tl-dmi", undefined, 25.14),
      row("bido-hsic", undefined, 35.11),
      row("label-smoothing", undefined, 8.4),
    ],
  },
  {
    source: "AT-AT, ICLR 2026",
    setting: "ResNet-152, FaceScrub 224×224, PPA",
    note: "of two TL-DMI targets the one that leaks more",
    rows: [row("none", undefined, 88.1), row("tl-dmi", undefined, 19), row("at-at", undefined, 6.5)],
  },
  {
    source: "Koh et al., ECCV 2024",
    setting: "ResNet-34, FaceScrub 224×224, PPA",
    note: "its BiDO is held against BiDO-HSIC",
    rows: [
      row("none", 94.69, 90.78),
      row("bido-hsic", 91.66, 81.98),
      row("rolss", 91.38, 71.86),
      row("ssf", 94.21, 79.79),
      row("tts", 94.4, 81.65),
    ],
  },
  {
    source: "Koh et al., ECCV 2024",
    setting: "ResNet-101, FaceScrub 224×224, PPA",
    note: "its BiDO is held against BiDO-HSIC",
    rows: [
      row("none", 94.86, 83),
      row("bido-hsic", 90.31, 67.07),
      row("rolss", 92.4, 58.68),
      row("ssf", 93.79, 71.06),
      row("tts", 94.16, 77.26),
    ],
  },
];
