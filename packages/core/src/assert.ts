/** Stops on a programmer's error. A caller's error is a {@link Problem}, not an assertion. */
export function assert(condition: unknown, message = 'assertion failed'): asserts condition {
  if (!condition) throw new Error(message)
}
