/** What stands behind options: durations, orders, whole numbers, addresses. Faults are commander's, which names the option. */
import { InvalidArgumentError } from 'commander';
import type { WaitOptions } from '../node.js';

const unitMs: Readonly<Record<string, number>> = {
  '': 1,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of `30s`, `5m`, `1.5h`, `250ms`; a bare number is milliseconds. */
export function duration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|)$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) {
    throw new InvalidArgumentError('A duration is 250, 250ms, 30s, 5m, 2h or 1d.');
  }
  return Math.round(Number(amount) * (unitMs[unit] as number));
}

/** `oldest`, `newest`, or a field, counted from 0, with a direction: `2`, `2:desc`. */
export function order(text: string): NonNullable<WaitOptions['order']> {
  if (text === 'oldest' || text === 'newest') return text;
  const [, field, dir = 'asc'] = /^(\d+)(?::(asc|desc))?$/.exec(text) ?? [];
  if (field === undefined) {
    throw new InvalidArgumentError(
      'An order is oldest, newest, or a field from 0 with a direction: 2, 2:desc.',
    );
  }
  return { field: Number(field), dir: dir as 'asc' | 'desc' };
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It is a whole number, 0 or more.');
  return Number(text);
}

export function positiveNumber(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new InvalidArgumentError('It is a whole number, 1 or more.');
  return number;
}

/** One address or several with commas between, added to those before. A comma inside an address (a file's name) stays. */
export function addresses(text: string, before: readonly string[] = []): string[] {
  const list = text
    .split(/,\s*(?=[a-z]+:)/)
    .map(one => one.trim())
    .filter(one => one !== '');
  for (const address of list) {
    if (!/^[a-z]+:/.test(address) || (/^(ws|http)s?:/.test(address) && !URL.canParse(address))) {
      throw new InvalidArgumentError('An address looks like ws://127.0.0.1:7070.');
    }
  }
  return [...before, ...list];
}
