import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TupletError } from '../../shared/errors.js';
import type { Json } from '../../shared/json.js';
import { limits } from '../../shared/limits.js';
import { matches, parseTemplate } from '../../shared/template.js';
import { anyTuple, formalNames, meeting, wildTemplate } from './arbitraries.js';
import { faultOf, invalidAt, tooLargeAt } from './fault.js';
import { naiveMatch } from './naive-match.js';

const fits = (template: unknown, tuple: readonly Json[]) => matches(parseTemplate(template), tuple);
const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
const nested = (levels: number): Json => (levels === 1 ? [] : [nested(levels - 1)]);

describe('matches agrees with the naive definition', () => {
  test('on templates made for tuples, where every formal says both yes and no', () => {
    const verdicts = new Map<string, number>();
    const note = (what: string) => verdicts.set(what, (verdicts.get(what) ?? 0) + 1);
    fc.assert(
      fc.property(meeting, ({ template, tuple }) => {
        const verdict = fits(template, tuple);
        expect(verdict).toBe(naiveMatch(template, tuple));
        note(`${verdict}`);
        const text = JSON.stringify(template);
        for (const formal of formalNames) if (text.includes(`"${formal}":`)) note(`${formal} ${verdict}`);
      }),
      { numRuns: 6_000 },
    );
    for (const verdict of [true, false]) {
      expect(verdicts.get(`${verdict}`)).toBeGreaterThan(1_000);
      for (const formal of formalNames)
        expect(verdicts.get(`${formal} ${verdict}`), formal).toBeGreaterThan(20);
    }
  });

  test('on whatever parseTemplate lets through, and all else is refused in order', () => {
    let good = 0;
    fc.assert(
      fc.property(wildTemplate, anyTuple, (template, tuple) => {
        const fault = faultOf(() => parseTemplate(template));
        if (fault !== 'no fault') {
          expect(fault).toEqual(invalidAt(expect.stringMatching(/^template/) as unknown as string));
        } else {
          good++;
          expect(fits(template, tuple)).toBe(naiveMatch(template, tuple));
        }
      }),
      { numRuns: 4_000 },
    );
    expect(good).toBeGreaterThan(400);
  });
});
