/** Numbers by chance that a seed repeats: 0 to 1, evenly. (mulberry32) */
export type Random = () => number;

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `low` on and below `high`. */
export const between = (random: Random, low: number, high: number): number =>
  low + Math.floor(random() * (high - low));
