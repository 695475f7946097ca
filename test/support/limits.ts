/** Smaller bounds for one test, so that an edge is near: `using _ = withLimits({ sliceEntries: 3 })`. */
import { type Limits, limits } from '../../shared/limits.js';

export function withLimits(changed: Partial<Limits>): Disposable {
  const before = { ...limits };
  Object.assign(limits, changed);
  return { [Symbol.dispose]: () => void Object.assign(limits, before) };
}
