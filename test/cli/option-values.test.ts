import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { addresses, duration, order, positiveNumber, wholeNumber } from '../../client/cli/option-values.js';

describe('durations', () => {
  test.each([
    ['250', 250],
    ['0', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
  ])('%s is %i ms', (text, ms) => {
    expect(duration(text)).toBe(ms);
  });

  test.each(['', 's', '-1', '30 s', '1e3', '5min', '30S', '.5s', 'NaN', '1s2'])('%j is none', text => {
    expect(() => duration(text)).toThrow(InvalidArgumentError);
  });
});

describe('orders', () => {
  test.each([
    ['oldest', 'oldest'],
    ['newest', 'newest'],
    ['0', { field: 0, dir: 'asc' }],
    ['2:asc', { field: 2, dir: 'asc' }],
    ['12:desc', { field: 12, dir: 'desc' }],
  ])('%s', (text, expected) => {
    expect(order(text)).toEqual(expected);
  });

  test.each(['', 'youngest', '-1', '1:', '1:up', ':desc', '1.5', 'oldest:desc'])('%j is none', text => {
    expect(() => order(text)).toThrow(InvalidArgumentError);
  });
});

describe('numbers', () => {
  test('whole ones', () => {
    expect(wholeNumber('0')).toBe(0);
    expect(positiveNumber('12')).toBe(12);
  });

  test.each(['', '-1', '1.5', 'x', '1e3', '9'.repeat(16)])('%j is none', text => {
    expect(() => wholeNumber(text)).toThrow(InvalidArgumentError);
  });

  test('0 of something is not to be had', () => {
    expect(() => positiveNumber('0')).toThrow(InvalidArgumentError);
  });
});

describe('addresses', () => {
  test.each([
    ['ws://a:1', ['ws://a:1']],
    ['ws://a:1,wss://b', ['ws://a:1', 'wss://b']],
    ['ws://a:1, http://b:2', ['ws://a:1', 'http://b:2']],
    ['sqlite:a,b.db', ['sqlite:a,b.db']],
    ['', []],
  ])('%s', (text, expected) => {
    expect(addresses(text)).toEqual(expected);
  });

  test('given again, they are added', () => {
    expect(addresses('ws://b', ['ws://a'])).toEqual(['ws://a', 'ws://b']);
  });

  test.each(['127.0.0.1:7070', 'ws://', 'ws://a:port', 'here'])('%j is none', text => {
    expect(() => addresses(text)).toThrow(InvalidArgumentError);
  });
});
