/**
 * Everything that ends by time, behind one timer that asks "when next?". A binary heap by time; what is called off stays in it, empty,
 * until its time comes or the dead outnumber the living.
 */
import type { Clock } from '../../shared/clock.js';

interface Deadline {
  readonly time: number;
  act: (() => void) | undefined;
}

export class Deadlines {
  readonly #clock: Clock;
  #heap: Deadline[] = [];
  #dead = 0;
  #armed: { readonly time: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `act` once when the monotonic clock reaches `time`, never before. Returns a function that calls it off. */
  at(time: number, act: () => void): () => void {
    const deadline: Deadline = { time, act };
    this.#heap.push(deadline);
    siftUp(this.#heap, this.#heap.length - 1);
    this.#arm();
    return () => {
      if (deadline.act === undefined) return;
      deadline.act = undefined;
      if (++this.#dead * 2 > this.#heap.length && this.#dead > 64) this.#compact();
    };
  }

  /** Calls off everything. */
  clear(): void {
    this.#heap = [];
    this.#dead = 0;
    this.#armed?.cancel();
    this.#armed = undefined;
  }

  #compact(): void {
    this.#heap = this.#heap.filter(deadline => deadline.act !== undefined).sort((a, b) => a.time - b.time);
    this.#dead = 0;
  }

  #arm(): void {
    const next = this.#heap[0];
    if (!next || (this.#armed && this.#armed.time <= next.time)) return;
    this.#armed?.cancel();
    this.#armed = { time: next.time, cancel: this.#clock.wakeAt(next.time, () => this.#wake()) };
  }

  #wake(): void {
    this.#armed = undefined;
    const now = this.#clock.now();
    while (this.#heap[0] && this.#heap[0].time <= now) {
      const deadline = pop(this.#heap);
      const { act } = deadline;
      // It has left the heap: called off later, it must not count among the dead.
      deadline.act = undefined;
      if (act) act();
      else this.#dead--;
    }
    this.#arm();
  }
}

function siftUp(heap: Deadline[], from: number): void {
  const moved = heap[from] as Deadline;
  let at = from;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if ((heap[parent] as Deadline).time <= moved.time) break;
    heap[at] = heap[parent] as Deadline;
    at = parent;
  }
  heap[at] = moved;
}

function pop(heap: Deadline[]): Deadline {
  const first = heap[0] as Deadline;
  const moved = heap.pop() as Deadline;
  if (heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as Deadline).time < (heap[child] as Deadline).time)
      child++;
    if ((heap[child] as Deadline).time >= moved.time) break;
    heap[at] = heap[child] as Deadline;
    at = child;
  }
  heap[at] = moved;
  return first;
}
