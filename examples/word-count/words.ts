/** What a word is, and counts of words. */

/** At most so many characters: in what is no text, a run without an end would not fit into a tuple. */
const word = /[\p{L}\p{N}_']{1,1000}/gu;

export type Counts = Map<string, number>;

export function countWords(text: string, counts: Counts = new Map()): Counts {
  for (const [found] of text.matchAll(word)) add(counts, found.toLowerCase(), 1);
  return counts;
}

export function add(counts: Counts, one: string, times: number): void {
  counts.set(one, (counts.get(one) ?? 0) + times);
}

/** Where two counts differ, as sentences for people. */
export function differences(a: Counts, b: Counts): string[] {
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter(one => a.get(one) !== b.get(one))
    .map(one => `${one}: ${a.get(one) ?? 0} and ${b.get(one) ?? 0}`);
}
