// The privacy that noise buys: Rényi differential privacy of the Gaussian mechanism on Poisson samples (Mironov, Talwar & Zhang 2019),
// composed over steps and converted to (ε, δ).

/** Training steps that each see a Poisson sample and add Gaussian noise to a sum of clipped contributions. */
export interface SampledGaussian {
  /** Standard deviation of the noise in units of the largest contribution: σ. */
  readonly noiseMultiplier: number;
  /** The probability q with which each example takes part in a step. */
  readonly sampleRate: number;
  readonly steps: number;
}

/** An (ε, δ) guarantee, and the order of the Rényi divergence that gives it. */
export interface PrivacySpent {
  readonly epsilon: number;
  readonly delta: number;
  readonly order: number;
}

/** The orders that Opacus tries, and some beyond for loud noise. */
const ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => 1 + (i + 1) / 10),
  ...Array.from({ length: 52 }, (_, i) => 12 + i),
  64,
  128,
  256,
  512,
];

/** The most points at which a moment is integrated; where the noise is so low that more were needed, there is no privacy to speak of. */
const MOST_POINTS = 1e6;

/**
 * The Rényi differential privacy of order α > 1 of all steps together: steps · ln A_α / (α − 1), where
 * A_α = E_{z ~ N(0, σ²)} [((1 − q) + q · exp((2z − 1) / 2σ²))^α] (Mironov et al. 2019, section 3.3). Infinite for a broken order and
 * noise too low to be integrated.
 */
export function renyiPrivacy({ noiseMultiplier: sigma, sampleRate: q, steps }: SampledGaussian, order: number): number {
  if (q === 0) return 0;
  if (q === 1) return (steps * order) / (2 * sigma * sigma);
  const logA = Number.isInteger(order) ? wholeMoment(q, sigma, order) : brokenMoment(q, sigma, order);
  return (steps * Math.max(0, logA)) / (order - 1);
}

/** ln A_α of a whole order: ln Σ_k C(α, k) (1 − q)^(α − k) q^k exp((k² − k) / 2σ²). */
function wholeMoment(q: number, sigma: number, order: number): number {
  let logChoose = 0;
  let total = Number.NEGATIVE_INFINITY;
  for (let k = 0; k <= order; k++) {
    if (k > 0) logChoose += Math.log((order - k + 1) / k);
    const weight = logChoose + (order - k) * Math.log1p(-q) + k * Math.log(q);
    total = logAddExp(total, weight + (k * k - k) / (2 * sigma * sigma));
  }
  return total;
}

/** ln A_α of any order, by the trapezoid rule, which converges exponentially here. */
function brokenMoment(q: number, sigma: number, order: number): number {
  // The integrand's mass lies around 0 and around α; its poles lie πσ² off the real line.
  const h = Math.min(sigma / 16, (sigma * sigma) / 2);
  const [from, to] = [-12 * sigma, order + 12 * sigma];
  const count = Math.ceil((to - from) / h);
  if (count > MOST_POINTS) return Number.POSITIVE_INFINITY;
  const scale = Math.log(h / (sigma * Math.sqrt(2 * Math.PI)));
  const terms = Float64Array.from({ length: count + 1 }, (_, i) => {
    const z = from + i * h;
    const ratio = logAddExp(Math.log1p(-q), Math.log(q) + (2 * z - 1) / (2 * sigma * sigma));
    return scale - (z * z) / (2 * sigma * sigma) + order * ratio;
  });
  const top = terms.reduce((a, b) => Math.max(a, b));
  return top + Math.log(terms.reduce((sum, t) => sum + Math.exp(t - top), 0));
}

/**
 * The smallest ε for a δ over the orders, by ε = RDP(α) + ln((α − 1) / α) − (ln δ + ln α) / (α − 1) (Canonne, Kamath & Steinke 2020,
 * proposition 12; Balle et al. 2020).
 */
export function privacySpent(mechanism: SampledGaussian, delta: number, orders = ORDERS): PrivacySpent {
  const found = orders.map((order) => {
    const bound = renyiPrivacy(mechanism, order) + Math.log1p(-1 / order);
    return { epsilon: Math.max(0, bound - (Math.log(delta) + Math.log(order)) / (order - 1)), delta, order };
  });
  return found.reduce((best, next) => (next.epsilon < best.epsilon ? next : best));
}

function logAddExp(a: number, b: number): number {
  const top = Math.max(a, b);
  if (top === Number.NEGATIVE_INFINITY) return top;
  return top + Math.log1p(Math.exp(Math.min(a, b) - top));
}
