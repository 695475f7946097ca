/** The heap of deadlines against a plain list, and its timer against an idle clock. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deadlines } from '../../server/engine/deadlines.js';
import { ManualClock } from '../support/manual-clock.js';

const anyDeed = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set'), after: fc.integer({ min: -2, max: 40 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('callOff'), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.nat(15) }) },
  // So many that the heap is swept of the dead.
  { weight: 1, arbitrary: fc.record({ do: fc.constant('many'), size: fc.integer({ min: 70, max: 150 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear') }) },
) as fc.Arbitrary<
  | { do: 'set'; after: number }
  | { do: 'callOff'; which: number }
  | { do: 'advance'; ms: number }
  | { do: 'many'; size: number }
  | { do: 'clear' }
>;

test('acts once for each deadline, in time order, never early, and not when called off', () => {
  const property = fc.property(fc.array(anyDeed, { maxLength: 60, size: 'max' }), deeds => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const acted: { time: number; id: number; at: number }[] = [];
    let pending = new Map<number, number>();
    const callOffs: { id: number; callOff: () => void }[] = [];
    const set = (time: number) => {
      const id = callOffs.length;
      pending.set(id, time);
      callOffs.push({ id, callOff: deadlines.at(time, () => acted.push({ time, id, at: clock.now() })) });
    };
    const callOff = (which: number) => {
      const one = callOffs[which % Math.max(callOffs.length, 1)];
      if (one) pending.delete(one.id);
      one?.callOff();
    };
    const advance = (ms: number) => {
      acted.length = 0;
      clock.advance(ms);
      const due = [...pending].filter(([, time]) => time <= clock.now());
      expect(acted.map(({ id }) => id).sort((a, b) => a - b)).toEqual(
        due.map(([id]) => id).sort((a, b) => a - b),
      );
      expect(acted.map(({ time }) => time)).toEqual(due.map(([, time]) => time).sort((a, b) => a - b));
      expect(acted.every(({ time, at }) => at >= time && at <= Math.max(time, clock.now()))).toBe(true);
      for (const [id] of due) pending.delete(id);
    };
    for (const deed of deeds) {
      if (deed.do === 'set') set(clock.now() + deed.after);
      else if (deed.do === 'callOff') callOff(deed.which);
      else if (deed.do === 'advance') advance(deed.ms);
      else if (deed.do === 'clear') {
        deadlines.clear();
        pending = new Map();
        expect(clock.next).toBeUndefined();
      } else {
        const first = callOffs.length;
        for (let n = 0; n < deed.size; n++) set(clock.now() + ((n * 7) % 30));
        for (let n = 0; n < deed.size; n++) if (n % 8 > 0) callOff(first + n);
      }
    }
    advance(100);
    expect(clock.next).toBeUndefined();
  });
  fc.assert(property, { numRuns: 300 });
});

test('what a deadline sets when it acts, is acted upon too', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const acted: string[] = [];
  deadlines.at(clock.now() + 5, () => {
    acted.push('first');
    deadlines.at(clock.now(), () => acted.push('at once'));
    deadlines.at(clock.now() + 5, () => acted.push('later'));
  });
  clock.advance(9);
  expect(acted).toEqual(['first', 'at once']);
  clock.advance(1);
  expect(acted).toEqual(['first', 'at once', 'later']);
});
