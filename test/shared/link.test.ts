import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../shared/limits.js';
import { Inbox, linkPair } from '../../shared/link.js';

/** Two ends whose messages arrive when the test says so. */
function ends() {
  const tasks: (() => void)[] = [];
  const [left, right] = linkPair<unknown, unknown>(task => tasks.push(task));
  const settle = () => {
    for (let task = tasks.shift(); task; task = tasks.shift()) task();
  };
  return { left, right, settle };
}

/** A handler that writes down what it hears, in order. */
function listener() {
  const heard: unknown[] = [];
  return {
    heard,
    messages: (batch: readonly unknown[]) => void heard.push(...batch),
    closed: (reason: string) => void heard.push({ closed: reason }),
  };
}

describe('messages', () => {
  test('arrive later, in order, both ways', () => {
    const { left, right, settle } = ends();
    const [atLeft, atRight] = [listener(), listener()];
    left.attach(atLeft);
    right.attach(atRight);
    left.send([1, 2]);
    right.send(['a']);
    left.send([3]);
    expect(atRight.heard).toEqual([]);
    settle();
    expect(atRight.heard).toEqual([1, 2, 3]);
    expect(atLeft.heard).toEqual(['a']);
  });

  test('need no queue of the test: microtasks will do', async () => {
    const [left, right] = linkPair<unknown, unknown>();
    const heard = new Promise(messages => right.attach({ messages, closed: () => {} }));
    left.send(['a']);
    expect(await heard).toEqual(['a']);
  });

  test('are copies: what the sender or the receiver changes, the other does not see', () => {
    const { left, right, settle } = ends();
    const sent = { tuple: ['a', { n: 1 }] };
    left.send([sent]);
    sent.tuple.push('later');
    settle();
    const atRight = listener();
    right.attach(atRight);
    expect(atRight.heard).toEqual([{ tuple: ['a', { n: 1 }] }]);
    (atRight.heard[0] as typeof sent).tuple.length = 0;
    expect(sent.tuple).toEqual(['a', { n: 1 }, 'later']);
  });
});

describe('the backlog', () => {
  test('waits for a handler, and is given once', () => {
    const { left, right, settle } = ends();
    left.send([1]);
    left.send([2]);
    settle();
    const [first, second] = [listener(), listener()];
    right.attach(first);
    right.attach(second);
    left.send([3]);
    settle();
    expect([first.heard, second.heard]).toEqual([[1, 2], [3]]);
  });

  test('is full at its bound; over it the link closes, without a gap in what was kept', () => {
    const { left, right, settle } = ends();
    const kept = Array.from({ length: limits.linkBacklogMessages - 1 }, (_, n) => n);
    left.send(kept);
    left.send(['over', 'the bound']);
    left.send(['would fit']);
    settle();
    const [atLeft, atRight] = [listener(), listener()];
    left.attach(atLeft);
    right.attach(atRight);
    expect(atLeft.heard).toEqual([{ closed: 'backlog full' }]);
    expect(atRight.heard).toEqual([...kept, { closed: 'backlog full' }]);
  });

  test('has no bound once a handler listens', () => {
    const { left, right, settle } = ends();
    const atRight = listener();
    right.attach(atRight);
    left.send(Array(limits.linkBacklogMessages + 1).fill(0));
    settle();
    expect(atRight.heard).toHaveLength(limits.linkBacklogMessages + 1);
  });

  test('that overflowed takes nothing more, though a handler comes before the end', () => {
    const inbox = new Inbox<unknown>();
    const late = listener();
    expect(inbox.deliver(Array(limits.linkBacklogMessages).fill(0))).toBe(true);
    expect(inbox.deliver([1])).toBe(false);
    inbox.attach(late);
    expect(inbox.deliver([2])).toBe(false);
    inbox.end('backlog full');
    expect(late.heard).toEqual([...Array(limits.linkBacklogMessages).fill(0), { closed: 'backlog full' }]);
  });
});

describe('the end', () => {
  test('comes once at both ends, after the last message of either', () => {
    const { left, right, settle } = ends();
    const [atLeft, atRight] = [listener(), listener()];
    left.attach(atLeft);
    right.attach(atRight);
    left.send([1]);
    right.send(['a']);
    left.close('done');
    right.close('too late');
    left.close('again');
    settle();
    expect(atRight.heard).toEqual([1, { closed: 'done' }]);
    expect(atLeft.heard).toEqual(['a', { closed: 'done' }]);
  });

  test('is told to a handler that comes after it, behind the backlog', () => {
    const { left, right, settle } = ends();
    left.send([1]);
    left.close('done');
    settle();
    const atRight = listener();
    right.attach(atRight);
    expect(atRight.heard).toEqual([1, { closed: 'done' }]);
  });

  test('is told once by an inbox, and nothing after it', () => {
    const inbox = new Inbox<unknown>();
    const handler = listener();
    inbox.attach(handler);
    inbox.end('done');
    inbox.deliver([1]);
    inbox.end('again');
    expect(handler.heard).toEqual([{ closed: 'done' }]);
  });

  test('is told only to the handler that another handed over to', () => {
    const inbox = new Inbox<unknown>();
    inbox.deliver([1]);
    inbox.end('done');
    const [first, second] = [listener(), listener()];
    inbox.attach({ ...first, messages: () => inbox.attach(second) });
    expect([first.heard, second.heard]).toEqual([[], [{ closed: 'done' }]]);
  });

  test('makes of every later call nothing', () => {
    const { left, right, settle } = ends();
    const [atLeft, atRight] = [listener(), listener()];
    left.attach(atLeft);
    right.attach(atRight);
    left.close('done');
    left.send([1]);
    right.send([2]);
    settle();
    left.send([3]);
    right.send([4]);
    right.close('again');
    settle();
    expect([atLeft.heard, atRight.heard]).toEqual([[{ closed: 'done' }], [{ closed: 'done' }]]);
  });
});

test('whatever is sent before the end arrives, then the end, whenever the handler comes', () => {
  const step = fc.constantFrom('send', 'send', 'settle', 'attach', 'close');
  fc.assert(
    fc.property(fc.array(step), steps => {
      const { left, right, settle } = ends();
      const atRight = listener();
      let attached = false;
      const act = {
        send: (n: number) => left.send([n, [n]]),
        settle,
        close: () => left.close('done'),
        attach: () => {
          if (!attached) right.attach(atRight);
          attached = true;
        },
      };
      for (const [n, name] of [...steps, 'close', 'settle', 'attach'].entries())
        act[name as keyof typeof act](n);
      const end = steps.includes('close') ? steps.indexOf('close') : steps.length;
      const sent = steps.slice(0, end).flatMap((name, n) => (name === 'send' ? [n, [n]] : []));
      expect(atRight.heard).toEqual([...sent, { closed: 'done' }]);
    }),
  );
});
