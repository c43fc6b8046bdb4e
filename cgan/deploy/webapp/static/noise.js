// Noise: the numbers of a seed, and paths between two points. A point is a Float64Array.

/**
 * Returns a function that gives whole numbers from 0 to 2^32 - 1, the same ones for the same seed
 * and place. It is sfc32 (Doty-Humphrey, PractRand): 128 bits that are mixed with additions,
 * shifts and a counter. The seed and the place are two of its words; sixteen rounds spread them.
 */
export function stream(seed, place) {
  let a = seed | 0, b = place | 0, c = 0x9e3779b9 | 0, counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 16; round += 1) next();
  return next;
}

/**
 * Returns the noise of a digit: `size` numbers of the distribution that the generator was trained on.
 *
 * Normal numbers are made in pairs by the Box-Muller transform: the radius is at most the root of
 * 2 ln 2^32, 6.7. `cgan sample` draws other numbers with the same seed.
 *
 * @param seed whole number from 0 to 2^32 - 1
 * @param place of the digit in the number, from 0: each has its own noise
 * @param kind "normal", or "uniform" in (-1, 1)
 */
export function noise(seed, place, size, kind) {
  const next = stream(seed, place);
  const numbers = new Float64Array(size);
  if (kind === "uniform") return numbers.map(() => (2 * (next() + 0.5)) / 2 ** 32 - 1);
  for (let i = 0; i < size; i += 2) {
    const radius = Math.sqrt(-2 * Math.log((next() + 1) / 2 ** 32));
    const angle = (2 * Math.PI * next()) / 2 ** 32;
    numbers[i] = radius * Math.cos(angle);
    if (i + 1 < size) numbers[i + 1] = radius * Math.sin(angle);
  }
  return numbers;
}

/** Returns the spread (standard deviation) of a single number of the noise. */
export function spread(kind) {
  return kind === "uniform" ? Math.sqrt(1 / 3) : 1;
}

export function dot(one, other) {
  return one.reduce((sum, value, i) => sum + value * other[i], 0);
}

/** Returns one + share * other. */
export function plus(one, other, share = 1) {
  return one.map((value, i) => value + share * other[i]);
}

/**
 * Returns the sum of two points, or with sign -1 their difference, divided by the root of two. This
 * has the length of the points that the generator was trained on.
 */
export function together(one, other, sign = 1) {
  return plus(one, other, sign).map((value) => value / Math.SQRT2);
}

/**
 * Returns the point at `share` (0 to 1) of the spherical interpolation between two points: the
 * direction turns at a constant rate, the length changes linearly.
 */
export function between(one, other, share) {
  const lengths = [one, other].map((point) => Math.sqrt(dot(point, point)) || 1);
  const [first, second] = [one, other].map((point, i) => point.map((value) => value / lengths[i]));
  const angle = Math.acos(Math.min(1, Math.max(-1, dot(first, second))));
  const length = lengths[0] + share * (lengths[1] - lengths[0]);
  const bottom = Math.sin(angle);
  if (bottom < 1e-9) return one.map((value, i) => value + share * (other[i] - value));
  const shares = [Math.sin((1 - share) * angle) / bottom, Math.sin(share * angle) / bottom];
  return first.map((value, i) => length * (shares[0] * value + shares[1] * second[i]));
}

/**
 * Returns `point` with other coordinates along the directions.
 *
 * @param directions orthogonal points of length one
 * @param values one for each direction
 */
export function moved(point, directions, values) {
  return directions.reduce(
    (result, direction, i) => plus(result, direction, values[i] - dot(point, direction)), point,
  );
}
