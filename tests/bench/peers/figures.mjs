// Figures with intervals and statuses, by the same formulas as everywhere in this benchmark.
const Z = 1.959963984540054;
const ENOUGH = 20;

const low = (n) => (n <= 0 ? 0 : Math.max(0, n * (1 - 1 / (9 * n) - Z / (3 * Math.sqrt(n))) ** 3));
const high = (n) => (n + 1) * (1 - 1 / (9 * (n + 1)) + Z / (3 * Math.sqrt(n + 1))) ** 3;

function wilson(n, d, side) {
  if (d <= 0) return null;
  if (n === 0 && side < 0) return 0;
  if (n === d && side > 0) return 1;
  const share = n / d, wide = 1 + (Z * Z) / d;
  const middle = (share + (Z * Z) / (2 * d)) / wide;
  const reach = (Z / wide) * Math.sqrt((share * (1 - share)) / d + (Z * Z) / (4 * d * d));
  return Math.max(0, Math.min(1, middle + side * reach));
}

const whole = (settled) => (settled ? "OK" : "PARTIAL");

export const count = (n, settled) => (
  { value: n, numerator: n, denominator: null, sampleSize: n, low: low(n), high: high(n), status: whole(settled) });

export const level = (n, settled) => (
  { value: n, numerator: n, denominator: null, sampleSize: n, low: null, high: null, status: whole(settled) });

export const share = (n, d, settled) => ({
  value: d ? n / d : null, numerator: n, denominator: d, sampleSize: d, low: wilson(n, d, -1), high: wilson(n, d, 1),
  status: d === 0 ? "NO_DATA" : d < ENOUGH ? "INSUFFICIENT_SAMPLE" : whole(settled) });

/** Turn figures, one a bucket, into columns. */
export function columns(starts, figures, over) {
  const of = (name) => figures.map((figure) => figure[name]);
  return {
    starts, values: of("value"), numerators: of("numerator"), denominators: of("denominator"),
    lows: of("low"), highs: of("high"), statuses: of("status"), complete: over };
}
