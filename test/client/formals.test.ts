/** Templates of the SDK: what goes over the wire, and which types come back. `npm run check` holds the types. */
import { describe, expect, expectTypeOf, test } from 'vitest';
import { encodeTemplate } from '../../client/formals.js';
import {
  any,
  anyOf,
  eq,
  gt,
  has,
  integer,
  type Json,
  lt,
  lte,
  ne,
  not,
  oneOf,
  or,
  prefix,
  range,
  rest,
  type Space,
  schema,
  type TupletError,
} from '../../client/index.js';

describe('on the wire', () => {
  test.each<[string, unknown, Json]>([
    ['literals', ['a', 1, true, null, { b: [1] }], ['a', 1, true, null, { b: [1] }]],
    [
      'constructors',
      [Number, String, Boolean, Array, Object],
      [
        { $type: 'number' },
        { $type: 'string' },
        { $type: 'boolean' },
        { $type: 'array' },
        { $type: 'object' },
      ],
    ],
    ['any, integer, rest', [any, integer, rest], [{ $any: true }, { $type: 'integer' }, { $rest: true }]],
    ['bounds', [gt(5), lt('x'), lte(2)], [{ $gt: 5 }, { $lt: 'x' }, { $lte: 2 }]],
    ['a range', [range({ gte: 1, lt: 9 })], [{ $gte: 1, $lt: 9 }]],
    ['oneOf, prefix', [oneOf('a', 'b'), prefix('job-')], [{ $oneOf: ['a', 'b'] }, { $prefix: 'job-' }]],
    [
      'ne, not, or',
      [ne(1), not(Number), or('a', gt(3))],
      [{ $ne: 1 }, { $not: { $type: 'number' } }, { $or: ['a', { $gt: 3 }] }],
    ],
    ['has', [has({ kind: 'x', size: gt(1) })], [{ $has: { kind: 'x', size: { $gt: 1 } } }]],
    ['nested formals', [{ a: [Number, { b: any }] }], [{ a: [{ $type: 'number' }, { b: { $any: true } }] }]],
    ['a schema', [schema({ type: 'string' })], [{ $schema: { type: 'string' } }]],
    ['anyOf', anyOf(['a', Number], ['b']), { $anyOf: [['a', { $type: 'number' }], ['b']] }],
    [
      'data with $ keys is quoted',
      [{ $gt: 5 }, { a: { $any: true } }],
      [{ $eq: { $gt: 5 } }, { a: { $eq: { $any: true } } }],
    ],
    ['eq quotes', [eq({ $any: true })], [{ $eq: { $any: true } }]],
  ])('%s', (_name, template, wire) => expect(encodeTemplate(template)).toEqual(wire));

  test.each<[string, unknown, string]>([
    ['undefined', ['a', undefined], 'template[1]'],
    ['a Date', [new Date()], 'template[0]'],
    ['a Map', [{ a: new Map() }], 'template[0].a'],
    ['a function', [() => 1], 'template[0]'],
    ['a formal among $ keys', [{ $x: any }], 'template[0].$x'],
    ['no array', 'a', 'template'],
  ])('%s is refused', (_name, template, field) => {
    expect(() => encodeTemplate(template)).toThrow(expect.objectContaining({ code: 'invalid', field }));
  });
});

type Job = ['job', number, { to: string }];
interface Mail {
  to: string;
}
type Done = ['done', number, Mail];

/** Never called: only its types are looked at. */
async function types(free: Space, typed: Space<Job | Done>): Promise<void> {
  expectTypeOf(await free.in(['job', Number, any])).toEqualTypeOf<['job', number, Json]>();
  expectTypeOf(await free.take(['job', String])).toEqualTypeOf<['job', string] | null>();
  expectTypeOf(await free.rd(['x', gt(5), oneOf('a', 'b'), prefix('p')])).toEqualTypeOf<
    ['x', number, 'a' | 'b', string]
  >();
  expectTypeOf(await free.rd([has({ kind: 'x', n: integer }), or('a', Number)])).toEqualTypeOf<
    [{ readonly kind: 'x'; readonly n: number }, 'a' | number]
  >();
  expectTypeOf(await free.rd(['a', rest])).toEqualTypeOf<['a', ...Json[]]>();
  expectTypeOf(await free.rd(anyOf(['a', Number], ['b', String]))).toEqualTypeOf<
    ['a', number] | ['b', string]
  >();
  expectTypeOf(await free.rd(['a', { b: [Number, true] }])).toEqualTypeOf<['a', { b: [number, true] }]>();
  expectTypeOf(await free.rd([schema<Mail>({})])).toEqualTypeOf<[Mail]>();
  expectTypeOf((await free.in(['a', Number], { entry: true })).tuple).toEqualTypeOf<['a', number]>();
  expectTypeOf((await free.in(['a', Number], { entry: true })).id).toEqualTypeOf<number>();

  expectTypeOf(await typed.in(['job', Number, any])).toEqualTypeOf<Job>();
  expectTypeOf(await typed.in(['done', any, any])).toEqualTypeOf<Done>();
  expectTypeOf(await typed.take(anyOf(['job', any, any], ['done', any, any]))).toEqualTypeOf<
    Job | Done | null
  >();
  expectTypeOf((await typed.scan(['done', any, any])).entries[0]!.tuple[2].to).toEqualTypeOf<string>();

  await typed.out(['job', 1, { to: 'a' }]);
  await typed.outMany([
    ['job', 1, { to: 'a' }],
    ['done', 2, { to: 'b' }],
  ]);
  const mail: Mail = { to: 'a' };
  await free.out(['job', mail, [1, 'a'], null]);
  const json: Json = 1;
  await free.out(['job', json]);
  // @ts-expect-error there is no such tuple in this space
  await typed.out(['jab', 1, { to: 'a' }]);
  // @ts-expect-error undefined is not JSON
  await free.out(['a', undefined]);
  // @ts-expect-error a Date is not JSON
  await free.out(['a', new Date()]);
  // @ts-expect-error a function is not JSON
  await free.out(['a', () => 1]);
  // @ts-expect-error a formal cannot stand in a tuple
  await free.out(['a', any]);
  // @ts-expect-error bounds are numbers or strings
  gt(null);
  await free.rd(wide);
}

const n = Number;
/** 64 fields do not exhaust the type checker. */
// biome-ignore format: one line is enough for it
const wide = [n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n,n] as const;

test('types are held by the compiler', () => {
  expectTypeOf(types).toBeFunction();
  expectTypeOf<TupletError['code']>().toExtend<string>();
});
