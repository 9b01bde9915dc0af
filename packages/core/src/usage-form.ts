import { child } from './pointer.ts'

/**
 * What a way of writing events down calls their attributes, so that a fault is told where the sender
 * sees it. Names are CloudEvents': `type`, `data`, and `data`, `quantity` for what is inside.
 */
export interface UsageNames {
  /** A pointer; `event` is the event's own: `#`, `#/0`. */
  at(event: string, ...path: readonly string[]): string
  /** For a sentence. */
  say(name: string): string
}

/** CloudEvents in JSON: everything is called what it is called. */
export const cloudEventNames: UsageNames = { at: child, say: (name) => name }
